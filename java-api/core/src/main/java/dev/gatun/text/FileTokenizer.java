package dev.gatun.text;

import dev.gatun.text.EncodeOptions.Overflow;
import java.io.IOException;
import java.util.Arrays;
import java.util.Iterator;
import java.util.List;
import java.util.Objects;
import java.util.Optional;
import java.util.OptionalInt;
import java.util.ServiceLoader;
import java.util.function.Supplier;

/** The tokenizer of a model's files: an engine, and what the files say of the tokens. */
final class FileTokenizer implements Tokenizer {
  /** More than a token has in most languages, so that one try is enough. */
  private static final int START_CHARS = 16;

  private static final int LEAST_START = 4096;

  /** Less than a token has in most languages, so that a text of as many is seldom cut. */
  private static final int FEW_CHARS = 2;

  private final TokenizerEngine engine;
  private final TokenizerFiles files;
  private volatile boolean closed;
  private TokenBytes tokenBytes;

  private FileTokenizer(TokenizerEngine engine, TokenizerFiles files) {
    this.engine = engine;
    this.files = files;
  }

  static FileTokenizer create(TokenizerFiles files) throws IOException {
    if (files.engine() != null) {
      return new FileTokenizer(files.engine(), files);
    }
    ClassLoader loader = FileTokenizer.class.getClassLoader();
    FileTokenizer tokenizer =
        create(files, ServiceLoader.load(TokenizerProvider.class, loader).iterator());
    // A call site that is linked where the stack ends fails for good: all of them are linked here.
    tokenizer.encode("a");
    return tokenizer;
  }

  static FileTokenizer create(TokenizerFiles files, Iterator<TokenizerProvider> providers)
      throws IOException {
    if (!providers.hasNext()) {
      throw new TokenizerException(
          "%s: nothing here runs tokenizers: add the dependency %s"
              .formatted(files.source(), TokenizerProvider.DEPENDENCY));
    }
    try {
      return new FileTokenizer(providers.next().open(files.json()), files);
    } catch (RuntimeException e) {
      throw new TokenizerException(files.source() + ": " + e.getMessage(), e);
    }
  }

  @Override
  public Encoding encode(String text, EncodeOptions options) {
    if (options.overflow() == Overflow.ERROR) {
      Encoding start = startOfLong(text, options);
      if (start != null && start.length() > options.maxLength()) {
        throw new TokenizerException(
            "the text has more than %d tokens, special tokens included, but maxLength is %1$d"
                .formatted(options.maxLength()));
      }
    }
    return Truncation.cut(whole(text, null, options), options, false);
  }

  @Override
  public Encoding encodeTarget(String text, EncodeOptions options) {
    Objects.requireNonNull(text, "text");
    return Truncation.cut(
        open(() -> engine.encodeTarget(text, options.addSpecialTokens())), options, false);
  }

  @Override
  public Encoding encodeStart(String text, EncodeOptions options) {
    EncodeOptions cut = options.withOverflow(Overflow.TRUNCATE);
    Encoding start = startOfLong(text, cut);
    return start == null ? encode(text, cut) : Truncation.cut(start, cut, false);
  }

  @Override
  public InputIds inputIds(String text, EncodeOptions options) {
    Objects.requireNonNull(text, "text");
    if (text.length() <= (long) FEW_CHARS * options.maxLength()) {
      InputIds made = open(() -> engine.inputIds(text, options.addSpecialTokens()));
      if (made.ids().length <= options.maxLength()) {
        return made;
      }
    }
    return Tokenizer.super.inputIds(text, options);
  }

  /**
   * The first tokens of a text that has far more characters than {@code maxLength}: more than that,
   * or all; null for other texts, and where its tokens must be made together.
   */
  private Encoding startOfLong(String text, EncodeOptions options) {
    Objects.requireNonNull(text, "text");
    long chars = Math.max(LEAST_START, (long) START_CHARS * options.maxLength());
    for (; chars < text.length(); chars *= 4) {
      TextStart.Start start = files.start().of(text, (int) chars);
      if (start == null) {
        continue;
      }
      Encoding made = whole(start.text(), null, options);
      if (start.all() || made.length() > options.maxLength()) {
        for (int i = 0; i < made.length(); i++) {
          made.starts()[i] = made.special()[i] ? 0 : start.original(made.starts()[i]);
          made.ends()[i] = made.special()[i] ? 0 : start.original(made.ends()[i]);
        }
        return made;
      }
    }
    return null;
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
    Objects.requireNonNull(text, "text");
    return open(() -> engine.encode(text, pair, options.addSpecialTokens()));
  }

  @Override
  public String decode(long[] ids, boolean skipSpecialTokens) {
    long[] checked = ids.clone();
    for (int i = 0; i < checked.length; i++) {
      if (files.written().token(checked[i]) == null) {
        throw new IllegalArgumentException(
            "ids[%d] is %d, not in the vocabulary of %d tokens"
                .formatted(i, checked[i], files.written().size()));
      }
    }
    long[] kept =
        skipSpecialTokens && !files.control().isEmpty()
            ? Arrays.stream(checked).filter(id -> !files.control().contains((int) id)).toArray()
            : checked;
    return open(() -> engine.decode(kept, skipSpecialTokens));
  }

  private <T> T open(Supplier<T> call) {
    if (closed) {
      throw new IllegalStateException("the tokenizer of " + files.source() + " is closed");
    }
    try {
      return call.get();
    } catch (RuntimeException e) {
      throw closed ? e : new TokenizerException(files.source() + ": " + e.getMessage(), e);
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
    return Optional.ofNullable(files.written().token(id));
  }

  @Override
  public SpecialTokens specialTokens() {
    return files.special();
  }

  @Override
  public ControlTokens controlTokens() {
    return files.controlTokens();
  }

  @Override
  public synchronized TokenBytes tokenBytes() {
    TokenSpelling spelling = files.spelling();
    if (spelling.kind() == TokenSpelling.Kind.OTHER) {
      throw new TokenizerException(
          files.source()
              + ": the text of its tokens depends on their neighbours; byte-level and SentencePiece"
              + " vocabularies have tokens that are bytes");
    }
    if (tokenBytes == null) {
      byte[][] bytes = new byte[files.written().lastId() + 1][];
      for (int id = 0; id < bytes.length; id++) {
        String token = files.written().token(id);
        boolean isText = token != null && !spelling.added().contains(id);
        bytes[id] = isText ? spelling.bytes(token) : null;
      }
      for (int id : files.controlTokens().ids().values()) {
        if (id < bytes.length) {
          bytes[id] = null;
        }
      }
      tokenBytes = new TokenBytes(bytes, leavesOutFirstSpace(bytes));
    }
    return tokenBytes;
  }

  private boolean leavesOutFirstSpace(byte[][] bytes) {
    for (int id = 0; id < bytes.length; id++) {
      if (bytes[id] != null && bytes[id].length > 1 && bytes[id][0] == ' ' && bytes[id][1] > ' ') {
        return !decode(new long[] {id}, true).startsWith(" ");
      }
    }
    return false;
  }

  @Override
  public Languages languages() {
    return files.languages();
  }

  @Override
  public OptionalInt modelMaxLength() {
    return files.modelMaxLength();
  }

  @Override
  public void close() {
    closed = true;
    engine.close();
  }
}
