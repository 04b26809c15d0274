package dev.gatun.chat;

/** A conversation that has no room in the model's context. */
public final class ContextLengthException extends IllegalArgumentException {
  private static final long serialVersionUID = 1L;

  private final int tokens;
  private final int maxLength;

  ContextLengthException(int tokens, int maxLength) {
    super(
        "the conversation has %d tokens, and there is room for %d with the answer: shorten its"
                .formatted(tokens, maxLength)
            + " messages, or leave out the first ones");
    this.tokens = tokens;
    this.maxLength = maxLength;
  }

  /** {@return the conversation's length in tokens} */
  public int tokens() {
    return tokens;
  }

  /** {@return the most tokens of conversation and answer together} */
  public int maxLength() {
    return maxLength;
  }
}
