package dev.gatun.generation;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** Text that comes in a stream, and ends at stop strings, is that of all tokens. */
final class TextStreamTest {
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
