package dev.gatun.generation;

/**
 * A token and how likely it was.
 *
 * @param id the token
 * @param logprob the natural logarithm of its probability by the model's logits, before penalties
 *     and filters
 */
public record TokenScore(int id, float logprob) {}
