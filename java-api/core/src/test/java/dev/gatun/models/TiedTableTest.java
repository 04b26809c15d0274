package dev.gatun.models;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.gatun.weights.WeightsException;
import java.io.IOException;
import java.nio.file.Path;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** Files of decoders whose output layer is the table of the vocabulary. */
final class TiedTableTest {
  private static final long[][] IDS = {{16, 76, 36, 79, 80}, {83, 31, 89}};
  private static final String TIED = "gpt2,transformer.wte\nllama-gqa,model.embed_tokens";

  @TempDir private Path folder;

  private static float[] logits(Path directory) throws IOException {
    try (CausalLm model = AutoModel.loadCausalLm(directory);
        CausalLmOutput output = model.forward(CausalLmInputs.of(IDS))) {
      return output.logits().toFloatArray();
    }
  }

  /**
   * Such files are written by what knows nothing of the model, and keeps the first of two names.
   */
  @ParameterizedTest
  @CsvSource(textBlock = TIED)
  void it_may_have_either_name(String golden, String table) throws IOException {
    ModelFiles files = ModelFiles.read("decoders/" + golden);
    files.tensors.put("lm_head.weight", files.tensors.remove(table + ".weight"));
    files.write(folder);
    assertArrayEquals(logits(ModelFiles.GOLDENS.resolve("decoders/" + golden)), logits(folder));
  }

  /** As in transformers, what the file has goes before what the configuration says. */
  @ParameterizedTest
  @CsvSource(textBlock = TIED)
  void another_layer_in_the_file_is_the_output_layer(String golden, String table)
      throws IOException {
    ModelFiles files = ModelFiles.read("decoders/" + golden);
    ModelFiles.Stored stored = files.tensors.get(table + ".weight");
    files.tensors.put("lm_head.weight", stored.moved(29));
    files.write(folder);
    float[] want = logits(ModelFiles.GOLDENS.resolve("decoders/" + golden));
    float[] got = logits(folder);
    int rows = (int) stored.shape()[0];
    float[] back = new float[got.length];
    for (int i = 0; i < got.length; i++) {
      back[i] = got[i / rows * rows + (i % rows + 29) % rows];
    }
    assertArrayEquals(want, back, 1e-5f);
  }

  @Test
  void an_output_layer_of_its_own_must_be_there() throws IOException {
    ModelFiles files = ModelFiles.read("decoders/llama");
    files.tensors.remove("lm_head.weight");
    files.write(folder);
    String message = assertThrows(WeightsException.class, () -> logits(folder)).getMessage();
    assertTrue(message.contains("lm_head.weight"), message);
  }
}
