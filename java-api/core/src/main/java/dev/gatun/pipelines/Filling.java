package dev.gatun.pipelines;

/**
 * A token for a masked place.
 *
 * @param token as the vocabulary spells it
 * @param id its id
 * @param score its probability
 */
public record Filling(String token, int id, float score) {}
