package dev.gatun.pipelines;

/**
 * A text's vector.
 *
 * @param vector its values
 * @param droppedTokens how many tokens at the end of the text the model did not see
 */
public record Embedded(float[] vector, int droppedTokens) {}
