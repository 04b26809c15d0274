package dev.gatun.models;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.fasterxml.jackson.databind.util.RawValue;
import dev.gatun.kernels.api.memory.BlockFormat;
import dev.gatun.kernels.api.memory.DType;
import dev.gatun.kernels.api.memory.Storage;
import dev.gatun.models.ModelFiles.Stored;
import dev.gatun.nn.Compute;
import dev.gatun.ops.Quantization;
import dev.gatun.tensor.Device;
import dev.gatun.tensor.Tensor;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Comparator;
import java.util.List;
import java.util.Random;
import java.util.stream.IntStream;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.MethodSource;

/** Mixtures of experts whose weights are kept in other types, and ones that are wrong. */
final class MixturesTest {
  private static final String MIXTRAL = "decoders/mixtral";
  private static final String QWEN2 = "decoders/qwen2-moe";
  private static final String QWEN3 = "decoders/qwen3-moe";
  private static final String EXPERT = "model.layers.1.block_sparse_moe.experts.2.w3";
  private static final long[][] IDS = {{5, 17, 90, 33, 8, 61, 4}, {44, 3, 71}};

  @TempDir private Path folder;

  private long before;

  @BeforeEach
  void remember() {
    before = Device.cpu().memory().allocatedBytes();
  }

  @AfterEach
  void nothing_is_held() {
    assertEquals(before, Device.cpu().memory().allocatedBytes());
  }

  private record Given(float[] logits, List<float[]> routers) {}

  private static Given run(Path folder, Storage storage, Compute compute) throws IOException {
    CausalLmInputs inputs = new CausalLmInputs(IDS, null, null, false, false, true);
    try (CausalLm model = AutoModel.loadCausalLm(folder, Device.cpu(), storage, compute);
        CausalLmOutput output = model.forward(inputs)) {
      return new Given(
          output.logits().toFloatArray(),
          output.routerLogits().stream().map(Tensor::toFloatArray).toList());
    }
  }

  private static float[] floats(Stored tensor) {
    float[] values = new float[tensor.data().length / Float.BYTES];
    ByteBuffer.wrap(tensor.data()).order(ByteOrder.LITTLE_ENDIAN).asFloatBuffer().get(values);
    return values;
  }

  private static Stored stored(float[] values, long... shape) {
    ByteBuffer bytes =
        ByteBuffer.allocate(values.length * Float.BYTES).order(ByteOrder.LITTLE_ENDIAN);
    bytes.asFloatBuffer().put(values);
    return new Stored("F32", shape, bytes.array());
  }

  private static void near(float[] want, float[] got, double tolerance) {
    assertEquals(want.length, got.length);
    double largest = 0;
    double worst = 0;
    for (int i = 0; i < want.length; i++) {
      largest = Math.max(largest, Math.abs(want[i]));
      worst = Math.max(worst, Math.abs(want[i] - got[i]));
    }
    assertTrue(worst <= tolerance * largest, "off by %g of %g".formatted(worst, largest));
  }

  /** Routers are in F32, so that blocks give what the numbers that they hold give as F32. */
  @ParameterizedTest
  @CsvSource({
    MIXTRAL + ", INT8:32",
    MIXTRAL + ", INT4:32",
    MIXTRAL + ", Q4_0",
    QWEN3 + ", INT8:32",
    QWEN3 + ", INT4_ZERO:32"
  })
  void experts_in_blocks_are_the_numbers_that_the_blocks_hold(String golden, String name)
      throws IOException {
    BlockFormat format = BlockFormat.of(name);
    ModelFiles files = ModelFiles.read(golden);
    List<String> names;
    try (CausalLm model = AutoModel.loadCausalLm(ModelFiles.GOLDENS.resolve(golden))) {
      names = model.linearWeights();
    }
    assertTrue(names.stream().anyMatch(n -> n.contains("experts")), names::toString);
    assertTrue(names.stream().noneMatch(n -> n.endsWith("gate.weight")), names::toString);
    for (String each : names) {
      Stored old = files.tensors.get(each);
      float[] values = floats(old);
      long in = old.shape()[old.shape().length - 1];
      try (Tensor weight = Tensor.of(Device.cpu(), values, values.length / in, in);
          Tensor blocks = Quantization.quantize(weight, format);
          Tensor rounded = Quantization.dequantize(blocks, format, in)) {
        files.tensors.put(each, stored(rounded.toFloatArray(), old.shape()));
      }
    }
    files.write(folder);
    Given want = run(folder, Storage.F32, Compute.EXACT);
    Given got = run(ModelFiles.GOLDENS.resolve(golden), Storage.of(format), Compute.EXACT);
    near(want.logits(), got.logits(), 1e-4);
    for (int i = 0; i < want.routers().size(); i++) {
      near(want.routers().get(i), got.routers().get(i), 1e-4);
    }
  }

  static Stream<Arguments> narrow() {
    return Stream.of(MIXTRAL, QWEN2, QWEN3)
        .flatMap(
            golden ->
                Stream.of(
                    Arguments.of(golden, Storage.BF16, Compute.EXACT),
                    Arguments.of(golden, Storage.F16, Compute.EXACT),
                    Arguments.of(golden, Storage.BF16, Compute.EXACT.withResidual(DType.BF16)),
                    Arguments.of(golden, Storage.INT8, Compute.INT8_PER_TOKEN)));
  }

  /** But for tokens whose experts are others now, which two logits of nearly one size can make. */
  @ParameterizedTest
  @MethodSource("narrow")
  void narrow_experts_are_near(String golden, Storage storage, Compute compute) throws IOException {
    Path model = ModelFiles.GOLDENS.resolve(golden);
    Given want = run(model, Storage.F32, Compute.EXACT);
    Given got = run(model, storage, compute);
    int perToken = ModelFiles.read(golden).config.get("num_experts_per_tok").intValue();
    int tokens = IDS.length * IDS[0].length;
    int vocabulary = want.logits().length / tokens;
    int same = 0;
    for (int t = 0; t < tokens; t++) {
      if (t % IDS[0].length < IDS[t / IDS[0].length].length
          && chosen(want, t, tokens, perToken).equals(chosen(got, t, tokens, perToken))) {
        float[] a = Arrays.copyOfRange(want.logits(), t * vocabulary, (t + 1) * vocabulary);
        float[] b = Arrays.copyOfRange(got.logits(), t * vocabulary, (t + 1) * vocabulary);
        assertTrue(Cosine.of(a, b) >= 0.999, "token " + t + ": cosine " + Cosine.of(a, b));
        same++;
      }
    }
    assertTrue(same >= 8, "the experts of %d of 10 tokens are the same".formatted(same));
    assertTrue(!Arrays.equals(want.logits(), got.logits()));
  }

  /** A token's experts in each layer, in their own order. */
  private static List<List<Integer>> chosen(Given given, int token, int tokens, int perToken) {
    return given.routers().stream()
        .map(
            logits -> {
              int experts = logits.length / tokens;
              return IntStream.range(0, experts)
                  .boxed()
                  .sorted(Comparator.comparing(e -> -logits[token * experts + e]))
                  .limit(perToken)
                  .sorted()
                  .toList();
            })
        .toList();
  }

  /** The names that the modules of transformers 5 have: a layer's experts in one tensor. */
  @Test
  void fused_experts_are_the_same() throws IOException {
    ModelFiles files = ModelFiles.read(MIXTRAL);
    files.config.set("num_experts", files.config.remove("num_local_experts"));
    for (String layer : List.of("model.layers.0.", "model.layers.1.")) {
      String old = layer + "block_sparse_moe.";
      files.tensors.put(layer + "mlp.gate.weight", files.tensors.remove(old + "gate.weight"));
      ByteBuffer gateUp = ByteBuffer.allocate(4 * 128 * 32 * Float.BYTES);
      ByteBuffer down = ByteBuffer.allocate(4 * 32 * 64 * Float.BYTES);
      for (int e = 0; e < 4; e++) {
        String expert = old + "experts." + e + ".";
        gateUp.put(files.tensors.remove(expert + "w1.weight").data());
        gateUp.put(files.tensors.remove(expert + "w3.weight").data());
        down.put(files.tensors.remove(expert + "w2.weight").data());
      }
      String fused = layer + "mlp.experts.";
      files.tensors.put(
          fused + "gate_up_proj", new Stored("F32", new long[] {4, 128, 32}, gateUp.array()));
      files.tensors.put(
          fused + "down_proj", new Stored("F32", new long[] {4, 32, 64}, down.array()));
    }
    files.write(folder);
    Path golden = ModelFiles.GOLDENS.resolve(MIXTRAL);
    for (Storage storage : List.of(Storage.F32, Storage.BF16, Storage.INT8)) {
      assertArrayEquals(
          run(golden, storage, Compute.EXACT).logits(),
          run(folder, storage, Compute.EXACT).logits());
    }
  }

  /** Codes of 4 bits as GPTQ's tools save them, and in a second folder the numbers they mean. */
  @Test
  void experts_of_gptq_are_the_numbers_that_the_codes_mean() throws IOException {
    Random random = new Random(3);
    ModelFiles dense = ModelFiles.read(MIXTRAL);
    ModelFiles gptq = ModelFiles.read(MIXTRAL);
    gptq.config.putRawValue("quantization_config", gptqConfig(false));
    for (String name : List.copyOf(dense.tensors.keySet())) {
      if (name.contains(".experts.")) {
        quantize(name.substring(0, name.length() - ".weight".length()), dense, gptq, random);
      }
    }
    Path whole = Files.createDirectory(folder.resolve("dense"));
    Path coded = Files.createDirectory(folder.resolve("gptq"));
    dense.write(whole);
    gptq.write(coded);
    near(
        run(whole, Storage.F32, Compute.EXACT).logits(),
        run(coded, Storage.F32, Compute.EXACT).logits(),
        1e-4);
    String first = "model.layers.0.block_sparse_moe.experts.0.w2";
    int[] order = new int[64];
    for (int k = 0; k < 64; k++) {
      order[k] = k % 2;
    }
    gptq.tensors.put(first + ".g_idx", ints(order, 64));
    gptq.config.putRawValue("quantization_config", gptqConfig(true));
    gptq.write(coded);
    refused(
        coded,
        "layers 'model.layers.0.block_sparse_moe.experts.0.w2' to"
            + " 'model.layers.0.block_sparse_moe.experts.3.w2' are quantised in ways that differ");
  }

  private static RawValue gptqConfig(boolean order) {
    return new RawValue(
        "{\"quant_method\": \"gptq\", \"bits\": 4, \"group_size\": 32, \"sym\": false,"
            + " \"desc_act\": "
            + order
            + "}");
  }

  private static Stored ints(int[] values, long... shape) {
    ByteBuffer bytes =
        ByteBuffer.allocate(values.length * Integer.BYTES).order(ByteOrder.LITTLE_ENDIAN);
    bytes.asIntBuffer().put(values);
    return new Stored("I32", shape, bytes.array());
  }

  private static void quantize(String layer, ModelFiles dense, ModelFiles gptq, Random random) {
    Stored old = dense.tensors.get(layer + ".weight");
    int out = (int) old.shape()[0];
    int in = (int) old.shape()[1];
    int groups = in / 32;
    int[] words = new int[in / 8 * out];
    int[] zeros = new int[groups * out / 8];
    int[] group = new int[in];
    float[] scales = new float[groups * out];
    float[] values = new float[out * in];
    for (int n = 0; n < out; n++) {
      for (int g = 0; g < groups; g++) {
        scales[g * out + n] = (1 + random.nextInt(64)) / 2048f;
        int zero = random.nextInt(16);
        // The file has it less one.
        zeros[g * (out / 8) + n / 8] |= (zero - 1 & 15) << 4 * (n % 8);
        for (int k = 32 * g; k < 32 * g + 32; k++) {
          int code = random.nextInt(16);
          words[k / 8 * out + n] |= code << 4 * (k % 8);
          // Less one of 0 wraps around, and is 16 when the tools add it again.
          values[n * in + k] = scales[g * out + n] * (code - (zero == 0 ? 16 : zero));
          group[k] = g;
        }
      }
    }
    dense.tensors.put(layer + ".weight", stored(values, out, in));
    gptq.tensors.remove(layer + ".weight");
    gptq.tensors.put(layer + ".qweight", ints(words, in / 8, out));
    gptq.tensors.put(layer + ".qzeros", ints(zeros, groups, out / 8));
    gptq.tensors.put(layer + ".scales", stored(scales, groups, out));
    gptq.tensors.put(layer + ".g_idx", ints(group, in));
  }

  private static void refused(Path folder, String message) {
    Exception e =
        assertThrows(IllegalArgumentException.class, () -> AutoModel.loadCausalLm(folder).close());
    assertTrue(e.getMessage().contains(message), e.getMessage());
  }

  static Stream<Arguments> bad() {
    return Stream.of(
        Arguments.of(
            MIXTRAL,
            "num_experts_per_tok",
            "5",
            "'num_experts_per_tok' is 5, expected at most the 4 experts"),
        Arguments.of(
            QWEN2,
            "num_experts_per_tok",
            "0",
            "'num_experts_per_tok' is 0, expected a number from 1"),
        Arguments.of(MIXTRAL, "num_local_experts", "0", "'num_local_experts' is 0, expected"),
        Arguments.of(QWEN3, "num_experts", "-2", "'num_experts' is -2, expected a number from 1"),
        Arguments.of(MIXTRAL, "attention_bias", "true", "'attention_bias' is true, expected false"),
        Arguments.of(QWEN2, "mlp_only_layers", "\"1\"", "'mlp_only_layers' is \"1\", expected"),
        Arguments.of(
            QWEN2,
            "mlp_only_layers",
            "[]",
            "no tensors model.layers.1.mlp.shared_expert_gate.weight"),
        Arguments.of(
            QWEN3, "decoder_sparse_step", "1", "no tensors model.layers.0.mlp.gate.weight"),
        Arguments.of(
            QWEN3,
            "moe_intermediate_size",
            "64",
            "'model.layers.1.mlp.experts.gate_up_proj' has shape [5, 64, 32], config.json says"));
  }

  @ParameterizedTest
  @MethodSource("bad")
  void what_is_wrong_is_named(String golden, String key, String value, String message)
      throws IOException {
    ModelFiles files = ModelFiles.read(golden);
    files.config.putRawValue(key, new RawValue(value));
    files.write(folder);
    refused(folder, message);
  }

  @Test
  void a_missing_expert_is_named() throws IOException {
    ModelFiles files = ModelFiles.read(MIXTRAL);
    files.tensors.remove(EXPERT + ".weight");
    files.write(folder);
    refused(folder, EXPERT + ".weight");
  }

  @Test
  void an_expert_too_many_is_named() throws IOException {
    ModelFiles files = ModelFiles.read(MIXTRAL);
    for (String name : new ArrayList<>(files.tensors.keySet())) {
      if (name.contains("layers.0") && name.contains("experts.3")) {
        files.tensors.put(name.replace("experts.3", "experts.4"), files.tensors.get(name));
      }
    }
    files.write(folder);
    System.setProperty("gatun.strict", "true");
    try {
      refused(folder, "3 tensors belong to no part of the model that config.json names");
    } finally {
      System.clearProperty("gatun.strict");
    }
  }

  @Test
  void a_model_without_experts_has_no_routers() throws IOException {
    Path llama = ModelFiles.GOLDENS.resolve("decoders/llama");
    Exception e =
        assertThrows(IllegalArgumentException.class, () -> run(llama, Storage.F32, Compute.EXACT));
    assertEquals("output_router_logits: a llama has no routers", e.getMessage());
  }

  @Test
  void routers_are_asked_for_or_told_by_the_configuration() throws IOException {
    for (String golden : List.of(MIXTRAL, QWEN2)) {
      for (Boolean asked : new Boolean[] {null, true, false}) {
        try (CausalLm model = AutoModel.loadCausalLm(ModelFiles.GOLDENS.resolve(golden));
            CausalLmOutput output =
                model.forward(new CausalLmInputs(IDS, null, IDS, false, false, asked))) {
          boolean there = asked == null ? golden.equals(QWEN2) : asked;
          assertEquals(there ? 2 : 0, output.routerLogits().size());
          assertEquals(there, output.auxLoss() != null);
        }
      }
    }
  }
}
