package dev.gatun.test.goldens;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.gatun.kernels.api.call.matmul.QuantizedActivations;
import dev.gatun.kernels.api.memory.BlockFormat;
import dev.gatun.kernels.api.memory.DType;
import dev.gatun.models.AutoModel;
import dev.gatun.models.EncoderModel;
import dev.gatun.models.EncoderOutput;
import dev.gatun.nn.WeightType;
import dev.gatun.tensor.Device;
import dev.gatun.weights.AwqMethod;
import dev.gatun.weights.GptqMethod;
import dev.gatun.weights.QuantizationMethod;
import dev.gatun.weights.TensorFile;
import java.io.IOException;
import java.lang.foreign.ValueLayout;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.stream.Stream;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.MethodSource;

/** Models whose linear layers GPTQ or AWQ has quantised. */
final class QuantizedCheckpointsTest {
  private static final Path FOLDER = Path.of("goldens", "quantized");
  private static final String LAYER = "bert.encoder.layer.0.";

  static List<Path> cases() throws IOException {
    try (Stream<Path> folders = Files.list(FOLDER)) {
      return folders.sorted().toList();
    }
  }

  /**
   * Codes, scales and zero points are exact, so what is left is the rounding of products in F32: at
   * most (k + 2) 2^-24 of Σ|x w|, with k of 256 1.5e-5, of which a norm and two products follow
   * each other. The goldens' bound of 1e-4 is that of any F32 encoder.
   */
  @ParameterizedTest
  @MethodSource("cases")
  void equals_the_weights_that_the_codes_mean(Path folder) throws IOException {
    Goldens.check(folder, Device.cpu());
  }

  @ParameterizedTest
  @MethodSource("cases")
  void other_weight_types_are_near(Path folder) throws IOException {
    near(folder, WeightType.BF16, 0.9995);
    near(folder, WeightType.INT8, 0.999);
    WeightType blocks =
        WeightType.quantized(BlockFormat.int8(64), QuantizedActivations.INT8_BLOCKS);
    near(folder, blocks, 0.999);
  }

  private static void near(Path folder, WeightType type, double least) throws IOException {
    try (TensorFile expected = TensorFile.open(folder.resolve("expected.safetensors"));
        EncoderModel model = AutoModel.load(folder, type);
        EncoderOutput output = model.forward(Goldens.inputs(expected))) {
      float[] got = output.hiddenStates().getLast().toFloatArray();
      TensorFile.Entry want = expected.get("out.hidden_states.1");
      double product = 0;
      double ours = 0;
      double theirs = 0;
      for (int i = 0; i < got.length; i++) {
        // Rows of padding are 0 here and something there.
        double right = got[i] == 0 ? 0 : want.data().getAtIndex(ValueLayout.JAVA_FLOAT, i);
        product += got[i] * right;
        ours += (double) got[i] * got[i];
        theirs += right * right;
      }
      double cosine = product / Math.sqrt(ours * theirs);
      assertTrue(cosine >= least, folder + " as " + type + ": cosine " + cosine);
    }
  }

  static Stream<Arguments> formats() {
    return Stream.of(
        Arguments.of("gptq-sym", new GptqMethod(4, 128, false, true, false), "output", "INT4:128"),
        Arguments.of(
            "gptq-asym", new GptqMethod(4, 64, false, false, false), "output", "INT4_ZERO:64"),
        Arguments.of(
            "gptq-act-order", new GptqMethod(4, 32, true, false, false), "output", "INT4_ZERO:32"),
        Arguments.of(
            "gptq-float-scales", new GptqMethod(4, 64, false, false, false), "output", "INT8:64"),
        Arguments.of(
            "gptq-channel", new GptqMethod(4, -1, false, false, false), "output", "INT4_ZERO:128"),
        Arguments.of("gptq-8-sym", new GptqMethod(8, 64, true, true, false), "output", "INT8:64"),
        Arguments.of(
            "gptq-8-asym", new GptqMethod(8, -1, false, false, false), "output", "INT8_ZERO:128"),
        Arguments.of("awq", new AwqMethod(32, true), "output", "INT4_ZERO:32"),
        Arguments.of("awq-sym", new AwqMethod(64, false), "output", "INT4:64"));
  }

  @ParameterizedTest
  @MethodSource("formats")
  void blocks_hold_the_numbers_of_the_file(
      String golden, QuantizationMethod method, String layer, String format) throws IOException {
    try (TensorFile file = TensorFile.open(FOLDER.resolve(golden))) {
      assertEquals(
          format, method.read(file, LAYER + layer + ".dense", 64, 256).format().toString());
    }
  }

  @ParameterizedTest
  @CsvSource({"gptq-sym, F32", "gptq-act-order-apart, F32", "awq, BF16"})
  void products_keep_the_codes_and_not_floats(String golden, DType dtype) throws IOException {
    long before = Device.cpu().memory().allocatedBytes();
    long parameters = 4 * 64 * 64 + 2 * 64 * 256;
    try (EncoderModel model = AutoModel.load(FOLDER.resolve(golden), dtype)) {
      long held = Device.cpu().memory().allocatedBytes() - before;
      long embeddings = (40 + 16 + 2) * 64 * 4;
      long dense = 2 * 64 * 64 * 4 + 32 * 64 * 4;
      assertTrue(held < embeddings + dense + parameters * 3 / 2, model + " holds " + held);
    }
  }
}
