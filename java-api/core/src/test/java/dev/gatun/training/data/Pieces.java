package dev.gatun.training.data;

import dev.gatun.text.ControlTokens;
import dev.gatun.text.EncodeOptions;
import dev.gatun.text.Encoding;
import dev.gatun.text.SpecialTokens;
import dev.gatun.text.Tokenizer;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalInt;
import java.util.Set;

/**
 * A tokenizer for tests: words between spaces, in pieces of up to three characters; [CLS] and [SEP]
 * around texts, or a token at the end.
 */
public final class Pieces implements Tokenizer {
  public static final int PAD = 0;
  public static final int UNK = 1;
  public static final int CLS = 2;
  public static final int SEP = 3;
  public static final int MASK = 4;
  public static final int EOS = 5;
  public static final int FIRST = 6;
  private static final int PIECES = 500;

  private final boolean pairs;
  private final int sentinels;

  private Pieces(boolean pairs, int sentinels) {
    this.pairs = pairs;
    this.sentinels = sentinels;
  }

  /** As BERT's. */
  public static Pieces ofBert() {
    return new Pieces(true, 0);
  }

  /** As T5's, with so many sentinels, the first of which has the highest id. */
  public static Pieces ofT5(int sentinels) {
    return new Pieces(false, sentinels);
  }

  static int id(String piece) {
    return FIRST + Math.floorMod(piece.hashCode(), PIECES);
  }

  private record Token(long id, int type, int start, int end, int word, int sequence) {}

  private static void add(List<Token> tokens, String text, int sequence) {
    int word = 0;
    for (int i = 0; i < text.length(); word++) {
      int end = text.indexOf(' ', i);
      end = end < 0 ? text.length() : end;
      for (int at = i; at < end; at += 3) {
        int last = Math.min(at + 3, end);
        String piece = text.substring(at, last);
        int id = piece.equals("?") ? UNK : id(piece);
        tokens.add(new Token(id, sequence, at, last, word, sequence));
      }
      i = end + 1;
    }
  }

  private static Token special(int id, int type) {
    return new Token(id, type, 0, 0, -1, -1);
  }

  private Encoding encoding(List<Token> first, List<Token> second, EncodeOptions options) {
    List<Token> all = new ArrayList<>();
    boolean adds = options.addSpecialTokens();
    if (adds && pairs) {
      all.add(special(CLS, 0));
    }
    all.addAll(first);
    if (adds) {
      all.add(special(pairs ? SEP : EOS, 0));
    }
    if (second != null) {
      all.addAll(second);
      all.add(special(SEP, 1));
    }
    int n = all.size();
    Encoding encoding =
        new Encoding(
            new long[n],
            new long[n],
            new String[n],
            new int[n],
            new int[n],
            new int[n],
            new boolean[n],
            new int[n],
            false,
            0);
    for (int i = 0; i < n; i++) {
      Token token = all.get(i);
      encoding.ids()[i] = token.id;
      encoding.typeIds()[i] = token.type;
      encoding.starts()[i] = token.start;
      encoding.ends()[i] = token.end;
      encoding.wordIds()[i] = token.word;
      encoding.special()[i] = token.sequence < 0;
      encoding.sequenceIds()[i] = token.sequence;
    }
    return encoding;
  }

  private int added(EncodeOptions options) {
    return !options.addSpecialTokens() ? 0 : pairs ? 2 : 1;
  }

  @Override
  public Encoding encode(String text, EncodeOptions options) {
    return encodeWindows(text, options).getFirst();
  }

  @Override
  public Encoding encode(String text, String pair, EncodeOptions options) {
    List<Token> first = new ArrayList<>();
    add(first, text, 0);
    List<Token> second = new ArrayList<>();
    add(second, pair, 1);
    while (first.size() + second.size() + 3 > options.maxLength()) {
      (first.size() > second.size() ? first : second).removeLast();
    }
    return encoding(first, second, options);
  }

  @Override
  public List<Encoding> encodeWindows(String text, EncodeOptions options) {
    List<Token> tokens = new ArrayList<>();
    add(tokens, text, 0);
    int room = options.maxLength() - added(options);
    List<Encoding> windows = new ArrayList<>();
    for (int i = 0; i == 0 || i < tokens.size(); i += room) {
      windows.add(
          encoding(
              tokens.subList(i, (int) Math.min(tokens.size(), (long) i + room)), null, options));
    }
    return windows;
  }

  @Override
  public List<Encoding> encodeWindows(String text, String pair, EncodeOptions options) {
    List<Token> first = new ArrayList<>();
    add(first, text, 0);
    List<Token> second = new ArrayList<>();
    add(second, pair, 1);
    int room = options.maxLength() - 3 - first.size();
    List<Encoding> windows = new ArrayList<>();
    int begin = 0;
    while (true) {
      int end = (int) Math.min(second.size(), (long) begin + room);
      windows.add(encoding(first, second.subList(begin, end), options));
      if (end == second.size()) {
        return windows;
      }
      begin = end - options.stride();
    }
  }

  @Override
  public String decode(long[] ids, boolean skipSpecialTokens) {
    throw new UnsupportedOperationException();
  }

  @Override
  public int vocabSize() {
    return FIRST + PIECES + sentinels;
  }

  @Override
  public OptionalInt tokenToId(String token) {
    for (int i = 0; i < sentinels; i++) {
      if (token.equals("<extra_id_" + i + ">")) {
        return OptionalInt.of(vocabSize() - 1 - i);
      }
    }
    return OptionalInt.empty();
  }

  @Override
  public Optional<String> idToToken(long id) {
    return id < 0 || id >= vocabSize() ? Optional.empty() : Optional.of("t" + id);
  }

  @Override
  public SpecialTokens specialTokens() {
    return new SpecialTokens(
        pairs ? OptionalInt.of(CLS) : OptionalInt.empty(),
        pairs ? OptionalInt.of(SEP) : OptionalInt.empty(),
        OptionalInt.of(PAD),
        pairs ? OptionalInt.of(MASK) : OptionalInt.empty(),
        OptionalInt.of(UNK),
        OptionalInt.empty(),
        pairs ? OptionalInt.empty() : OptionalInt.of(EOS));
  }

  @Override
  public ControlTokens controlTokens() {
    return new ControlTokens(Map.of(), Set.of());
  }

  @Override
  public OptionalInt modelMaxLength() {
    return OptionalInt.empty();
  }

  @Override
  public void close() {}
}
