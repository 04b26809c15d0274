package dev.gatun.test.goldens;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.gatun.kernels.api.memory.DType;
import dev.gatun.kernels.api.memory.Storage;
import dev.gatun.nn.Compute;
import dev.gatun.tensor.Device;
import java.io.IOException;
import java.nio.file.Path;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** Encoders whose residual stream is BF16: near the ones with F32, and not the same. */
final class ResidualStreamTest {
  @ParameterizedTest
  @ValueSource(
      strings = {
        "bert-tokens",
        "roberta-mlm",
        "distilbert-qa",
        "electra-classify",
        "deberta-classify",
        "deberta-v2-mlm",
        "mpnet-tokens",
        "albert-groups",
        "modernbert-tokens",
        "nomic-bert-mlm",
        "gte-mlm"
      })
  void a_narrow_stream_stays_near_a_wide_one(String golden) throws IOException {
    Path folder = Path.of("goldens", golden);
    float[] wide = hidden(folder, Compute.EXACT);
    float[] narrow = hidden(folder, Compute.EXACT.withResidual(DType.BF16));
    assertEquals(wide.length, narrow.length);
    double product = 0;
    double ours = 0;
    double theirs = 0;
    double largest = 0;
    for (int i = 0; i < wide.length; i++) {
      product += (double) wide[i] * narrow[i];
      ours += (double) narrow[i] * narrow[i];
      theirs += (double) wide[i] * wide[i];
      largest = Math.max(largest, Math.abs(wide[i] - narrow[i]));
    }
    double cosine = product / Math.sqrt(ours * theirs);
    assertTrue(cosine >= 0.999, golden + ": cosine " + cosine);
    assertTrue(largest > 0, golden + " is the same");
  }

  private static float[] hidden(Path folder, Compute compute) throws IOException {
    return EncoderRuns.lastHidden(folder, Device.cpu(), Storage.BF16, compute);
  }
}
