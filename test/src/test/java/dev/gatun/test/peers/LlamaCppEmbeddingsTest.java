package dev.gatun.test.peers;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.junit.jupiter.api.Assumptions.abort;

import dev.gatun.compression.GgufQuantizer;
import dev.gatun.pipelines.EmbeddingPipeline;
import dev.gatun.test.goldens.SentenceDecoders;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** Of files of decoders that make vectors of texts, tokens and vectors are llama.cpp's. */
@Tag("full")
final class LlamaCppEmbeddingsTest {
  private static Path libraries;

  @TempDir private Path folder;

  @BeforeAll
  static void find() {
    try {
      libraries = LlamaCpp.folder();
    } catch (IOException e) {
      abort("llama.cpp cannot be had: " + e.getMessage());
    }
  }

  @Test
  void the_last_token_of_qwen3_is_the_one_that_texts_get() throws IOException {
    // Keys and values are F16 in its cache.
    compare(SentenceDecoders.qwen3(folder), 2e-3);
  }

  @ParameterizedTest
  @ValueSource(booleans = {false, true})
  void embedding_gemma_has_windows_on_both_sides_and_layers_behind(boolean dense)
      throws IOException {
    // Its gelu is out of a table of numbers of 16 bits.
    compare(SentenceDecoders.gemma3(folder, dense), 2e-3);
  }

  private void compare(Path directory, double near) throws IOException {
    Path gguf = Files.createDirectory(folder.resolve("gguf")).resolve("model.gguf");
    GgufQuantizer.quantize(directory, gguf, "F32", null);
    try (EmbeddingPipeline mine = EmbeddingPipeline.load(gguf)) {
      for (String text : SentenceDecoders.TEXTS) {
        try (LlamaCpp peer = new LlamaCpp(libraries, gguf)) {
          int[] ids = peer.tokens(text);
          assertArrayEquals(Arrays.stream(ids).asLongStream().toArray(), mine.inputIds(text));
          float[] want = peer.vector(mine.dimension(), ids);
          float[] got = mine.embed(text);
          double length = 0;
          for (float x : want) {
            length += x * x;
          }
          double worst = 0;
          for (int i = 0; i < want.length; i++) {
            worst = Math.max(worst, Math.abs(want[i] / Math.sqrt(length) - got[i]));
          }
          assertTrue(worst <= near, "'%s' is off by %s".formatted(text, worst));
        }
      }
    }
  }
}
