package dev.gatun.models;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.gatun.kernels.api.memory.Storage;
import dev.gatun.nn.Compute;
import dev.gatun.tensor.Device;
import dev.gatun.tensor.Scope;
import java.io.IOException;
import java.nio.file.Path;
import java.util.Arrays;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/**
 * BART tells what stands at each place of a text: what its decoder says of the text a place
 * further.
 */
final class BartMaskedLmTest {
  private static final long[][] TEXTS = {{0, 16, 76, 36, 79, 80, 2}, {0, 83, 31, 89, 2}};

  private static EncoderModel load(Path folder) throws IOException {
    return AutoModel.load(folder, Head.MASKED_LM, Device.cpu(), Storage.F32, Compute.EXACT);
  }

  @ParameterizedTest
  @ValueSource(strings = {"bart", "mbart"})
  void scores_are_those_of_both_stacks(String golden) throws IOException {
    Path folder = ModelFiles.GOLDENS.resolve("encoder-decoders/" + golden);
    float[] want;
    try (Seq2SeqLm model = AutoModel.loadSeq2SeqLm(folder);
        Seq2SeqOutput output = model.forward(Seq2SeqInputs.ofLabels(TEXTS, null, TEXTS))) {
      want = output.logits().toFloatArray();
    }
    try (EncoderModel model = load(folder);
        EncoderOutput output = model.forward(EncoderInputs.of(TEXTS));
        Scope _ = Scope.open()) {
      float[] got = output.logits().toFloatArray();
      int vocabulary = got.length / 14;
      // The second text has two places of padding.
      assertArrayEquals(
          Arrays.copyOf(want, 12 * vocabulary), Arrays.copyOf(got, 12 * vocabulary), 1e-5f);
      float[] third = model.scoresAt(new long[][] {TEXTS[0]}, null, 3).toFloatArray();
      assertArrayEquals(Arrays.copyOfRange(want, 3 * vocabulary, 4 * vocabulary), third, 1e-5f);
    }
  }

  @ParameterizedTest
  @ValueSource(strings = "bart")
  void labels_are_refused(String golden) throws IOException {
    Path folder = ModelFiles.GOLDENS.resolve("encoder-decoders/" + golden);
    try (EncoderModel model = load(folder)) {
      EncoderInputs inputs =
          new EncoderInputs(TEXTS, null, null, TEXTS, null, null, null, null, false, false);
      IllegalArgumentException e =
          assertThrows(IllegalArgumentException.class, () -> model.forward(inputs));
      assertTrue(e.getMessage().startsWith("labels: "), e.getMessage());
    }
  }
}
