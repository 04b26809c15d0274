package dev.gatun.test.goldens;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.gatun.compression.GgufQuantizer;
import dev.gatun.compression.ImportanceMatrix;
import dev.gatun.weights.TensorFile;
import java.io.IOException;
import java.lang.foreign.ValueLayout;
import java.nio.file.Files;
import java.nio.file.Path;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** The importance of columns is the mean square of what they are multiplied by. */
final class ImportanceMatrixTest {
  private static final Path MODEL = Path.of("goldens", "decoders", "llama");
  private static final int[] IDS = {3, 17, 60, 100, 17, 2, 9};
  private static final double EPS = 1e-6;

  @TempDir private Path folder;

  private static float[] values(TensorFile file, String name) {
    return file.get(name).data().toArray(ValueLayout.JAVA_FLOAT_UNALIGNED);
  }

  @Test
  void the_first_layers_inputs_are_the_normed_embeddings() throws IOException {
    ImportanceMatrix matrix = ImportanceMatrix.of(MODEL, IDS, null, _ -> {});
    try (TensorFile file = TensorFile.open(MODEL)) {
      float[] table = values(file, "model.embed_tokens.weight");
      float[] norm = values(file, "model.layers.0.input_layernorm.weight");
      double[] want = new double[norm.length];
      for (int id : IDS) {
        double square = 0;
        for (int i = 0; i < norm.length; i++) {
          square += Math.pow(table[id * norm.length + i], 2);
        }
        double scale = 1 / Math.sqrt(square / norm.length + EPS);
        for (int i = 0; i < norm.length; i++) {
          want[i] += Math.pow(table[id * norm.length + i] * scale * norm[i], 2) / IDS.length;
        }
      }
      for (String part : new String[] {"q", "k", "v"}) {
        float[] got = matrix.of("model.layers.0.self_attn." + part + "_proj").orElseThrow();
        for (int i = 0; i < want.length; i++) {
          assertEquals(want[i], got[i], 1e-4 * want[i], part + ", column " + i);
        }
      }
    }
    assertTrue(matrix.of("model.layers.1.mlp.down_proj").isPresent());
    assertFalse(matrix.of("model.embed_tokens").isPresent());
    assertEquals(2 * 7 + 1, matrix.layers());
  }

  @Test
  void it_changes_the_blocks_of_the_layers_that_it_has() throws IOException {
    Path plain = folder.resolve("plain.gguf");
    Path weighed = folder.resolve("weighed.gguf");
    GgufQuantizer.quantize(MODEL, plain, "Q4_0", null);
    ImportanceMatrix matrix = ImportanceMatrix.of(MODEL, IDS, null, _ -> {});
    GgufQuantizer.quantize(MODEL, weighed, "Q4_0", matrix, null);
    assertEquals(Files.size(plain), Files.size(weighed));
    assertTrue(Files.mismatch(plain, weighed) >= 0);
    // From a file of GGUF, whose rows lie in another order, it is the same.
    Path wide = folder.resolve("wide.gguf");
    GgufQuantizer.quantize(MODEL, wide, "F32", null);
    Path again = folder.resolve("again.gguf");
    ImportanceMatrix other = ImportanceMatrix.of(wide, IDS, null, _ -> {});
    GgufQuantizer.quantize(wide, again, "Q4_0", other, null);
    assertEquals(-1, Files.mismatch(weighed, again));
  }

  @Test
  void a_text_without_tokens_is_refused() {
    assertThrows(
        IllegalArgumentException.class,
        () -> ImportanceMatrix.of(MODEL, new int[0], null, _ -> {}));
  }
}
