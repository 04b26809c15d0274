package dev.gatun.test.goldens;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import dev.gatun.kernels.api.memory.DType;
import dev.gatun.kernels.api.memory.Storage;
import dev.gatun.models.AutoModel;
import dev.gatun.models.CausalLm;
import dev.gatun.models.CausalLmInputs;
import dev.gatun.models.CausalLmOutput;
import dev.gatun.models.Chunk;
import dev.gatun.models.TokenBatch;
import dev.gatun.nn.Compute;
import dev.gatun.nn.KvCache;
import dev.gatun.nn.KvSequence;
import dev.gatun.tensor.Device;
import dev.gatun.tensor.Tensor;
import dev.gatun.weights.TensorFile;
import java.io.IOException;
import java.lang.foreign.ValueLayout;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Random;
import java.util.stream.Stream;

/**
 * The decoders among the goldens: whole sequences, and the same tokens by way of a cache, in one
 * piece, in random chunks beside each other, and alone.
 */
final class DecoderGoldens {
  private static final Path GOLDENS = Path.of("goldens", "decoders");

  private DecoderGoldens() {}

  static List<Path> cases() throws IOException {
    try (Stream<Path> folders = Files.list(GOLDENS)) {
      return folders.sorted().toList();
    }
  }

  static void check(Path folder, Device device) throws IOException {
    check(folder, folder, device);
  }

  /**
   * The same for another file with the model.
   *
   * @param weights a directory or a file
   */
  static void check(Path folder, Path weights, Device device) throws IOException {
    long before = device.memory().allocatedBytes();
    try (TensorFile expected = TensorFile.open(folder.resolve("expected.safetensors"));
        CausalLm model = AutoModel.loadCausalLm(weights, device, Storage.F32, Compute.EXACT)) {
      whole(expected, model);
      for (int pageSize : new int[] {1, 5, 64}) {
        cached(expected, model, pageSize);
      }
      alone(expected, model);
      greedy(folder, model);
    }
    assertEquals(before, device.memory().allocatedBytes(), "memory is given back");
  }

  private static void whole(TensorFile expected, CausalLm model) {
    long[][] mask = Goldens.longs(expected, "in.attention_mask");
    long routers = count(expected, "out.router_logits.");
    // Where the configuration asks for them nobody else has to.
    Boolean asked =
        model.config().flag("output_router_logits", false) ? null : Boolean.valueOf(routers > 0);
    CausalLmInputs inputs =
        new CausalLmInputs(
            Goldens.longs(expected, "in.input_ids"),
            mask,
            Goldens.longs(expected, "in.labels"),
            true,
            true,
            asked);
    try (CausalLmOutput output = model.forward(inputs)) {
      Goldens.compare(expected, "out.logits", output.logits(), mask);
      int states = output.hiddenStates().size();
      for (int i = 0; i < states; i++) {
        Goldens.compare(expected, "out.hidden_states." + i, output.hiddenStates().get(i), mask);
      }
      assertEquals(states, count(expected, "out.hidden_states."));
      for (int i = 0; i < output.attentions().size(); i++) {
        Goldens.compare(expected, "out.attentions." + i, output.attentions().get(i), mask);
      }
      long attentions = count(expected, "out.attentions.");
      assertTrue(attentions == 0 || attentions == output.attentions().size());
      routers(expected, output, mask);
      float loss = expected.get("out.loss").data().get(ValueLayout.JAVA_FLOAT_UNALIGNED, 0);
      assertEquals(loss, output.lossValue(), 1e-4 * Math.max(1, Math.abs(loss)), "loss");
    }
  }

  /** The reference has the logits of routers as [batch * length, experts]. */
  private static void routers(TensorFile expected, CausalLmOutput output, long[][] mask) {
    long layers = count(expected, "out.router_logits.");
    assertEquals(layers, output.routerLogits().size());
    assertEquals(layers > 0, output.auxLoss() != null);
    for (int i = 0; i < layers; i++) {
      TensorFile.Entry entry = expected.get("out.router_logits." + i);
      long experts = entry.shape()[1];
      Tensor given = output.routerLogits().get(i);
      assertArrayEquals(new long[] {mask.length, mask[0].length, experts}, given.shape());
      float[] values = given.toFloatArray();
      float largest = 0;
      float worst = 0;
      for (int at = 0; at < values.length; at++) {
        int token = (int) (at / experts);
        if (mask[token / mask[0].length][token % mask[0].length] == 1) {
          float want = entry.data().getAtIndex(ValueLayout.JAVA_FLOAT_UNALIGNED, at);
          largest = Math.max(largest, Math.abs(want));
          worst = Math.max(worst, Math.abs(want - values[at]));
        }
      }
      assertTrue(largest > 0 && worst <= 1e-4 * largest, "router " + i + ": off by " + worst);
    }
    if (layers > 0) {
      float aux = expected.get("out.aux_loss").data().get(ValueLayout.JAVA_FLOAT_UNALIGNED, 0);
      assertEquals(aux, output.auxLoss(), 1e-4 * Math.max(1, aux), "aux_loss");
    }
  }

  private static long count(TensorFile file, String prefix) {
    return file.names().stream().filter(name -> name.startsWith(prefix)).count();
  }

  /** The tokens of each sequence, without padding. */
  private static List<long[]> sequences(TensorFile expected) {
    long[][] ids = Goldens.longs(expected, "in.input_ids");
    long[][] mask = Goldens.longs(expected, "in.attention_mask");
    List<long[]> sequences = new ArrayList<>();
    for (int s = 0; s < ids.length; s++) {
      int length = mask == null ? ids[s].length : (int) Arrays.stream(mask[s]).sum();
      sequences.add(Arrays.copyOf(ids[s], length));
    }
    return sequences;
  }

  /** All tokens at once, then in chunks of random sizes of random sequences. */
  private static void cached(TensorFile expected, CausalLm model, int pageSize) {
    List<long[]> all = sequences(expected);
    try (KvCache cache = cache(model, pageSize)) {
      List<KvSequence> open = all.stream().map(_ -> cache.open()).toList();
      List<Chunk> chunks = new ArrayList<>();
      for (int s = 0; s < all.size(); s++) {
        chunks.add(new Chunk(open.get(s), all.get(s), all.get(s).length));
      }
      step(expected, model, chunks, new int[all.size()], 0);
      open.forEach(sequence -> sequence.truncate(0));
      Random random = new Random(pageSize);
      int[] done = new int[all.size()];
      while (Stream.iterate(0, s -> s + 1)
          .limit(done.length)
          .anyMatch(s -> done[s] < all.get(s).length)) {
        chunks.clear();
        int[] from = done.clone();
        List<Integer> which = new ArrayList<>();
        for (int s = 0; s < done.length; s++) {
          int left = all.get(s).length - done[s];
          int count = random.nextInt(3) == 0 ? 0 : Math.min(left, 1 + random.nextInt(5));
          if (count > 0) {
            long[] ids = Arrays.copyOfRange(all.get(s), done[s], done[s] + count);
            chunks.add(new Chunk(open.get(s), ids, 1 + random.nextInt(count)));
            which.add(s);
            done[s] += count;
          }
        }
        if (!chunks.isEmpty()) {
          step(expected, model, chunks, from, which.stream().mapToInt(s -> s).toArray());
        }
      }
      open.forEach(KvSequence::close);
    }
  }

  private static KvCache cache(CausalLm model, int pageSize) {
    return KvCache.paged(
        model.device(), model.cacheShape(), pageSize, 4 * Math.ceilDiv(64, pageSize));
  }

  /** Cases of models without experts: a rounded state may choose others. */
  static List<Path> dense() throws IOException {
    List<Path> dense = new ArrayList<>();
    for (Path folder : cases()) {
      try (TensorFile expected = TensorFile.open(folder.resolve("expected.safetensors"))) {
        if (count(expected, "out.router_logits.") == 0) {
          dense.add(folder);
        }
      }
    }
    return dense;
  }

  /**
   * How far scores are off by a cache of signed bytes: the largest distance to the reference's, as
   * a share of the largest score.
   */
  static double errorOfSignedBytes(Path folder, Device device) throws IOException {
    try (TensorFile expected = TensorFile.open(folder.resolve("expected.safetensors"));
        CausalLm model = AutoModel.loadCausalLm(folder, device, Storage.F32, Compute.EXACT);
        KvCache cache = KvCache.paged(device, model.cacheShape().withDtype(DType.I8), 5, 60)) {
      List<Chunk> chunks = new ArrayList<>();
      for (long[] ids : sequences(expected)) {
        chunks.add(new Chunk(cache.open(), ids, ids.length));
      }
      return error(expected, model, chunks, new int[chunks.size()]);
    }
  }

  private static void alone(TensorFile expected, CausalLm model) {
    List<long[]> all = sequences(expected);
    for (int s = 0; s < all.size(); s++) {
      try (KvCache cache = cache(model, 16);
          KvSequence sequence = cache.open()) {
        for (int t = 0; t < all.get(s).length; t++) {
          int[] from = new int[all.size()];
          from[s] = t;
          step(expected, model, List.of(Chunk.of(sequence, all.get(s)[t])), from, s);
        }
      }
    }
  }

  /**
   * Runs a step and compares its logits.
   *
   * @param from the tokens that each sequence of the case had before
   * @param which sequences of the case the chunks are of; all in order where none is named
   */
  private static void step(
      TensorFile expected, CausalLm model, List<Chunk> chunks, int[] from, int... which) {
    double error = error(expected, model, chunks, from, which);
    assertTrue(error <= 1e-4, "logits: off by %g of the largest".formatted(error));
  }

  private static double error(
      TensorFile expected, CausalLm model, List<Chunk> chunks, int[] from, int... which) {
    float[] got;
    try (TokenBatch batch = model.batch(chunks);
        Tensor logits = model.logits(batch)) {
      got = logits.toFloatArray();
    }
    TensorFile.Entry entry = expected.get("out.logits");
    int vocabulary = (int) entry.shape()[2];
    double largest = 0;
    double worst = 0;
    int row = 0;
    for (int c = 0; c < chunks.size(); c++) {
      int s = which.length == chunks.size() ? which[c] : c;
      int end = from[s] + chunks.get(c).ids().length;
      for (int t = end - chunks.get(c).wanted(); t < end; t++, row++) {
        for (int v = 0; v < vocabulary; v++) {
          long at = (s * entry.shape()[1] + t) * vocabulary + v;
          float want = entry.data().getAtIndex(ValueLayout.JAVA_FLOAT_UNALIGNED, at);
          float is = got[row * vocabulary + v];
          assertTrue(!Float.isNaN(is), "NaN");
          largest = Math.max(largest, Math.abs(want));
          worst = Math.max(worst, Math.abs(want - is));
        }
      }
    }
    assertEquals((long) row * vocabulary, got.length);
    return worst / largest;
  }

  /** The largest score, token by token, gives the ids that the reference gave. */
  private static void greedy(Path folder, CausalLm model) throws IOException {
    JsonNode root = new ObjectMapper().readTree(folder.resolve("case.json").toFile());
    JsonNode generation = root.path("generations").path(0);
    if (generation.isMissingNode()) {
      return;
    }
    JsonNode mask = generation.get("attention_mask");
    try (KvCache cache = cache(model, 16)) {
      List<KvSequence> open = new ArrayList<>();
      List<List<Long>> ids = new ArrayList<>();
      List<Chunk> chunks = new ArrayList<>();
      for (int s = 0; s < generation.get("prompt").size(); s++) {
        List<Long> prompt = new ArrayList<>();
        for (int t = 0; t < generation.get("prompt").get(s).size(); t++) {
          if (mask.isNull() || mask.get(s).get(t).asInt() == 1) {
            prompt.add(generation.get("prompt").get(s).get(t).asLong());
          }
        }
        ids.add(prompt);
        open.add(cache.open());
        chunks.add(Chunk.of(open.get(s), prompt.stream().mapToLong(Long::longValue).toArray()));
      }
      int padding = generation.get("prompt").get(0).size();
      int end = generation.get("output").get(0).size();
      for (int t = padding; t < end; t++) {
        float[] logits;
        try (TokenBatch batch = model.batch(chunks);
            Tensor scores = model.logits(batch)) {
          logits = scores.toFloatArray();
        }
        chunks.clear();
        for (int s = 0; s < open.size(); s++) {
          int best = 0;
          int vocabulary = model.vocabSize();
          for (int v = 1; v < vocabulary; v++) {
            best = logits[s * vocabulary + v] > logits[s * vocabulary + best] ? v : best;
          }
          ids.get(s).add((long) best);
          chunks.add(Chunk.of(open.get(s), best));
        }
      }
      for (int s = 0; s < open.size(); s++) {
        List<Long> want = new ArrayList<>();
        boolean ended = false;
        int prompt = ids.get(s).size() - (end - padding);
        for (int t = padding - prompt; t < end && !ended; t++) {
          long id = generation.get("output").get(s).get(t).asLong();
          want.add(id);
          ended = t >= padding && model.eosTokenIds().contains((int) id);
        }
        assertArrayEquals(
            want.toArray(), ids.get(s).subList(0, want.size()).toArray(), "ids of prompt " + s);
        open.get(s).close();
      }
    }
  }
}
