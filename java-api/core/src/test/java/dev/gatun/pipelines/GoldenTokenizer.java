package dev.gatun.pipelines;

import dev.gatun.text.ControlTokens;
import dev.gatun.text.EncodeOptions;
import dev.gatun.text.Encoding;
import dev.gatun.text.SpecialTokens;
import dev.gatun.text.Tokenizer;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalInt;
import java.util.Set;
import java.util.stream.IntStream;

/** Gives a golden's token ids for the text "row N...", one token a character of it. */
final class GoldenTokenizer implements Tokenizer {
  private final long[][] ids;
  private final long[][] types;
  private final long[][] sequences;
  private final int mask;

  /**
   * @param sequences 0 for tokens of a pair's first text, 1 for those of the second
   * @param mask the id that counts as the mask token, or -1
   */
  GoldenTokenizer(long[][] ids, long[][] types, long[][] sequences, int mask) {
    this.ids = ids;
    this.types = types;
    this.sequences = sequences;
    this.mask = mask;
  }

  /** Long enough that every token has its character. */
  static String text(int row) {
    return "row " + row + ".".repeat(200);
  }

  @Override
  public Encoding encode(String text, EncodeOptions options) {
    int row = Integer.parseInt(text.substring("row ".length(), text.indexOf('.')));
    int length = ids[row].length;
    int[] starts = IntStream.range(0, length).toArray();
    int[] ends = IntStream.rangeClosed(1, length).toArray();
    int[] of = Arrays.stream(sequences[row]).mapToInt(each -> (int) each).toArray();
    return new Encoding(
        ids[row],
        types[row],
        Arrays.stream(ids[row]).mapToObj(Long::toString).toArray(String[]::new),
        starts,
        ends,
        starts,
        new boolean[length],
        of,
        false,
        0);
  }

  @Override
  public Encoding encode(String text, String pair, EncodeOptions options) {
    return encode(text, options);
  }

  @Override
  public List<Encoding> encodeWindows(String text, EncodeOptions options) {
    return new ArrayList<>(List.of(encode(text, options)));
  }

  @Override
  public List<Encoding> encodeWindows(String text, String pair, EncodeOptions options) {
    return encodeWindows(text, options);
  }

  @Override
  public String decode(long[] tokens, boolean skipSpecialTokens) {
    return Arrays.toString(tokens);
  }

  @Override
  public int vocabSize() {
    return Integer.MAX_VALUE;
  }

  @Override
  public OptionalInt tokenToId(String token) {
    return OptionalInt.of(Integer.parseInt(token));
  }

  @Override
  public Optional<String> idToToken(long id) {
    return Optional.of(Long.toString(id));
  }

  @Override
  public ControlTokens controlTokens() {
    return new ControlTokens(Map.of(), Set.of());
  }

  @Override
  public SpecialTokens specialTokens() {
    OptionalInt none = OptionalInt.empty();
    return new SpecialTokens(none, none, none, OptionalInt.of(mask), none, none, none);
  }

  @Override
  public OptionalInt modelMaxLength() {
    return OptionalInt.empty();
  }

  @Override
  public void close() {}
}
