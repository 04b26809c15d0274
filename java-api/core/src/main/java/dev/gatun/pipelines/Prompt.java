package dev.gatun.pipelines;

import java.util.Objects;

/**
 * What is put before a text, such as {@code query: }.
 *
 * @param text its characters, put before those of the text as they are
 */
public record Prompt(String text) {
  /** Nothing is put before a text. */
  public static final Prompt NONE = new Prompt("");

  /** Requires the text. */
  public Prompt {
    Objects.requireNonNull(text, "text");
  }
}
