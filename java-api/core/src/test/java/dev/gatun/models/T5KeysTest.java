package dev.gatun.models;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.nio.file.Path;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** Keys that follow from others in transformers' classes of T5, and that a file may have too. */
final class T5KeysTest {
  private static final long[][] SOURCES = {{16, 76, 36, 79, 80, 12, 9, 33}, {83, 31, 89}};
  private static final long[][] TARGETS = {{0, 41, 97}, {0, 67, 30}};

  @TempDir private Path folder;

  private static float[] logits(Path directory) throws IOException {
    try (Seq2SeqLm model = AutoModel.loadSeq2SeqLm(directory);
        Seq2SeqOutput output = model.forward(Seq2SeqInputs.of(SOURCES, null, TARGETS))) {
      return output.logits().toFloatArray();
    }
  }

  /** A gate and its function have keys of their own, which go before the one that names both. */
  @ParameterizedTest
  @ValueSource(strings = {"relu", "gated-silu", "gelu"})
  void the_gate_and_the_function_go_before_feed_forward_proj(String proj) throws IOException {
    ModelFiles files = ModelFiles.read("encoder-decoders/mt5");
    files.config.put("feed_forward_proj", proj);
    files.config.put("is_gated_act", true).put("dense_act_fn", "gelu_new");
    files.write(folder);
    assertArrayEquals(logits(ModelFiles.GOLDENS.resolve("encoder-decoders/mt5")), logits(folder));
  }

  @ParameterizedTest
  @ValueSource(booleans = {false, true})
  void no_gate_goes_before_a_gated_one_and_null_is_none(boolean isNull) throws IOException {
    ModelFiles files = ModelFiles.read("encoder-decoders/t5");
    files.config.put("feed_forward_proj", "gated-gelu");
    files.config.put("is_gated_act", isNull ? null : Boolean.FALSE).put("dense_act_fn", "relu");
    files.write(folder);
    assertArrayEquals(logits(ModelFiles.GOLDENS.resolve("encoder-decoders/t5")), logits(folder));
  }

  @Test
  void they_follow_from_feed_forward_proj_where_they_are_missing() throws IOException {
    ModelFiles files = ModelFiles.read("encoder-decoders/mt5");
    files.config.remove("is_gated_act");
    files.config.remove("dense_act_fn");
    files.write(folder);
    assertArrayEquals(logits(ModelFiles.GOLDENS.resolve("encoder-decoders/mt5")), logits(folder));
  }

  @Test
  void a_function_that_is_not_known_is_named() throws IOException {
    ModelFiles files = ModelFiles.read("encoder-decoders/t5");
    files.config.put("dense_act_fn", "mish");
    files.write(folder);
    String message =
        assertThrows(IllegalArgumentException.class, () -> AutoModel.loadSeq2SeqLm(folder))
            .getMessage();
    assertTrue(message.contains("'dense_act_fn' is \"mish\", expected gelu"), message);
  }

  @Test
  void scores_are_not_scaled_where_the_key_has_null() throws IOException {
    ModelFiles files = ModelFiles.read("encoder-decoders/t5");
    files.config.put("scale_decoder_outputs", false);
    files.write(folder);
    float[] want = logits(folder);
    files.config.putNull("scale_decoder_outputs");
    files.write(folder);
    assertArrayEquals(want, logits(folder));
  }
}
