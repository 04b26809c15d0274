package dev.gatun.text.hf;

import ai.djl.huggingface.tokenizers.HuggingFaceTokenizer;
import ai.djl.huggingface.tokenizers.jni.CharSpan;
import ai.djl.huggingface.tokenizers.jni.TokenizersLibrary;
import dev.gatun.text.Encoding;
import dev.gatun.text.InputIds;
import dev.gatun.text.TokenizerEngine;
import java.io.ByteArrayInputStream;
import java.io.IOException;
import java.util.Map;
import java.util.concurrent.Callable;
import java.util.concurrent.locks.ReadWriteLock;
import java.util.concurrent.locks.ReentrantReadWriteLock;

/** Hugging Face's tokenizers through DJL's bindings. */
final class HuggingFaceEngine implements TokenizerEngine {
  private static final Map<String, String> OPTIONS =
      Map.of("truncation", "false", "padding", "false", "addSpecialTokens", "true");

  /** What a call makes besides its result. */
  private static final long SMALL_BYTES = 64 << 10;

  /** Of a token: three numbers, its string with characters, its span, and the references. */
  private static final long TOKEN_BYTES = 192;

  /** The most characters, and tokens, of what is short. */
  private static final int SHORT = 2048;

  private static final TokenizersLibrary NATIVE = TokenizersLibrary.LIB;

  private final HuggingFaceTokenizer tokenizer;
  private final ReadWriteLock lock = new ReentrantReadWriteLock();
  private boolean closed;

  private HuggingFaceEngine(HuggingFaceTokenizer tokenizer) {
    this.tokenizer = tokenizer;
  }

  static HuggingFaceEngine create(byte[] tokenizerJson) throws IOException {
    try {
      return TokenizerThreads.call(
          () -> {
            TokenizerLibrary.load();
            try (HeapRoom _ = HeapRoom.claim(SMALL_BYTES + 2L * tokenizerJson.length)) {
              return TokenizerLibrary.offline(
                  () -> {
                    var stream = new ByteArrayInputStream(tokenizerJson);
                    return new HuggingFaceEngine(HuggingFaceTokenizer.newInstance(stream, OPTIONS));
                  });
            }
          });
    } catch (IOException | RuntimeException e) {
      throw e;
    } catch (Exception e) {
      throw new IOException(e);
    }
  }

  @Override
  public Encoding encode(String text, String pair, boolean addSpecialTokens) {
    int chars = text.length() + (pair == null ? 0 : pair.length());
    return open(chars, () -> encodeHere(text, pair, addSpecialTokens));
  }

  @Override
  public InputIds inputIds(String text, boolean addSpecialTokens) {
    return open(
        text.length(),
        () -> {
          String repaired = Utf16.repair(text);
          Made made = make(repaired, null, addSpecialTokens);
          try (HeapRoom _ = HeapRoom.claim(SMALL_BYTES + Long.BYTES * made.ids.length)) {
            return new InputIds(made.ids, NATIVE.getTypeIds(made.encoding));
          } finally {
            NATIVE.deleteEncoding(made.encoding);
          }
        });
  }

  private Encoding encodeHere(String text, String pair, boolean addSpecialTokens) {
    String first = Utf16.repair(text);
    String second = pair == null ? null : Utf16.repair(pair);
    Made made = make(first, second, addSpecialTokens);
    long bytes = SMALL_BYTES + TOKEN_BYTES * made.ids.length + 2 * made.most;
    try (HeapRoom _ = HeapRoom.claim(bytes)) {
      int[] firstIndexes = Utf16.indexes(first);
      int[] secondIndexes = second == null ? null : Utf16.indexes(second);
      return convert(made.encoding, made.ids, firstIndexes, secondIndexes);
    } finally {
      NATIVE.deleteEncoding(made.encoding);
    }
  }

  /**
   * A native encoding, which its owner deletes.
   *
   * @param most the most tokens that it could have had
   */
  private record Made(long encoding, long[] ids, long most) {}

  private Made make(String first, String second, boolean addSpecialTokens) {
    long handle = tokenizer.getHandle();
    // A text has hardly more tokens than bytes; the ids come first and tell how many there are.
    long most = Utf16.bytes(first) + (second == null ? 0 : Utf16.bytes(second));
    try (HeapRoom _ = HeapRoom.claim(SMALL_BYTES + Long.BYTES * most)) {
      long encoding =
          second == null
              ? NATIVE.encode(handle, first, addSpecialTokens)
              : NATIVE.encodeDual(handle, first, second, addSpecialTokens);
      return new Made(encoding, NATIVE.getTokenIds(encoding), most);
    }
  }

  private static Encoding convert(long encoding, long[] ids, int[] first, int[] second) {
    int n = ids.length;
    long[] typeIds = NATIVE.getTypeIds(encoding);
    String[] tokens = NATIVE.getTokens(encoding);
    long[] wordIds = NATIVE.getWordIds(encoding);
    long[] sequenceIds = NATIVE.getSequenceIds(encoding);
    CharSpan[] spans = NATIVE.getTokenCharSpans(encoding);
    int[] starts = new int[n];
    int[] ends = new int[n];
    int[] words = new int[n];
    int[] sequences = new int[n];
    boolean[] special = new boolean[n];
    for (int i = 0; i < n; i++) {
      sequences[i] = (int) sequenceIds[i];
      words[i] = (int) wordIds[i];
      special[i] = sequences[i] < 0;
      CharSpan span = spans[i];
      if (!special[i] && span != null) {
        int[] indexes = sequences[i] == 0 ? first : second;
        starts[i] = indexes == null ? span.getStart() : indexes[span.getStart()];
        ends[i] = indexes == null ? span.getEnd() : indexes[span.getEnd()];
      }
    }
    return new Encoding(ids, typeIds, tokens, starts, ends, words, special, sequences, false, 0);
  }

  @Override
  public String decode(long[] ids, boolean skipSpecialTokens) {
    return open(
        ids.length,
        () -> {
          try (HeapRoom _ = HeapRoom.claim(SMALL_BYTES + TOKEN_BYTES * ids.length)) {
            return tokenizer.decode(ids, skipSpecialTokens);
          }
        });
  }

  /** The result of a call with so many characters or tokens. */
  private <T> T open(int size, Callable<T> call) {
    try {
      return size <= SHORT
          ? TokenizerThreads.callShort(() -> locked(call))
          : TokenizerThreads.call(() -> locked(call));
    } catch (RuntimeException e) {
      throw e;
    } catch (Exception e) {
      throw new IllegalStateException(e);
    }
  }

  /**
   * The lock is the thread's that makes the call: where a caller's stack ends while it waits for
   * another thread, the call still runs, and the tokenizer stays for it.
   */
  private <T> T locked(Callable<T> call) throws Exception {
    lock.readLock().lock();
    try {
      if (closed) {
        throw new IllegalStateException("the tokenizer is closed");
      }
      return call.call();
    } finally {
      lock.readLock().unlock();
    }
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
