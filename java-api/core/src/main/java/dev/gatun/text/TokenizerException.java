package dev.gatun.text;

/**
 * A tokenizer's file is damaged, or a text does not fit. The message names the file or the numbers.
 */
public class TokenizerException extends IllegalArgumentException {
  private static final long serialVersionUID = 1L;

  /** An exception that says {@code message}. */
  public TokenizerException(String message) {
    super(message);
  }

  /** An exception that says {@code message}, caused by {@code cause}. */
  public TokenizerException(String message, Throwable cause) {
    super(message, cause);
  }
}
