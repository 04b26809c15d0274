package dev.gatun.generation.constraint;

/**
 * The characters that nearly all languages for text within quotes have. The tokens that consist of
 * them are most of a vocabulary, and are allowed together: see {@link TokenTrie}.
 */
final class PlainText {
  /** Neither quotes, backslashes, control characters nor ends of lines. */
  static final CodePoints SET =
      CodePoints.ALL
          .minus(CodePoints.range(0, 0x1f))
          .minus(CodePoints.of('"'))
          .minus(CodePoints.of('\\'))
          .minus(CodePoints.of(0x7f))
          .minus(CodePoints.range(0x2028, 0x2029));

  static final Utf8 UTF8 = new Utf8(SET);

  private PlainText() {}

  /** How many characters bytes are, all of them plain and whole; -1 for others. */
  static int characters(byte[] bytes) {
    int state = 0;
    int count = 0;
    for (byte each : bytes) {
      state = UTF8.step(state, each & 0xff);
      if (state == Terminal.DEAD) {
        return -1;
      }
      if (UTF8.accepts(state)) {
        count++;
        state = 0;
      }
    }
    return state == 0 ? count : -1;
  }
}
