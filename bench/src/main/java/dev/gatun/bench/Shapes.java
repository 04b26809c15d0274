package dev.gatun.bench;

/** The sizes of kernels' cases, as the suites and the JMH benchmarks have them. */
final class Shapes {
  private Shapes() {}

  /** Rows of matrices that are many times as large as the last cache. */
  static final String ROWS = "8192";

  static final String COLUMNS = "4096";

  /** Rows of activations: a token, a small batch of them, a prompt. */
  static final String ONE = "1";

  static final String FEW = "16";

  static final String MANY = "128";

  /** Features of a layer. */
  static final String FEATURES = "4096";

  /** Experts of a layer, its features, and those inside: Mixtral's, a quarter as wide. */
  static final String EXPERTS = "8x1024x3584";

  /** Heads of attention and of rotary embedding, and their size. */
  static final String HEADS = "32";

  static final String HEAD_SIZE = "128";

  /** Tokens of a sequence. */
  static final String LENGTH = "512";

  /** A case's sizes in its name. */
  static String sizes(Object... sizes) {
    StringBuilder text = new StringBuilder();
    for (Object size : sizes) {
      text.append(text.isEmpty() ? "" : "x").append(size);
    }
    return text.toString();
  }
}
