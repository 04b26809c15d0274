package dev.gatun.models;

import dev.gatun.nn.Embedding;

/**
 * The positions of BART and its relatives: a table, and which of its rows a token has.
 *
 * @param table of rows, an offset more than positions
 * @param offset the first position's row
 * @param padId counted rows: padding has its own, the row of its id; -1 for places
 */
record BartPositions(Embedding table, int offset, int padId) {
  /** Of a stack, {@code embed_positions} below it. */
  static BartPositions of(Config config, Weights stack) {
    int length = config.positive("max_position_embeddings", 1024);
    int width = config.positive("d_model", 1024);
    String name = "embed_positions";
    return switch (config.text("model_type", "bart")) {
      case "m2m_100" -> {
        int padId = config.integer("pad_token_id", 1);
        if (padId < 0 || padId > 1) {
          throw config.wrong("pad_token_id", "0 or 1: positions count from the row behind it");
        }
        int rows = length + 2;
        float[] values = m2m(rows, width, padId);
        yield new BartPositions(stack.table(values, rows, width), padId + 1, padId);
      }
      case "marian", "pegasus" ->
          new BartPositions(
              stack.has(name + ".weight")
                  ? stack.constantEmbedding(name, length, width)
                  : stack.table(marian(length, width), length, width),
              0,
              -1);
      case "blenderbot", "blenderbot-small" ->
          new BartPositions(stack.embedding(name, length, width), 0, -1);
      default -> new BartPositions(stack.embedding(name, length + 2L, width), 2, -1);
    };
  }

  /** The most tokens of a sequence. */
  int length() {
    return (int) table.rows() - (padId < 0 ? offset : 2);
  }

  /** Each packed token's row. */
  long[] rows(BatchLayout layout) {
    if (padId >= 0 && layout.rows().length > 0) {
      return layout.positionsWithoutPadding(padId);
    }
    long[] rows = new long[layout.tokens()];
    for (int i = 0; i < rows.length; i++) {
      boolean padding = layout.ids()[i] == padId;
      rows[i] = padding ? padId : layout.positions()[i] + offset;
    }
    return rows;
  }

  /** Sines in the first half of the features, cosines in the other (arXiv 1706.03762, 3.5). */
  private static float[] marian(int rows, int width) {
    float[] values = new float[Math.multiplyExact(rows, width)];
    int half = (width + 1) / 2;
    for (int p = 0; p < rows; p++) {
      for (int j = 0; j < width; j++) {
        double angle = p / Math.pow(10000, 2.0 * (j / 2) / width);
        int at = p * width + j / 2 + (j % 2 == 0 ? 0 : half);
        values[at] = (float) (j % 2 == 0 ? Math.sin(angle) : Math.cos(angle));
      }
    }
    return values;
  }

  /** The same with other frequencies, in float as fairseq has them, and 0 for padding. */
  private static float[] m2m(int rows, int width, int padId) {
    float[] values = new float[Math.multiplyExact(rows, width)];
    int half = width / 2;
    float step = (float) -(Math.log(10000) / (half - 1));
    for (int i = 0; i < half; i++) {
      float frequency = (float) Math.exp(i * step);
      for (int p = 0; p < rows; p++) {
        float angle = p * frequency;
        values[p * width + i] = p == padId ? 0 : (float) Math.sin(angle);
        values[p * width + half + i] = p == padId ? 0 : (float) Math.cos(angle);
      }
    }
    return values;
  }
}
