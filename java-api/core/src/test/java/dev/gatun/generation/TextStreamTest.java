package dev.gatun.generation;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

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
import java.util.Random;
import java.util.Set;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** Text that comes in a stream, and ends at stop strings, is that of all tokens. */
final class TextStreamTest {
  /** Tokens of one to three letters. */
  private static final class Letters implements Tokenizer {
    private static final List<String> TOKENS =
        List.of("a", "", "b", "ab", "ba", "abc", "c", "ca", "bb", "cc", "aa", "cb", "d");

    @Override
    public Encoding encode(String text, EncodeOptions options) {
      int n = text.length();
      long[] ids = new long[n];
      for (int i = 0; i < n; i++) {
        ids[i] = TOKENS.indexOf(text.substring(i, i + 1));
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
    public void close() {}
  }

  @ParameterizedTest
  @ValueSource(longs = {1, 2, 3})
  void stops_end_the_text_with_the_stream_and_without(long seed) {
    Random random = new Random(seed);
    Letters letters = new Letters();
    GenerationConfig plain =
        GenerationConfig.builder().maxNewTokens(30).eosTokenId(List.of(1)).build();
    int stopped = 0;
    try (TextGenerator generator =
        new TextGenerator(
            new TableModel(80, 8, 200),
            null,
            letters,
            new GenerationDefaults(plain, List.of()),
            GeneratorOptions.defaults())) {
      for (int round = 0; round < 150; round++) {
        StringBuilder prompt = new StringBuilder();
        List<String> stops = new ArrayList<>();
        for (int i = 0; i < 5; i++) {
          prompt.append((char) ('a' + random.nextInt(3)));
        }
        for (int i = random.nextInt(2); i >= 0; i--) {
          StringBuilder stop = new StringBuilder();
          for (int j = 0; j <= 1 + random.nextInt(3); j++) {
            stop.append((char) ('a' + random.nextInt(3)));
          }
          stops.add(stop.toString());
        }
        GenerationConfig config =
            plain.toBuilder()
                .doSample(true)
                .temperature(1)
                .seed(round)
                .numBeams(1 + random.nextInt(2))
                .build();
        String all = generator.generate(prompt.toString(), config).text();
        GenerationConfig stopping = config.toBuilder().stopStrings(stops).build();
        if (config.numBeams() > 1) {
          // Beams that stop leave others, so their text is another; it has no stop all the same.
          Completion best =
              generator.generate(prompt.toString(), stopping).completions().getFirst();
          stops.forEach(stop -> assertTrue(!best.text().contains(stop), best.text()));
          continue;
        }
        StringBuilder streamed = new StringBuilder();
        GenerationStream stream = generator.stream(prompt.toString(), stopping);
        stream.forEach(chunk -> streamed.append(chunk.text()));
        Completion completion = stream.result().completions().getFirst();
        StopStrings finder = new StopStrings(stops);
        String expected = finder.add(all) + finder.finish();
        assertEquals(expected, completion.text(), all + " " + stops);
        assertEquals(expected, streamed.toString());
        assertEquals(finder.found(), completion.stopString());
        stopped += finder.found().isPresent() ? 1 : 0;
      }
    }
    assertTrue(stopped > 20, "stopped " + stopped);
  }
}
