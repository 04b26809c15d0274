package dev.gatun.pipelines;

/**
 * A label that a model gives to a text.
 *
 * @param label its name
 * @param score its probability
 */
public record Classification(String label, float score) {}
