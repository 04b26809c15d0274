package dev.gatun.text.hf;

import ai.djl.huggingface.tokenizers.HuggingFaceTokenizer;
import ai.djl.huggingface.tokenizers.jni.CharSpan;
import dev.gatun.text.Encoding;
import dev.gatun.text.TokenizerEngine;
import java.io.ByteArrayInputStream;
import java.io.IOException;
import java.util.HashMap;
import java.util.Map;

/** Hugging Face's tokenizers through DJL's bindings. */
final class HuggingFaceEngine implements TokenizerEngine {
  private static final Map<String, String> OPTIONS =
      Map.of("truncation", "false", "padding", "false", "addSpecialTokens", "true");

  /** Keeps DJL from the network: no telemetry, and its CPU library, which is in its jar. */
  private static final Map<String, String> OFFLINE =
      Map.of("OPT_OUT_TRACKING", "true", "RUST_FLAVOR", "cpu");

  private final HuggingFaceTokenizer tokenizer;

  private HuggingFaceEngine(HuggingFaceTokenizer tokenizer) {
    this.tokenizer = tokenizer;
  }

  static HuggingFaceEngine create(byte[] tokenizerJson) throws IOException {
    synchronized (HuggingFaceEngine.class) {
      Map<String, String> before = new HashMap<>();
      OFFLINE.forEach((key, value) -> before.put(key, System.setProperty(key, value)));
      try {
        var stream = new ByteArrayInputStream(tokenizerJson);
        return new HuggingFaceEngine(HuggingFaceTokenizer.newInstance(stream, OPTIONS));
      } finally {
        before.forEach(HuggingFaceEngine::restore);
      }
    }
  }

  private static void restore(String key, String value) {
    if (value == null) {
      System.clearProperty(key);
    } else {
      System.setProperty(key, value);
    }
  }

  @Override
  public Encoding encode(String text, String pair, boolean addSpecialTokens) {
    String first = Utf16.repair(text);
    if (pair == null) {
      return convert(tokenizer.encode(first, addSpecialTokens, false), Utf16.indexes(first), null);
    }
    String second = Utf16.repair(pair);
    return convert(
        tokenizer.encode(first, second, addSpecialTokens, false),
        Utf16.indexes(first),
        Utf16.indexes(second));
  }

  private static Encoding convert(
      ai.djl.huggingface.tokenizers.Encoding from, int[] first, int[] second) {
    int n = from.getIds().length;
    int[] starts = new int[n];
    int[] ends = new int[n];
    int[] words = new int[n];
    int[] sequences = new int[n];
    boolean[] special = new boolean[n];
    for (int i = 0; i < n; i++) {
      sequences[i] = (int) from.getSequenceIds()[i];
      words[i] = (int) from.getWordIds()[i];
      special[i] = sequences[i] < 0;
      CharSpan span = from.getCharTokenSpans()[i];
      if (!special[i] && span != null) {
        int[] indexes = sequences[i] == 0 ? first : second;
        starts[i] = indexes == null ? span.getStart() : indexes[span.getStart()];
        ends[i] = indexes == null ? span.getEnd() : indexes[span.getEnd()];
      }
    }
    return new Encoding(
        from.getIds(),
        from.getTypeIds(),
        from.getTokens(),
        starts,
        ends,
        words,
        special,
        sequences,
        false,
        0);
  }

  @Override
  public String decode(long[] ids, boolean skipSpecialTokens) {
    return tokenizer.decode(ids, skipSpecialTokens);
  }

  @Override
  public void close() {
    tokenizer.close();
  }
}
