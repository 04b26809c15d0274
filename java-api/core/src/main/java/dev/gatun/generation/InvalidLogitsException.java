package dev.gatun.generation;

/** A model gave logits that no token can be chosen by. */
public final class InvalidLogitsException extends RuntimeException {
  private static final long serialVersionUID = 1;

  InvalidLogitsException(String message) {
    super(message);
  }
}
