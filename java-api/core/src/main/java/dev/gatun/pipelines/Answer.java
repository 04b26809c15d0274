package dev.gatun.pipelines;

/**
 * An answer found in a context.
 *
 * @param text the answer; empty when the model says that there is none
 * @param score its probability
 * @param start where it starts in the context
 * @param end where it ends
 */
public record Answer(String text, float score, int start, int end) {}
