package dev.gatun.models;

/** The targets that labels alone give, as Hugging Face's models make them for training. */
final class ShiftedLabels {
  private static final long IGNORED = -100;

  private ShiftedLabels() {}

  /** Labels behind {@code decoder_start_token_id}, but for the last one. */
  static long[][] behindStart(Config config, long[][] labels) {
    int start = config.integer("decoder_start_token_id");
    int pad = config.integer("pad_token_id");
    long[][] ids = new long[labels.length][];
    for (int row = 0; row < ids.length; row++) {
      long[] from = required(labels, row);
      ids[row] = new long[from.length];
      for (int i = 0; i < from.length; i++) {
        ids[row][i] = i == 0 ? start : from[i - 1] == IGNORED ? pad : from[i - 1];
      }
    }
    return ids;
  }

  /** mBART's: labels behind their own last one that is no padding, the language's code. */
  static long[][] behindLast(Config config, long[][] labels) {
    int pad = config.integer("pad_token_id");
    long[][] ids = new long[labels.length][];
    for (int row = 0; row < ids.length; row++) {
      long[] from = required(labels, row).clone();
      int seen = 0;
      for (int i = 0; i < from.length; i++) {
        from[i] = from[i] == IGNORED ? pad : from[i];
        seen += from[i] == pad ? 0 : 1;
      }
      if (seen == 0) {
        throw new IllegalArgumentException(
            "labels: row %d has no tokens, of which the last is its language".formatted(row));
      }
      ids[row] = new long[from.length];
      ids[row][0] = from[seen - 1];
      System.arraycopy(from, 0, ids[row], 1, from.length - 1);
    }
    return ids;
  }

  private static long[] required(long[][] labels, int row) {
    if (labels[row] == null) {
      throw new IllegalArgumentException("labels: row %d is missing".formatted(row));
    }
    return labels[row];
  }
}
