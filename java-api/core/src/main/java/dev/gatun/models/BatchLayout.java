package dev.gatun.models;

import java.util.Arrays;
import java.util.List;

/**
 * A batch with its padding taken out, on the host: the tokens whose mask is 1, one sequence after
 * another.
 *
 * @param ids token ids of the packed tokens
 * @param types token type ids of the packed tokens
 * @param positions each packed token's place in its padded sequence
 * @param lengths the packed tokens of each sequence
 * @param sequence the sequence of each packed token
 * @param seen whether a packed token is one, and not padding
 * @param length tokens of a padded sequence
 * @param continued whether the packed tokens come after others of their sequences
 * @param longOnes of those, whether a sequence's keys are those of a long one
 * @param rows all ids of each sequence, padding included
 */
record BatchLayout(
    long[] ids,
    long[] types,
    long[] positions,
    int[] lengths,
    int[] sequence,
    boolean[] seen,
    int length,
    boolean continued,
    boolean[] longOnes,
    long[][] rows) {

  /**
   * @param withPadding whether padding is packed too, for what is defined over padded sequences
   */
  static BatchLayout of(EncoderInputs inputs, boolean withPadding) {
    long[][] rows = inputs.inputIds();
    int length = 0;
    int[] lengths = new int[rows.length];
    for (int s = 0; s < rows.length; s++) {
      length = Math.max(length, rows[s].length);
      for (int t = 0; t < rows[s].length; t++) {
        lengths[s] += withPadding || inputs.isToken(s, t) ? 1 : 0;
      }
    }
    int count = Arrays.stream(lengths).reduce(0, Math::addExact);
    BatchLayout layout =
        new BatchLayout(
            new long[count],
            new long[count],
            new long[count],
            lengths,
            new int[count],
            new boolean[count],
            length,
            false,
            new boolean[rows.length],
            rows);
    int at = 0;
    for (int s = 0; s < rows.length; s++) {
      for (int t = 0; t < rows[s].length; t++) {
        boolean seen = inputs.isToken(s, t);
        if (withPadding || seen) {
          layout.ids[at] = rows[s][t];
          layout.types[at] = inputs.tokenTypeIds() == null ? 0 : inputs.tokenTypeIds()[s][t];
          layout.positions[at] = t;
          layout.sequence[at] = s;
          layout.seen[at++] = seen;
        }
      }
    }
    return layout;
  }

  /**
   * The next tokens of sequences in a cache, each at its place in its whole sequence; {@code
   * length} is that of the longest one.
   */
  static BatchLayout ofChunks(List<Chunk> chunks) {
    int count = chunks.stream().mapToInt(chunk -> chunk.ids().length).reduce(0, Math::addExact);
    int length = 0;
    BatchLayout layout = empty(chunks.size(), count, 0);
    int at = 0;
    for (int s = 0; s < chunks.size(); s++) {
      long[] ids = chunks.get(s).ids();
      int before = chunks.get(s).sequence().length();
      length = Math.max(length, Math.addExact(before, ids.length));
      layout.lengths[s] = ids.length;
      layout.longOnes[s] = chunks.get(s).sequence().isLongWith(ids.length);
      for (int t = 0; t < ids.length; t++) {
        layout.ids[at] = ids[t];
        layout.positions[at] = (long) before + t;
        layout.sequence[at++] = s;
      }
    }
    return layout.withLength(length);
  }

  /**
   * Tokens of no meaning, as many as there is to be room for.
   *
   * @param longest the most tokens of a sequence in the batch
   * @param length the most tokens of a whole sequence
   */
  static BatchLayout room(int sequences, int tokens, int longest, int length) {
    if (sequences < 1 || longest < 1 || longest > length || tokens < longest) {
      throw new IllegalArgumentException(
          "room for %d sequences, %d tokens, up to %d of a sequence of up to %d: expected numbers from 1, chunks no longer than a sequence, and all tokens of one"
              .formatted(sequences, tokens, longest, length));
    }
    BatchLayout layout = empty(sequences, tokens, length);
    int left = tokens;
    for (int s = 0; s < sequences; s++) {
      layout.lengths[s] = Math.min(left, longest);
      left -= layout.lengths[s];
    }
    if (left > 0) {
      throw new IllegalArgumentException(
          "room for %d tokens, %d sequences of up to %d have fewer"
              .formatted(tokens, sequences, longest));
    }
    return layout;
  }

  private static BatchLayout empty(int sequences, int tokens, int length) {
    boolean[] seen = new boolean[tokens];
    Arrays.fill(seen, true);
    return new BatchLayout(
        new long[tokens],
        new long[tokens],
        new long[tokens],
        new int[sequences],
        new int[tokens],
        seen,
        length,
        true,
        new boolean[sequences],
        new long[0][]);
  }

  /** Each packed token's number among the tokens of its whole sequence, padding not counted. */
  long[] running() {
    if (continued) {
      return positions;
    }
    long[] places = new long[tokens()];
    int at = 0;
    for (int count : lengths) {
      for (int t = 0; t < count; t++, at++) {
        places[at] = t;
      }
    }
    return places;
  }

  /** Whether the keys of a sequence are those of one of more tokens than some. */
  boolean isLong(int s, int tokens) {
    return continued ? longOnes[s] : lengths[s] > tokens;
  }

  /** The label that each packed token is to tell, its neighbour's; -100 where there is none. */
  long[] nextLabels(long[][] labels) {
    long[] values = new long[tokens()];
    for (int i = 0; i < values.length; i++) {
      long[] row = labels[sequence[i]];
      int next = (int) positions[i] + 1;
      values[i] = next < row.length ? row[next] : -100;
    }
    return values;
  }

  /** The weights of {@link #nextLabels}, 0 where there is none; null of null. */
  float[] nextWeights(float[][] weights) {
    if (weights == null) {
      return null;
    }
    float[] values = new float[tokens()];
    for (int i = 0; i < values.length; i++) {
      float[] row = weights[sequence[i]];
      int next = (int) positions[i] + 1;
      values[i] = next < row.length ? row[next] : 0;
    }
    return values;
  }

  int tokens() {
    return ids.length;
  }

  int sequences() {
    return lengths.length;
  }

  int longest() {
    return Arrays.stream(lengths).max().orElse(0);
  }

  /** The same in sequences that are padded to a length. */
  BatchLayout withLength(int padded) {
    return new BatchLayout(
        ids, types, positions, lengths, sequence, seen, padded, continued, longOnes, rows);
  }

  /** The same where packed padding is a token like others. */
  BatchLayout withAllSeen() {
    if (!hasPadding()) {
      return this;
    }
    boolean[] all = new boolean[tokens()];
    Arrays.fill(all, true);
    return new BatchLayout(
        ids, types, positions, lengths, sequence, all, length, continued, longOnes, rows);
  }

  /** A packed token's row among those of the padded batch. */
  long place(int token) {
    return (long) sequence[token] * length + positions[token];
  }

  /** Whether padding was packed. */
  boolean hasPadding() {
    for (boolean each : seen) {
      if (!each) {
        return true;
      }
    }
    return false;
  }

  /** Whether each sequence has the positions from 0 on, without gaps. */
  boolean isDense() {
    int first = 0;
    for (int count : lengths) {
      if (count > 0 && positions[first + count - 1] != count - 1) {
        return false;
      }
      first += count;
    }
    return true;
  }

  /** Whether the packed tokens of each sequence follow each other, wherever the first one is. */
  boolean isWithoutGaps() {
    int first = 0;
    for (int count : lengths) {
      if (count > 0 && positions[first + count - 1] - positions[first] != count - 1) {
        return false;
      }
      first += count;
    }
    return true;
  }

  /**
   * The packed tokens' positions where those of a sequence count its ids that are not padding's,
   * hidden ones too, from one past that id; padding's own position is its id.
   */
  long[] positionsWithoutPadding(int padId) {
    long[] counted = new long[tokens()];
    long next = padId;
    int t = 0;
    for (int i = 0; i < counted.length; i++) {
      if (i == 0 || sequence[i] != sequence[i - 1]) {
        next = padId;
        t = 0;
      }
      long[] row = rows[sequence[i]];
      for (; t <= positions[i]; t++) {
        next += row[t] == padId ? 0 : 1;
      }
      counted[i] = ids[i] == padId ? padId : next;
    }
    return counted;
  }

  /**
   * Requires what a model can take.
   *
   * @throws IllegalArgumentException naming the first id, type or length that it cannot
   */
  void check(Limits limits) {
    if (length > limits.length()) {
      throw new IllegalArgumentException(
          "input_ids has a sequence of %d tokens, the model takes %d: truncate it or split it"
              .formatted(length, limits.length()));
    }
    for (int i = 0; i < tokens(); i++) {
      if (ids[i] < 0 || ids[i] >= limits.vocabulary()) {
        throw new IllegalArgumentException(
            "input_ids has the id %d at token %d of sequence %d, the vocabulary has %d"
                .formatted(ids[i], positions[i], sequence[i], limits.vocabulary()));
      }
      if (types[i] < 0 || (limits.types() > 0 && types[i] >= limits.types())) {
        throw new IllegalArgumentException(
            "token_type_ids has %d at token %d of sequence %d, the model has %d types"
                .formatted(types[i], positions[i], sequence[i], limits.types()));
      }
    }
  }

  /** The labels of the packed tokens. */
  long[] pickLabels(EncoderInputs inputs) {
    long[][] padded = inputs.labels();
    EncoderInputs.shaped("labels", inputs.inputIds(), padded);
    return pickLabels(padded);
  }

  /** The same of labels that are shaped as the ids. */
  long[] pickLabels(long[][] padded) {
    long[] values = new long[tokens()];
    for (int i = 0; i < values.length; i++) {
      values[i] = padded[sequence[i]][(int) positions[i]];
    }
    return values;
  }

  /** The weights of {@link #pickLabels}, shaped as the ids; null of null. */
  float[] pickWeights(float[][] padded) {
    if (padded == null) {
      return null;
    }
    float[] values = new float[tokens()];
    for (int i = 0; i < values.length; i++) {
      values[i] = padded[sequence[i]][(int) positions[i]];
    }
    return values;
  }
}
