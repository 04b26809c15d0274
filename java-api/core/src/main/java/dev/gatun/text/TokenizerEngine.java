package dev.gatun.text;

/**
 * What turns text into tokens by a tokenizer.json, cut and padded by nothing. Safe for use by
 * several threads: {@link #close} waits for calls that run, and later ones throw
 * IllegalStateException.
 */
public interface TokenizerEngine extends AutoCloseable {
  /**
   * {@return all tokens of a text or a pair of texts}
   *
   * @param text any Java string; surrogates without a partner are read as U+FFFD
   * @param pair the second text, or null
   * @param addSpecialTokens whether to add those of the template
   */
  Encoding encode(String text, String pair, boolean addSpecialTokens);

  /**
   * {@return the ids and type ids that {@link #encode} gives a text, without the rest, where making
   * that takes time}
   *
   * @param text any Java string; surrogates without a partner are read as U+FFFD
   * @param addSpecialTokens whether to add those of the template
   */
  default InputIds inputIds(String text, boolean addSpecialTokens) {
    return InputIds.of(encode(text, null, addSpecialTokens));
  }

  /**
   * {@return all tokens of a text that a model is to write, where it spells these by other rules
   * than those that it reads; else those of {@link #encode}}
   *
   * @param text any Java string; surrogates without a partner are read as U+FFFD
   * @param addSpecialTokens whether to add those of the template
   */
  default Encoding encodeTarget(String text, boolean addSpecialTokens) {
    return encode(text, null, addSpecialTokens);
  }

  /**
   * {@return the text of ids of the vocabulary}
   *
   * @param ids all of the vocabulary [length]
   * @param skipSpecialTokens whether special tokens are left out
   */
  String decode(long[] ids, boolean skipSpecialTokens);

  @Override
  void close();
}
