package dev.gatun.generation;

import dev.gatun.text.ControlTokens;
import dev.gatun.text.EncodeOptions;
import dev.gatun.text.Encoding;
import dev.gatun.text.SpecialTokens;
import dev.gatun.text.TokenBytes;
import dev.gatun.text.Tokenizer;
import java.nio.charset.StandardCharsets;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalInt;
import java.util.Set;

/** Tokens of one to three letters. */
final class Letters implements Tokenizer {
  static final List<String> TOKENS =
      List.of("a", "", "b", "ab", "ba", "abc", "c", "ca", "bb", "cc", "aa", "cb", "d");

  @Override
  public Encoding encode(String text, EncodeOptions options) {
    int n = text.length();
    long[] ids = new long[n];
    for (int i = 0; i < n; i++) {
      // What is no token is the one without a text.
      ids[i] = known(text.substring(i, i + 1));
    }
    return new Encoding(
        ids,
        ids,
        new String[n],
        new int[n],
        new int[n],
        new int[n],
        new boolean[n],
        new int[n],
        false,
        0);
  }

  private static int known(String token) {
    int id = TOKENS.indexOf(token);
    return id < 0 ? 1 : id;
  }

  @Override
  public Encoding encode(String text, String pair, EncodeOptions options) {
    throw new UnsupportedOperationException();
  }

  @Override
  public List<Encoding> encodeWindows(String text, EncodeOptions options) {
    throw new UnsupportedOperationException();
  }

  @Override
  public List<Encoding> encodeWindows(String text, String pair, EncodeOptions options) {
    throw new UnsupportedOperationException();
  }

  @Override
  public String decode(long[] ids, boolean skipSpecialTokens) {
    StringBuilder text = new StringBuilder();
    for (long id : ids) {
      text.append(TOKENS.get((int) id));
    }
    return text.toString();
  }

  @Override
  public int vocabSize() {
    return TOKENS.size();
  }

  @Override
  public OptionalInt tokenToId(String token) {
    return OptionalInt.of(TOKENS.indexOf(token));
  }

  @Override
  public Optional<String> idToToken(long id) {
    return Optional.of(TOKENS.get((int) id));
  }

  @Override
  public ControlTokens controlTokens() {
    return new ControlTokens(Map.of(), Set.of());
  }

  @Override
  public SpecialTokens specialTokens() {
    OptionalInt none = OptionalInt.empty();
    return new SpecialTokens(none, none, none, none, none, none, none);
  }

  @Override
  public OptionalInt modelMaxLength() {
    return OptionalInt.empty();
  }

  @Override
  public TokenBytes tokenBytes() {
    byte[][] bytes =
        TOKENS.stream().map(t -> t.getBytes(StandardCharsets.UTF_8)).toArray(byte[][]::new);
    return new TokenBytes(bytes, false);
  }

  @Override
  public void close() {}
}
