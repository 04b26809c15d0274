package dev.gatun.text;

/**
 * What a model reads of a text: an {@link Encoding} without the places, words and names of tokens.
 *
 * @param ids of the vocabulary [length]
 * @param typeIds 0 for the first sequence, 1 for the second [length]
 */
public record InputIds(long[] ids, long[] typeIds) {
  static InputIds of(Encoding encoding) {
    return new InputIds(encoding.ids(), encoding.typeIds());
  }
}
