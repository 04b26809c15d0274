package dev.gatun.text.hf;

import ai.djl.huggingface.tokenizers.HuggingFaceTokenizer;
import java.io.IOException;
import java.io.InputStream;
import java.util.Properties;

/** The native library that runs the tokenizers. */
public final class TokenizerLibrary {
  private static final String RESOURCE = "/native/lib/tokenizers.properties";

  private TokenizerLibrary() {}

  /**
   * The version of the library in DJL's jar, as its publishers write it: of Hugging Face's
   * tokenizers, then of DJL, {@code 0.21.0-0.38.0}; {@code unknown} when the jar does not tell.
   */
  public static String version() {
    try (InputStream in = HuggingFaceTokenizer.class.getResourceAsStream(RESOURCE)) {
      Properties properties = new Properties();
      if (in != null) {
        properties.load(in);
      }
      return properties.getProperty("version", "unknown");
    } catch (IOException e) {
      return "unknown";
    }
  }
}
