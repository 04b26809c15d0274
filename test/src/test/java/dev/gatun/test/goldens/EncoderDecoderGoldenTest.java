package dev.gatun.test.goldens;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.gatun.kernels.api.memory.Storage;
import dev.gatun.models.AutoModel;
import dev.gatun.models.EncoderModel;
import dev.gatun.models.EncoderOutput;
import dev.gatun.models.Head;
import dev.gatun.models.Seq2SeqLm;
import dev.gatun.models.Seq2SeqOutput;
import dev.gatun.nn.Compute;
import dev.gatun.tensor.Device;
import dev.gatun.tensor.Tensor;
import dev.gatun.weights.TensorFile;
import java.io.IOException;
import java.lang.foreign.ValueLayout;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;
import org.junit.jupiter.params.provider.ValueSource;

/** Every encoder-decoder among the goldens gives what the reference implementation gave. */
final class EncoderDecoderGoldenTest {
  @TempDir private Path scratch;

  static List<Path> cases() throws IOException {
    return EncoderDecoderGoldens.cases();
  }

  @ParameterizedTest
  @MethodSource("cases")
  void equals_the_reference(Path folder) throws IOException {
    EncoderDecoderGoldens.check(folder, Device.cpu());
  }

  /** The directory of both loads as the encoder, as for vectors of sentences. */
  @ParameterizedTest
  @ValueSource(strings = {"t5", "mt5", "umt5"})
  void an_encoder_alone_gives_the_states_of_the_encoder(String name) throws IOException {
    Path folder = Path.of("goldens/encoder-decoders", name);
    try (TensorFile expected = TensorFile.open(folder.resolve("expected.safetensors"));
        EncoderModel model =
            AutoModel.load(folder, Head.BASE, Device.cpu(), Storage.F32, Compute.EXACT);
        EncoderOutput output = model.forward(Goldens.inputs(expected))) {
      long[][] mask = Goldens.longs(expected, "in.attention_mask");
      List<Tensor> states = output.hiddenStates();
      for (int i = 0; i < states.size(); i++) {
        Goldens.compare(expected, "out.encoder_hidden_states." + i, states.get(i), mask);
      }
      String last = "out.encoder_hidden_states." + (states.size() - 1);
      assertTrue(expected.names().contains(last));
      Goldens.compare(expected, last, output.lastHiddenState(), mask);
      assertTrue(model.unusedWeights().stream().anyMatch(each -> each.startsWith("decoder.")));
      assertFalse(model.unusedWeights().stream().anyMatch(each -> each.startsWith("encoder.b")));
    }
  }

  /** Experts that are full drop tokens: with room for all, the scores are others. */
  @Test
  void tokens_are_dropped_where_experts_are_full() throws IOException {
    Path folder = Path.of("goldens/encoder-decoders/switch-dropped");
    Files.copy(folder.resolve("model.safetensors"), scratch.resolve("model.safetensors"));
    String config = Files.readString(folder.resolve("config.json"));
    String roomy = config.replace("\"expert_capacity\": 3", "\"expert_capacity\": 64");
    assertFalse(config.equals(roomy));
    Files.writeString(scratch.resolve("config.json"), roomy);
    try (TensorFile expected = TensorFile.open(folder.resolve("expected.safetensors"))) {
      float[] dropped = logits(folder, expected);
      float[] all = logits(scratch, expected);
      double far = 0;
      double largest = 0;
      for (int i = 0; i < all.length; i++) {
        far = Math.max(far, Math.abs(all[i] - dropped[i]));
        largest = Math.max(largest, Math.abs(all[i]));
      }
      assertTrue(far > 0.01 * largest, "no more than %g of %g apart".formatted(far, largest));
      for (String side : List.of("encoder", "decoder")) {
        assertTrue(mostOfAnExpert(expected, side) > 3, side + "s' experts have room for all");
      }
    }
  }

  private static float[] logits(Path folder, TensorFile expected) throws IOException {
    try (Seq2SeqLm model = EncoderDecoderGoldens.load(folder, Device.cpu());
        Seq2SeqOutput output = model.forward(EncoderDecoderGoldens.labelled(expected))) {
      return output.logits().toFloatArray();
    }
  }

  /** The most tokens of the first sequence, which has no padding, that want one expert. */
  private static long mostOfAnExpert(TensorFile expected, String side) {
    String name = "out." + side + "_router_logits.0";
    int tokens = (int) expected.get(name).shape()[1];
    int experts = (int) expected.get(name).shape()[2];
    float[] all = expected.get(name).data().toArray(ValueLayout.JAVA_FLOAT_UNALIGNED);
    assertEquals(3, experts);
    long[] wanted = new long[experts];
    for (int t = 0; t < tokens; t++) {
      int best = 0;
      for (int e = 1; e < experts; e++) {
        best = all[t * experts + e] > all[t * experts + best] ? e : best;
      }
      wanted[best]++;
    }
    return Arrays.stream(wanted).max().orElse(0);
  }
}
