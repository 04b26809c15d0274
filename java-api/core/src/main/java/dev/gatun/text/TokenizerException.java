package dev.gatun.text;

/**
 * A tokenizer's file is damaged, or a text does not fit. The message names the file or the numbers.
 */
public class TokenizerException extends IllegalArgumentException {
  private static final long serialVersionUID = 1L;

  /**
   * An exception that says {@code message}.
   *
   * @param message the file or the numbers, what is wrong, and what would be right
   */
  public TokenizerException(String message) {
    super(message);
  }

  /**
   * An exception that says {@code message}, caused by {@code cause}.
   *
   * @param message the file or the numbers, what is wrong, and what would be right
   * @param cause why; null where it is not known
   */
  public TokenizerException(String message, Throwable cause) {
    super(message, cause);
  }
}
