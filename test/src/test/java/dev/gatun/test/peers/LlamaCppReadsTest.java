package dev.gatun.test.peers;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.junit.jupiter.api.Assumptions.abort;

import com.fasterxml.jackson.databind.ObjectMapper;
import dev.gatun.compression.GgufQuantizer;
import dev.gatun.kernels.api.memory.DType;
import dev.gatun.kernels.api.memory.Storage;
import dev.gatun.models.AutoModel;
import dev.gatun.models.CausalLm;
import dev.gatun.models.Chunk;
import dev.gatun.models.TokenBatch;
import dev.gatun.nn.Compute;
import dev.gatun.nn.KvCache;
import dev.gatun.nn.KvSequence;
import dev.gatun.tensor.Device;
import dev.gatun.tensor.Scope;
import dev.gatun.text.Tokenizer;
import dev.gatun.weights.SafetensorsWriter;
import dev.gatun.weights.TensorFile;
import java.io.IOException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.stream.LongStream;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** What is written llama.cpp reads, with the same tokens and the same likeliest ones after them. */
@Tag("full")
final class LlamaCppReadsTest {
  private static final int HIDDEN = 256;
  private static final int INNER = 512;
  private static final int VOCAB = 800;
  private static final int LAYERS = 8;
  private static final int NEW_TOKENS = 24;
  private static final int CONTEXT = 128;
  private static final double F16_ROUNDING = 0x1p-11;
  private static final String TEXT =
      "The locks lift a ship 26 metres, naïve 漢字 😀 and let it down.";

  @TempDir private static Path folder;

  private static Path libraries;

  @BeforeAll
  static void prepare() throws IOException {
    try {
      libraries = LlamaCpp.folder();
    } catch (IOException e) {
      abort("llama.cpp cannot be had: " + e.getMessage());
    }
    Files.copy(
        Path.of("goldens", "tokenizers", "byte-bpe.tokenizer.json"),
        folder.resolve("tokenizer.json"));
    new ObjectMapper()
        .writeValue(
            folder.resolve("config.json").toFile(),
            Map.ofEntries(
                Map.entry("model_type", "llama"),
                Map.entry("hidden_size", HIDDEN),
                Map.entry("intermediate_size", INNER),
                Map.entry("num_hidden_layers", LAYERS),
                Map.entry("num_attention_heads", 4),
                Map.entry("num_key_value_heads", 2),
                Map.entry("max_position_embeddings", 512),
                Map.entry("rms_norm_eps", 1e-5),
                Map.entry("rope_theta", 10000.0),
                Map.entry("vocab_size", VOCAB),
                Map.entry("tie_word_embeddings", false)));
    SafetensorsWriter.write(folder.resolve("model.safetensors"), weights(), Map.of());
  }

  private static List<TensorFile.Entry> weights() {
    Random random = new Random(17);
    List<TensorFile.Entry> all = new ArrayList<>();
    TensorFile.Entry table = entry(random, "model.embed_tokens.weight", VOCAB, HIDDEN);
    all.add(table);
    all.add(new TensorFile.Entry("lm_head.weight", DType.F32, table.shape(), next(table), "test"));
    all.add(entry(random, "model.norm.weight", HIDDEN));
    for (int i = 0; i < LAYERS; i++) {
      String layer = "model.layers." + i + ".";
      all.add(entry(random, layer + "input_layernorm.weight", HIDDEN));
      all.add(entry(random, layer + "post_attention_layernorm.weight", HIDDEN));
      all.add(entry(random, layer + "self_attn.q_proj.weight", HIDDEN, HIDDEN));
      all.add(entry(random, layer + "self_attn.k_proj.weight", HIDDEN / 2, HIDDEN));
      all.add(entry(random, layer + "self_attn.v_proj.weight", HIDDEN / 2, HIDDEN));
      all.add(entry(random, layer + "self_attn.o_proj.weight", HIDDEN, HIDDEN));
      all.add(entry(random, layer + "mlp.gate_proj.weight", INNER, HIDDEN));
      all.add(entry(random, layer + "mlp.up_proj.weight", INNER, HIDDEN));
      all.add(entry(random, layer + "mlp.down_proj.weight", HIDDEN, INNER));
    }
    return all;
  }

  /** What makes the token that is some places further much likelier than the others. */
  private static MemorySegment next(TensorFile.Entry table) {
    long places = 37L * HIDDEN * Float.BYTES;
    long rest = table.data().byteSize() - places;
    MemorySegment moved = Arena.ofAuto().allocate(table.data().byteSize(), 64);
    moved.asSlice(places).copyFrom(table.data().asSlice(0, rest));
    moved.asSlice(0, places).copyFrom(table.data().asSlice(rest));
    return moved;
  }

  private static TensorFile.Entry entry(Random random, String name, long... shape) {
    int count = (int) LongStream.of(shape).reduce(1, (a, b) -> a * b);
    MemorySegment data = Arena.ofAuto().allocate(4L * count, 64);
    double deviation = shape[0] == VOCAB ? 2 : 1 / Math.sqrt(shape[shape.length - 1]);
    for (int i = 0; i < count; i++) {
      double value =
          shape.length == 1 ? 1 + 0.1 * random.nextGaussian() : deviation * random.nextGaussian();
      data.setAtIndex(ValueLayout.JAVA_FLOAT, i, (float) value);
    }
    return new TensorFile.Entry(name, DType.F32, shape, data, "the test");
  }

  /**
   * The same text, and scores as near to exact products of the file's weights as two times what our
   * own are with the same roundings: activations in blocks of bytes where weights are in blocks,
   * keys and values in F16. By weights of F16 llama.cpp rounds activations too, and we do not.
   */
  @ParameterizedTest
  @ValueSource(
      strings = {
        "F32", "F16", "Q8_0", "Q4_0", "Q4_1", "Q5_0", "Q5_1", "Q2_K", "Q3_K", "Q4_K_M", "Q5_K_M",
        "Q6_K", "IQ4_NL", "IQ4_XS"
      })
  void llama_cpp_reads_it(String type) throws IOException {
    Path file = folder.resolve(type + ".gguf");
    GgufQuantizer.quantize(folder, file, type, null);
    double theirError = 0;
    double ownError = 0;
    try (LlamaCpp peer = new LlamaCpp(libraries, file);
        Tokenizer tokenizer = Tokenizer.load(file);
        Steps exact = new Steps(file, Compute.EXACT, DType.F32);
        Steps rounded = new Steps(file, Compute.INT8_BLOCKS, DType.F16)) {
      long[] ids = tokenizer.encode(TEXT).ids();
      int[] theirs = peer.tokens(TEXT);
      assertArrayEquals(ids, Arrays.stream(theirs).asLongStream().toArray());
      for (int i = 0; i < NEW_TOKENS; i++) {
        float[] want = exact.scores(ids);
        float[] scores = peer.scores(VOCAB, theirs);
        theirError += error(want, scores);
        ownError += error(want, rounded.scores(ids));
        int next = likeliest(want);
        assertEquals(next, likeliest(scores), "token " + i);
        ids = new long[] {next};
        theirs = new int[] {next};
      }
    }
    double theirs = Math.sqrt(theirError / NEW_TOKENS);
    double own = Math.sqrt(ownError / NEW_TOKENS);
    assertTrue(
        theirs <= 2 * (own + (type.equals("F16") ? F16_ROUNDING : 0)),
        "llama.cpp's scores are off by %s, ours by %s".formatted(theirs, own));
  }

  /** A model that goes on with a text. */
  private static final class Steps implements AutoCloseable {
    private final CausalLm model;
    private final KvCache cache;
    private final KvSequence sequence;

    Steps(Path file, Compute compute, DType cached) throws IOException {
      this.model = AutoModel.loadCausalLm(file, Device.cpu(), Storage.F32, compute);
      this.cache =
          KvCache.contiguous(model.device(), model.cacheShape().withDtype(cached), 1, CONTEXT);
      this.sequence = cache.open(new int[0], 0);
    }

    /** The scores of what follows the tokens, which follow those of earlier calls. */
    float[] scores(long[] ids) {
      try (Scope _ = Scope.open();
          TokenBatch batch = model.batch(List.of(new Chunk(sequence, ids, 1)))) {
        return model.logits(batch).toFloatArray();
      }
    }

    @Override
    public void close() {
      sequence.close();
      cache.close();
      model.close();
    }
  }

  /** The mean square of a difference over that of what is right. */
  private static double error(float[] want, float[] got) {
    double error = 0;
    double all = 0;
    for (int i = 0; i < want.length; i++) {
      error += Math.pow(want[i] - got[i], 2);
      all += Math.pow(want[i], 2);
    }
    return error / all;
  }

  private static int likeliest(float[] x) {
    int best = 0;
    for (int i = 0; i < x.length; i++) {
      best = x[i] > x[best] ? i : best;
    }
    return best;
  }
}
