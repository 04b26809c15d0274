package dev.gatun.text.chat;

import dev.gatun.text.Tokenizer;
import dev.gatun.text.TokenizerException;
import dev.gatun.text.jinja.Text;

/** A conversation as a model reads it. Its characters know whether the template wrote them. */
public final class Prompt {
  private final Text text;
  // Where it ends in the text, which a message that is gone on with may be behind.
  private final String value;

  Prompt(Text text, int length) {
    this.text = text;
    this.value = text.toString().substring(0, length);
  }

  /**
   * {@return whether the template wrote all characters from {@code start} to before {@code end},
   * and none of them came in a message, a tool, a document or a variable}
   *
   * @param start an index into the Java string (UTF-16), from 0
   * @param end the index after the last one, at most the string's length
   */
  public boolean fromTemplate(int start, int end) {
    return text.fromTemplate(start, end);
  }

  /**
   * {@return this prompt with more of the template's own words behind it, such as what a tool's
   * call begins with}
   *
   * @param words among which control tokens may be spelt
   * @throws IllegalArgumentException if it goes on with a message
   */
  public Prompt followedBy(String words) {
    if (value.length() < text.toString().length()) {
      throw new IllegalArgumentException(
          "the prompt goes on with a message, and no other words may follow it");
    }
    Text more = text.plus(Text.template(words));
    return new Prompt(more, more.toString().length());
  }

  /**
   * {@return its tokens [length]} Those that steer the model come of the template's own words
   * alone, whatever the messages spell; nothing is added, so that it begins a sequence just if the
   * template says so.
   *
   * @param tokenizer the model's
   * @throws TokenizerException if one character of a message by itself is such a token
   */
  public long[] encode(Tokenizer tokenizer) {
    return new PromptEncoder(tokenizer, this).ids();
  }

  /** The text. */
  @Override
  public String toString() {
    return value;
  }
}
