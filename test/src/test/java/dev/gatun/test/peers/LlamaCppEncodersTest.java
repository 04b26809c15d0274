package dev.gatun.test.peers;

import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.junit.jupiter.api.Assumptions.abort;

import dev.gatun.compression.GgufQuantizer;
import dev.gatun.kernels.api.memory.DType;
import dev.gatun.models.AutoModel;
import dev.gatun.models.EncoderInputs;
import dev.gatun.models.EncoderModel;
import dev.gatun.models.EncoderOutput;
import dev.gatun.weights.SafetensorsWriter;
import dev.gatun.weights.TensorFile;
import java.io.IOException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.stream.IntStream;
import java.util.stream.LongStream;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** An encoder that is written llama.cpp reads, and gives nearly the same states of its tokens. */
@Tag("full")
final class LlamaCppEncodersTest {
  private static final int HIDDEN = 64;
  private static final int INNER = 96;
  private static final int VOCAB = 800;
  private static final int EXPERTS = 8;
  private static final int[] IDS = {5, 700, 31, 2, 44, 44, 123, 560, 9, 78, 301};
  // Its gelu is the approximation by tanh, out of a table of numbers of 16 bits.
  private static final double NEAR = 0.01;

  private static final String CONFIG =
      """
      {"model_type": "nomic_bert", "activation_function": "gelu", "layer_norm_epsilon": 1e-5,
       "mlp_fc1_bias": true, "mlp_fc2_bias": true, "qkv_proj_bias": true, "num_experts": 8,
       "moe_every_n_layers": 2, "moe_top_k": 2, "n_embd": 64, "n_head": 4, "n_inner": 96,
       "n_layer": 4, "rotary_emb_base": 10000, "type_vocab_size": 1, "vocab_size": 800}
      """;

  @TempDir private Path folder;

  private final Random random = new Random(5);
  private final List<TensorFile.Entry> tensors = new ArrayList<>();

  private void add(String name, double mean, double deviation, long... shape) {
    int count = (int) LongStream.of(shape).reduce(1, (a, b) -> a * b);
    MemorySegment data = Arena.ofAuto().allocate(4L * count, 64);
    for (int i = 0; i < count; i++) {
      data.setAtIndex(
          ValueLayout.JAVA_FLOAT, i, (float) (mean + deviation * random.nextGaussian()));
    }
    tensors.add(new TensorFile.Entry(name, DType.F32, shape, data, "the test"));
  }

  private void linear(String name, long out, long in) {
    add(name + ".weight", 0, 1 / Math.sqrt(in), out, in);
    add(name + ".bias", 0, 0.1, out);
  }

  private void norm(String name) {
    add(name + ".weight", 1, 0.1, HIDDEN);
    add(name + ".bias", 0, 0.1, HIDDEN);
  }

  private void nomicBert() {
    add("embeddings.word_embeddings.weight", 0, 1, VOCAB, HIDDEN);
    add("embeddings.token_type_embeddings.weight", 0, 1, 1, HIDDEN);
    norm("emb_ln");
    for (int i = 0; i < 4; i++) {
      String layer = "encoder.layers." + i + ".";
      linear(layer + "attn.Wqkv", 3 * HIDDEN, HIDDEN);
      linear(layer + "attn.out_proj", HIDDEN, HIDDEN);
      norm(layer + "norm1");
      norm(layer + "norm2");
      if (i % 2 == 0) {
        linear(layer + "mlp.fc1", INNER, HIDDEN);
        linear(layer + "mlp.fc2", HIDDEN, INNER);
      } else {
        add(layer + "mlp.router.layer.weight", 0, 1 / Math.sqrt(HIDDEN), EXPERTS, HIDDEN);
        add(layer + "mlp.experts.mlp.w1", 0, 1 / Math.sqrt(HIDDEN), EXPERTS * INNER, HIDDEN);
        add(layer + "mlp.experts.mlp.w2", 0, 1 / Math.sqrt(INNER), EXPERTS * INNER, HIDDEN);
        add(layer + "mlp.experts.bias", 0, 0.1, HIDDEN);
      }
    }
  }

  @Test
  void llama_cpp_has_the_same_experts() throws IOException {
    Path libraries = null;
    try {
      libraries = LlamaCpp.folder();
    } catch (IOException e) {
      abort("llama.cpp cannot be had: " + e.getMessage());
    }
    nomicBert();
    SafetensorsWriter.write(folder.resolve("model.safetensors"), tensors, Map.of());
    Files.copy(
        Path.of("goldens", "tokenizers", "byte-bpe.tokenizer.json"),
        folder.resolve("tokenizer.json"));
    Files.writeString(folder.resolve("config.json"), CONFIG);
    Path gguf = Files.createDirectory(folder.resolve("gguf")).resolve("model.gguf");
    GgufQuantizer.quantize(folder, gguf, "F32", null);
    EncoderInputs inputs =
        EncoderInputs.of(new long[][] {IntStream.of(IDS).asLongStream().toArray()});
    try (EncoderModel model = AutoModel.load(gguf);
        EncoderOutput output = model.forward(inputs);
        LlamaCpp peer = new LlamaCpp(libraries, gguf)) {
      float[] want = output.lastHiddenState().toFloatArray();
      float[] got = peer.states(HIDDEN, IDS);
      double worst = 0;
      for (int i = 0; i < want.length; i++) {
        worst = Math.max(worst, Math.abs(want[i] - got[i]));
      }
      assertTrue(worst <= NEAR, "off by " + worst);
    }
  }
}
