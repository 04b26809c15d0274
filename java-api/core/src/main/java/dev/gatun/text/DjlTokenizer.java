package dev.gatun.text;

import ai.djl.huggingface.tokenizers.HuggingFaceTokenizer;
import ai.djl.huggingface.tokenizers.jni.CharSpan;
import java.io.ByteArrayInputStream;
import java.io.IOException;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Optional;
import java.util.OptionalInt;
import java.util.concurrent.locks.ReadWriteLock;
import java.util.concurrent.locks.ReentrantReadWriteLock;
import java.util.function.Supplier;

/** Hugging Face's tokenizers through DJL's bindings. */
final class DjlTokenizer implements Tokenizer {
  private static final Map<String, String> OPTIONS =
      Map.of("truncation", "false", "padding", "false", "addSpecialTokens", "true");

  /** Keeps DJL from the network: no telemetry, and its CPU library, which is in its jar. */
  private static final Map<String, String> OFFLINE =
      Map.of("OPT_OUT_TRACKING", "true", "RUST_FLAVOR", "cpu");

  private final HuggingFaceTokenizer tokenizer;
  private final TokenizerFiles files;
  private final ReadWriteLock lock = new ReentrantReadWriteLock();
  private boolean closed;

  private DjlTokenizer(HuggingFaceTokenizer tokenizer, TokenizerFiles files) {
    this.tokenizer = tokenizer;
    this.files = files;
  }

  static DjlTokenizer create(TokenizerFiles files) throws IOException {
    synchronized (DjlTokenizer.class) {
      Map<String, String> before = new HashMap<>();
      OFFLINE.forEach((key, value) -> before.put(key, System.setProperty(key, value)));
      try {
        var stream = new ByteArrayInputStream(files.json());
        return new DjlTokenizer(HuggingFaceTokenizer.newInstance(stream, OPTIONS), files);
      } catch (RuntimeException e) {
        throw new TokenizerException(files.source() + ": " + e.getMessage(), e);
      } finally {
        before.forEach(DjlTokenizer::restore);
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
  public Encoding encode(String text, EncodeOptions options) {
    return Truncation.cut(whole(text, null, options), options, false);
  }

  @Override
  public Encoding encode(String text, String pair, EncodeOptions options) {
    Objects.requireNonNull(pair, "pair");
    return Truncation.cut(whole(text, pair, options), options, true);
  }

  @Override
  public List<Encoding> encodeWindows(String text, EncodeOptions options) {
    return Truncation.windows(whole(text, null, options), options, false);
  }

  @Override
  public List<Encoding> encodeWindows(String text, String pair, EncodeOptions options) {
    Objects.requireNonNull(pair, "pair");
    return Truncation.windows(whole(text, pair, options), options, true);
  }

  private Encoding whole(String text, String pair, EncodeOptions options) {
    String first = Utf16.repair(Objects.requireNonNull(text, "text"));
    String second = pair == null ? null : Utf16.repair(pair);
    boolean add = options.addSpecialTokens();
    var encoding =
        open(
            () ->
                second == null
                    ? tokenizer.encode(first, add, false)
                    : tokenizer.encode(first, second, add, false));
    return convert(encoding, Utf16.indexes(first), second == null ? null : Utf16.indexes(second));
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
    long[] checked = ids.clone();
    for (int i = 0; i < checked.length; i++) {
      if (files.vocabulary().token(checked[i]) == null) {
        throw new IllegalArgumentException(
            "ids[%d] is %d, not in the vocabulary of %d tokens"
                .formatted(i, checked[i], vocabSize()));
      }
    }
    return open(() -> tokenizer.decode(checked, skipSpecialTokens));
  }

  /** The result of {@code call}, during which the native tokenizer stays. */
  private <T> T open(Supplier<T> call) {
    lock.readLock().lock();
    try {
      if (closed) {
        throw new IllegalStateException("the tokenizer of " + files.source() + " is closed");
      }
      return call.get();
    } catch (RuntimeException e) {
      throw closed ? e : new TokenizerException(files.source() + ": " + e.getMessage(), e);
    } finally {
      lock.readLock().unlock();
    }
  }

  @Override
  public int vocabSize() {
    return files.vocabulary().size();
  }

  @Override
  public OptionalInt tokenToId(String token) {
    Integer id = files.vocabulary().id(token);
    return id == null ? OptionalInt.empty() : OptionalInt.of(id);
  }

  @Override
  public Optional<String> idToToken(long id) {
    return Optional.ofNullable(files.vocabulary().token(id));
  }

  @Override
  public SpecialTokens specialTokens() {
    return files.special();
  }

  @Override
  public OptionalInt modelMaxLength() {
    return files.modelMaxLength();
  }

  @Override
  public void close() {
    lock.writeLock().lock();
    try {
      closed = true;
      tokenizer.close();
    } finally {
      lock.writeLock().unlock();
    }
  }
}
