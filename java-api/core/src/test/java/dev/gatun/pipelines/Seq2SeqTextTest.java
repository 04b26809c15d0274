package dev.gatun.pipelines;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;

import dev.gatun.generation.FinishReason;
import dev.gatun.generation.GenerationConfig;
import dev.gatun.generation.GenerationStream;
import dev.gatun.generation.TextGenerator;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/** What becomes of texts that are computed together. */
@Timeout(60)
final class Seq2SeqTextTest {
  private static final Path MODEL = Path.of("../../test/goldens/encoder-decoders/t5");

  /** Writes until it is cancelled: a beam search would not. */
  private static final GenerationConfig LONG =
      GenerationConfig.builder().maxNewTokens(100_000).eosTokenId(List.of()).build();

  @Test
  void those_beside_a_text_that_is_refused_are_cancelled() throws Exception {
    try (TextGenerator generator = TextGenerator.load(MODEL)) {
      GenerationStream[] first = new GenerationStream[1];
      IllegalArgumentException e =
          assertThrows(
              IllegalArgumentException.class,
              () ->
                  Seq2SeqText.results(
                      List.of("right", "wrong"),
                      text -> {
                        if (text.equals("wrong")) {
                          throw new IllegalArgumentException("refused");
                        }
                        first[0] = generator.stream(new int[] {5, 6, 7}, LONG);
                        return first[0];
                      }));
      assertEquals("refused", e.getMessage());
      assertEquals(FinishReason.CANCELLED, first[0].result().completions().getFirst().reason());
    }
  }
}
