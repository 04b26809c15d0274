package dev.gatun.text.hf;

import dev.gatun.text.TokenizerEngine;
import dev.gatun.text.TokenizerProvider;
import java.io.IOException;

/** Offers Hugging Face's tokenizers. */
public final class HuggingFaceProvider implements TokenizerProvider {
  /** For the service loader. */
  public HuggingFaceProvider() {}

  @Override
  public TokenizerEngine open(byte[] tokenizerJson) throws IOException {
    return HuggingFaceEngine.create(tokenizerJson);
  }
}
