package dev.gatun.models;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.gatun.kernels.api.memory.BlockFormat;
import dev.gatun.kernels.api.memory.DType;
import dev.gatun.kernels.api.memory.Storage;
import dev.gatun.nn.Compute;
import dev.gatun.ops.Quantization;
import dev.gatun.tensor.Device;
import dev.gatun.tensor.Tensor;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.stream.Stream;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;
import org.junit.jupiter.params.provider.ValueSource;

/** Dense decoders whose weights are kept as bf16, f16, int8 and int4. */
class NarrowDecodersTest {
  private static final long[][] IDS = {{5, 17, 80, 3, 44, 29, 91}, {12, 6, 70}};

  @TempDir Path folder;

  private static float[] logits(Path model, Storage storage, Compute compute) throws IOException {
    try (CausalLm decoder = AutoModel.loadCausalLm(model, Device.cpu(), storage, compute);
        CausalLmOutput output = decoder.forward(CausalLmInputs.of(IDS))) {
      return output.logits().toFloatArray();
    }
  }

  private static float[] floats(ModelFiles.Stored tensor) {
    float[] values = new float[tensor.data().length / Float.BYTES];
    ByteBuffer.wrap(tensor.data()).order(ByteOrder.LITTLE_ENDIAN).asFloatBuffer().get(values);
    return values;
  }

  /** What is left is the rounding of F32; tied output layers are quantised, their tables not. */
  @ParameterizedTest
  @ValueSource(strings = {"llama", "llama-biases", "mistral", "qwen2", "phi3", "gpt-neox"})
  void blocks_give_what_the_numbers_that_they_hold_give(String name) throws IOException {
    String golden = "decoders/" + name;
    for (BlockFormat format :
        List.of(
            BlockFormat.int8(32),
            BlockFormat.int4(32),
            BlockFormat.int4WithZeros(32),
            BlockFormat.Q4_0)) {
      ModelFiles files = ModelFiles.read(golden);
      List<String> names;
      try (CausalLm model = AutoModel.loadCausalLm(ModelFiles.GOLDENS.resolve(golden))) {
        names = model.linearWeights();
      }
      for (String each : names) {
        ModelFiles.Stored old = files.tensors.get(each);
        float[] values = floats(old);
        long in = old.shape()[1];
        try (Tensor weight = Tensor.of(Device.cpu(), values, values.length / in, in);
            Tensor blocks = Quantization.quantize(weight, format);
            Tensor rounded = Quantization.dequantize(blocks, format, in)) {
          ByteBuffer bytes =
              ByteBuffer.allocate(values.length * Float.BYTES).order(ByteOrder.LITTLE_ENDIAN);
          bytes.asFloatBuffer().put(rounded.toFloatArray());
          files.tensors.put(each, new ModelFiles.Stored("F32", old.shape(), bytes.array()));
        }
      }
      Path meant = folder.resolve(format.toString().replace(':', '-'));
      Files.createDirectories(meant);
      files.write(meant);
      float[] want = logits(meant, Storage.F32, Compute.EXACT);
      float[] got = logits(ModelFiles.GOLDENS.resolve(golden), Storage.of(format), Compute.EXACT);
      assertEquals(want.length, got.length);
      double largest = 0;
      double worst = 0;
      for (int i = 0; i < want.length; i++) {
        largest = Math.max(largest, Math.abs(want[i]));
        worst = Math.max(worst, Math.abs(want[i] - got[i]));
      }
      assertTrue(worst <= 1e-4 * largest, "%s off by %g of %g".formatted(format, worst, largest));
    }
  }

  static Stream<Arguments> narrow() {
    return Stream.of(
            "llama",
            "llama-gqa",
            "mistral",
            "qwen2",
            "qwen3",
            "phi3",
            "gemma",
            "gemma2",
            "gpt2",
            "gpt-neox",
            "gptj",
            "cohere",
            "falcon",
            "bloom",
            "openai-gpt")
        .flatMap(
            name ->
                Stream.of(
                    Arguments.of(name, Storage.BF16, Compute.EXACT),
                    Arguments.of(name, Storage.of(DType.F16), Compute.EXACT),
                    Arguments.of(name, Storage.BF16, Compute.EXACT.withResidual(DType.BF16)),
                    Arguments.of(name, Storage.INT8, Compute.INT8_PER_TOKEN),
                    Arguments.of(name, Storage.of(BlockFormat.int8(32)), Compute.INT8_BLOCKS)));
  }

  @ParameterizedTest
  @MethodSource("narrow")
  void narrow_weights_are_near(String name, Storage storage, Compute compute) throws IOException {
    Path model = ModelFiles.GOLDENS.resolve("decoders/" + name);
    float[] want = logits(model, Storage.F32, Compute.EXACT);
    float[] got = logits(model, storage, compute);
    double cosine = Cosine.of(want, got);
    assertTrue(cosine >= 0.999, "cosine " + cosine);
    assertFalse(Arrays.equals(want, got));
  }
}
