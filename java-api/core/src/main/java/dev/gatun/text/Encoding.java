package dev.gatun.text;

/**
 * A text, or a pair of texts, as tokens. Every array has {@link #length()} elements and is shared,
 * not copied: do not write to it.
 *
 * @param ids the ids in the vocabulary
 * @param typeIds the segment ids of BERT's family: 0 for the first text, 1 for the second
 * @param tokens the tokens as the vocabulary spells them
 * @param starts where each token starts in its text, as an index into the Java string (UTF-16); 0
 *     for special tokens
 * @param ends the index after each token's last character; 0 for special tokens
 * @param wordIds the index of the word that each token belongs to, counted in each text; -1 for
 *     special tokens
 * @param special whether the token was added by the template and is in no text
 * @param sequenceIds 0 for tokens of the first text, 1 for those of the second, -1 for special
 *     tokens
 * @param truncated whether tokens of the text are missing here
 * @param droppedTokens how many are missing
 */
public record Encoding(
    long[] ids,
    long[] typeIds,
    String[] tokens,
    int[] starts,
    int[] ends,
    int[] wordIds,
    boolean[] special,
    int[] sequenceIds,
    boolean truncated,
    int droppedTokens) {

  /** {@return the number of tokens, special ones included} */
  public int length() {
    return ids.length;
  }

  /** The part of this encoding at {@code kept}, indexes in ascending order. */
  Encoding select(int[] kept) {
    int n = kept.length;
    Encoding part =
        new Encoding(
            new long[n],
            new long[n],
            new String[n],
            new int[n],
            new int[n],
            new int[n],
            new boolean[n],
            new int[n],
            n < length(),
            length() - n);
    for (int i = 0; i < n; i++) {
      int from = kept[i];
      part.ids[i] = ids[from];
      part.typeIds[i] = typeIds[from];
      part.tokens[i] = tokens[from];
      part.starts[i] = starts[from];
      part.ends[i] = ends[from];
      part.wordIds[i] = wordIds[from];
      part.special[i] = special[from];
      part.sequenceIds[i] = sequenceIds[from];
    }
    return part;
  }
}
