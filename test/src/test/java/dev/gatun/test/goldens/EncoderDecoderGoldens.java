package dev.gatun.test.goldens;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.gatun.kernels.api.memory.Storage;
import dev.gatun.models.AutoModel;
import dev.gatun.models.Chunk;
import dev.gatun.models.RouterLosses;
import dev.gatun.models.Seq2SeqInputs;
import dev.gatun.models.Seq2SeqLm;
import dev.gatun.models.Seq2SeqOutput;
import dev.gatun.models.TokenBatch;
import dev.gatun.nn.Compute;
import dev.gatun.nn.KvCache;
import dev.gatun.nn.KvSequence;
import dev.gatun.tensor.Device;
import dev.gatun.tensor.Tensor;
import dev.gatun.weights.TensorFile;
import dev.gatun.weights.WeightTypes;
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
 * The encoder-decoders among the goldens: whole sequences, and the same targets step by step with
 * caches, in random chunks beside each other, sources alone and together.
 */
final class EncoderDecoderGoldens {
  private static final Path GOLDENS = Path.of("goldens", "encoder-decoders");
  private static final double BOUND = 1e-4;

  private EncoderDecoderGoldens() {}

  static List<Path> cases() throws IOException {
    try (Stream<Path> folders = Files.list(GOLDENS)) {
      return folders.sorted().toList();
    }
  }

  static Seq2SeqLm load(Path folder, Device device) throws IOException {
    return AutoModel.loadSeq2SeqLm(
        folder, device, WeightTypes.of(Storage.F32), Compute.EXACT, null);
  }

  /** A golden's sources, and the labels that its targets follow from. */
  static Seq2SeqInputs labelled(TensorFile expected) {
    return Seq2SeqInputs.ofLabels(
        Goldens.longs(expected, "in.input_ids"),
        Goldens.longs(expected, "in.attention_mask"),
        Goldens.longs(expected, "in.labels"));
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
        Seq2SeqLm model = load(weights, device)) {
      whole(expected, model);
      for (int pageSize : new int[] {1, 5, 64}) {
        cached(expected, model, pageSize);
      }
    }
    assertEquals(before, device.memory().allocatedBytes(), "memory is given back");
  }

  private static void whole(TensorFile expected, Seq2SeqLm model) {
    long[][] mask = Goldens.longs(expected, "in.attention_mask");
    long[][] labels = Goldens.longs(expected, "in.labels");
    long routers = count(expected, "out.encoder_router_logits.");
    Seq2SeqInputs inputs =
        new Seq2SeqInputs(
            Goldens.longs(expected, "in.input_ids"),
            mask,
            null,
            null,
            labels,
            true,
            true,
            routers > 0);
    long[][] all = new long[labels.length][labels[0].length];
    Arrays.stream(all).forEach(row -> Arrays.fill(row, 1));
    try (Seq2SeqOutput output = model.forward(inputs)) {
      compare(expected, "logits", List.of(output.logits()), all, all);
      compare(expected, "encoder_hidden_states.", output.encoderHiddenStates(), mask, mask);
      compare(expected, "decoder_hidden_states.", output.decoderHiddenStates(), all, all);
      compare(expected, "encoder_attentions.", output.encoderAttentions(), mask, mask);
      compare(expected, "decoder_attentions.", output.decoderAttentions(), all, all);
      compare(expected, "cross_attentions.", output.crossAttentions(), all, mask);
      compare(expected, "encoder_router_logits.", output.encoderRouterLogits(), mask, mask);
      compare(expected, "decoder_router_logits.", output.decoderRouterLogits(), all, all);
      number(expected, "out.loss", output.lossValue());
      RouterLosses losses = output.routerLosses();
      assertEquals(routers > 0, losses != null);
      if (losses != null) {
        number(expected, "out.encoder_z_loss", losses.encoderZ());
        number(expected, "out.decoder_z_loss", losses.decoderZ());
        number(expected, "out.encoder_aux_loss", losses.encoderAux());
        number(expected, "out.decoder_aux_loss", losses.decoderAux());
      }
    }
  }

  private static void number(TensorFile expected, String name, float is) {
    float want = expected.get(name).data().get(ValueLayout.JAVA_FLOAT_UNALIGNED, 0);
    assertEquals(want, is, BOUND * Math.max(1, Math.abs(want)), name);
  }

  private static long count(TensorFile file, String prefix) {
    return file.names().stream().filter(name -> name.startsWith(prefix)).count();
  }

  /** Compares tensors whose second and last axes, or only the second, are places in sequences. */
  private static void compare(
      TensorFile expected, String prefix, List<Tensor> got, long[][] rows, long[][] columns) {
    boolean one = !prefix.endsWith(".");
    assertEquals(one ? 1 : count(expected, "out." + prefix), got.size(), prefix);
    for (int i = 0; i < got.size(); i++) {
      TensorFile.Entry entry = expected.get("out." + prefix + (one ? "" : i));
      long[] shape = entry.shape();
      float[] values = got.get(i).toFloatArray();
      assertEquals(entry.elements(), values.length, prefix);
      boolean attention = shape.length == 4;
      int inner = (int) shape[shape.length - 1];
      int heads = attention ? (int) shape[1] : 1;
      int length = (int) shape[attention ? 2 : 1];
      float largest = 0;
      double worst = 0;
      for (int at = 0; at < values.length; at++) {
        int row = at / inner / length / heads;
        boolean seen = rows[row][at / inner % length] == 1;
        if (seen && (!attention || columns[row][at % inner] == 1)) {
          float want = entry.data().getAtIndex(ValueLayout.JAVA_FLOAT_UNALIGNED, at);
          largest = Math.max(largest, Math.abs(want));
          worst = Math.max(worst, Math.abs(want - values[at]));
          assertTrue(!Float.isNaN(values[at]), prefix + i + " has NaN at " + at);
        }
      }
      assertTrue(
          largest > 0 && worst <= BOUND * largest,
          "%s%d: off by %g of %g".formatted(prefix, i, worst, largest));
    }
  }

  /**
   * Targets in chunks of random sizes of random sequences, two targets a source. Where experts have
   * no room for all tokens of a target, those of a chunk share it: all are in one then.
   */
  private static void cached(TensorFile expected, Seq2SeqLm model, int pageSize) {
    long[][] targets = targets(expected, model);
    boolean whole =
        model.config().has("expert_capacity")
            && model.config().integer("expert_capacity") < targets[0].length;
    try (KvCache sources = cache(model, model.sourceShape(), pageSize);
        KvCache cache = cache(model, model.cacheShape(), pageSize)) {
      List<KvSequence> encoded = encoded(expected, model, sources);
      List<KvSequence> open = new ArrayList<>();
      for (int t = 0; t < 2 * targets.length; t++) {
        open.add(cache.open());
      }
      Random random = new Random(pageSize);
      int[] done = new int[open.size()];
      while (Arrays.stream(done).anyMatch(d -> d < targets[0].length)) {
        List<Chunk> chunks = new ArrayList<>();
        List<Integer> which = new ArrayList<>();
        for (int t = 0; t < done.length; t++) {
          int row = t / 2;
          int most = whole ? targets[row].length : 1 + random.nextInt(4);
          int count = random.nextInt(3) == 0 ? 0 : Math.min(targets[row].length - done[t], most);
          if (count > 0) {
            long[] ids = Arrays.copyOfRange(targets[row], done[t], done[t] + count);
            chunks.add(new Chunk(open.get(t), ids, 1 + random.nextInt(count), encoded.get(row)));
            done[t] += count;
            which.add(t);
          }
        }
        if (!chunks.isEmpty()) {
          step(expected, model, chunks, done, which);
        }
      }
      open.forEach(KvSequence::close);
      encoded.forEach(KvSequence::close);
    }
  }

  private static KvCache cache(Seq2SeqLm model, KvCache.Shape shape, int pageSize) {
    return KvCache.paged(model.device(), shape, pageSize, 8 * Math.ceilDiv(64, pageSize));
  }

  /** What the model makes of labels. */
  private static long[][] targets(TensorFile expected, Seq2SeqLm model) {
    long[][] labels = Goldens.longs(expected, "in.labels");
    int pad = model.config().integer("pad_token_id");
    boolean wrapped = model.config().text("model_type", "").equals("mbart");
    for (long[] row : labels) {
      long last = Arrays.stream(row).filter(id -> id != -100).reduce(pad, (_, id) -> id);
      long start = wrapped ? last : model.config().integer("decoder_start_token_id");
      for (int i = row.length - 1; i >= 0; i--) {
        row[i] = i == 0 ? start : row[i - 1] == -100 ? pad : row[i - 1];
      }
    }
    return labels;
  }

  /** The first source alone, the others together. */
  private static List<KvSequence> encoded(TensorFile expected, Seq2SeqLm model, KvCache cache) {
    long[][] ids = Goldens.longs(expected, "in.input_ids");
    long[][] mask = Goldens.longs(expected, "in.attention_mask");
    for (int s = 0; s < ids.length; s++) {
      ids[s] = Arrays.copyOf(ids[s], (int) Arrays.stream(mask[s]).sum());
    }
    List<KvSequence> all = new ArrayList<>();
    for (int s = 0; s < ids.length; s++) {
      all.add(cache.open());
    }
    model.encode(all.subList(0, 1), Arrays.copyOf(ids, 1));
    model.encode(all.subList(1, ids.length), Arrays.copyOfRange(ids, 1, ids.length));
    return all;
  }

  private static void step(
      TensorFile expected, Seq2SeqLm model, List<Chunk> chunks, int[] done, List<Integer> which) {
    float[] got;
    try (TokenBatch batch = model.batch(chunks);
        Tensor logits = model.logits(batch)) {
      got = logits.toFloatArray();
    }
    TensorFile.Entry entry = expected.get("out.logits");
    int vocabulary = (int) entry.shape()[2];
    double largest = 0;
    double worst = 0;
    int at = 0;
    for (int c = 0; c < chunks.size(); c++) {
      int target = which.get(c);
      for (int t = done[target] - chunks.get(c).wanted(); t < done[target]; t++) {
        for (int v = 0; v < vocabulary; v++, at++) {
          long place = (target / 2 * entry.shape()[1] + t) * vocabulary + v;
          float want = entry.data().getAtIndex(ValueLayout.JAVA_FLOAT_UNALIGNED, place);
          largest = Math.max(largest, Math.abs(want));
          worst = Math.max(worst, Math.abs(want - got[at]));
          assertTrue(!Float.isNaN(got[at]), "NaN");
        }
      }
    }
    assertEquals(at, got.length);
    assertTrue(worst <= BOUND * largest, "logits: off by %g of %g".formatted(worst, largest));
  }
}
