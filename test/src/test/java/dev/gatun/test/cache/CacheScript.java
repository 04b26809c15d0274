package dev.gatun.test.cache;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.gatun.kernels.api.call.attention.Causal;
import dev.gatun.kernels.api.call.attention.Dropout;
import dev.gatun.kernels.api.memory.Buffer;
import dev.gatun.kernels.api.memory.DType;
import dev.gatun.nn.KvCache;
import dev.gatun.nn.KvCacheFullException;
import dev.gatun.nn.KvSequence;
import dev.gatun.nn.KvStep;
import dev.gatun.nn.RotaryPositionalEmbedding;
import dev.gatun.nn.RotaryScaling;
import dev.gatun.nn.RotaryTables;
import dev.gatun.ops.Attention;
import dev.gatun.ops.Elementwise;
import dev.gatun.tensor.Device;
import dev.gatun.tensor.Ids;
import dev.gatun.tensor.Scope;
import dev.gatun.tensor.Segments;
import dev.gatun.tensor.Tensor;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collections;
import java.util.List;
import java.util.Map;
import java.util.Random;

/**
 * A random script of steps of random chunks for random sequences, forks, cuts and drops, on a cache
 * whose unused memory holds NaN. Each step's attention is compared with the plain computation, in
 * double, over the sequence's own whole history.
 */
final class CacheScript {
  private static final int MAX_LENGTH = 64;

  /** A sequence beside all that was ever appended to it. */
  private static final class Tracked {
    final KvSequence sequence;
    final List<float[]> history;

    Tracked(KvSequence sequence, List<float[]> history) {
      this.sequence = sequence;
      this.history = history;
    }
  }

  private final Device device;
  private final Random random;
  private final String what;
  private final KvCache.Shape shape;
  // What attention computes in: the cache's type, or of signed bytes any.
  private final DType computed;
  private final int heads;
  private final KvCache cache;
  private final RotaryTables tables;
  private final boolean interleaved;
  private final RotaryPositionalEmbedding rotary;
  private final Attention.Scores scores;
  private final Attention.Mask mask;
  private final float[] slopes;
  private final List<Tracked> all = new ArrayList<>();
  private final KvStep room;
  private int refused;

  private CacheScript(Device device, long seed) {
    this.device = device;
    random = new Random(seed);
    int kvHeads = 1 + random.nextInt(2);
    heads = kvHeads * (1 + random.nextInt(3));
    int size = random.nextBoolean() ? 16 : 2 * (1 + random.nextInt(12));
    DType[] floats = {DType.F32, DType.F32, DType.BF16, DType.F16};
    computed = floats[random.nextInt(floats.length)];
    shape =
        new KvCache.Shape(
                1 + random.nextInt(2), kvHeads, size, random.nextInt(4) == 0 ? DType.I8 : computed)
            .withWindow(random.nextInt(3) == 0 ? 1 + random.nextInt(20) : 0);
    boolean contiguous = random.nextInt(4) == 0;
    int pageSize = contiguous ? MAX_LENGTH : 1 + random.nextInt(17);
    cache =
        contiguous
            ? KvCache.contiguous(device, shape, 2 + random.nextInt(5), MAX_LENGTH)
            : KvCache.paged(device, shape, pageSize, 2 + random.nextInt(240 / pageSize));
    interleaved = random.nextBoolean();
    double share = (1 + random.nextInt(size / 2)) * 2.0 / size;
    tables =
        random.nextInt(3) == 0
            ? null
            : RotaryTables.of(
                RotaryScaling.of(Map.of("partial_rotary_factor", share), MAX_LENGTH),
                size,
                MAX_LENGTH);
    rotary =
        tables == null
            ? RotaryPositionalEmbedding.none(device, MAX_LENGTH)
            : new RotaryPositionalEmbedding(device, tables, interleaved);
    slopes = random.nextInt(3) == 0 ? new float[heads] : null;
    Attention.Scores some =
        new Attention.Scores(
            (float) (1 / Math.sqrt(size)), random.nextInt(3) == 0 ? 2f : 0, null, null, null);
    mask =
        new Attention.Mask(
            Causal.BOTTOM_RIGHT,
            shape.window() > 0
                ? shape.window()
                : random.nextInt(3) == 0 ? 1 + random.nextInt(20) : 0,
            null);
    if (slopes != null) {
      for (int h = 0; h < heads; h++) {
        slopes[h] = (float) Math.pow(2, -h - 1);
      }
    }
    scores = slopes == null ? some : some.withSlopes(Tensor.of(device, slopes, heads));
    // One of the two ways to make steps: in the place of each other, or each with its own room.
    room = random.nextBoolean() ? cache.step(6, 48, MAX_LENGTH) : null;
    what =
        "seed %d: %s, %s, %d heads, page of %d, %s%s, softcap %s, window %d%s"
            .formatted(
                seed,
                shape,
                computed,
                heads,
                pageSize,
                tables == null ? "no rotary" : "rotary " + tables.rotarySize(),
                interleaved ? " interleaved" : "",
                scores.softcap(),
                mask.window(),
                slopes == null ? "" : ", slopes");
    poison();
  }

  /** Runs a script; gives how often the cache was full. */
  static int run(Device device, long seed, int steps) {
    try (Scope _ = Scope.open()) {
      CacheScript script = new CacheScript(device, seed);
      try (script.cache;
          script.room) {
        for (int i = 0; i < steps; i++) {
          script.act();
        }
        script.all.forEach(each -> each.sequence.close());
        assertEquals(script.cache.pages(), script.cache.freePages(), script.what);
        return script.refused;
      }
    }
  }

  private void poison() {
    try (KvSequence sequence = cache.open();
        KvStep step = cache.step(List.of(sequence), cache.pageSize())) {
      for (int layer = 0; layer < shape.layers(); layer++) {
        Attention.Keys view = step.view(layer);
        List<Tensor> sides = new ArrayList<>(List.of(view.key(), view.value()));
        if (view.scales() != null) {
          sides.addAll(List.of(view.scales().keys(), view.scales().values()));
        }
        for (Tensor side : sides) {
          Buffer buffer = side.operand().buffer();
          device.memory().fill(buffer, 0, buffer.byteSize(), (byte) 0xff);
        }
      }
    }
  }

  private void act() {
    int kind = random.nextInt(10);
    if (all.size() < 2 || kind == 0 && all.size() < 8) {
      all.add(new Tracked(cache.open(), new ArrayList<>()));
    } else if (kind == 1 && all.size() < 8) {
      Tracked from = any();
      all.add(new Tracked(from.sequence.fork(), new ArrayList<>(from.history)));
    } else if (kind == 2) {
      Tracked gone = any();
      all.remove(gone);
      gone.sequence.close();
    } else if (kind == 3) {
      Tracked cut = any();
      int kept = random.nextInt(cut.history.size() + 1);
      try {
        cut.sequence.truncate(kept);
      } catch (IllegalArgumentException e) {
        assertTrue(shape.window() > 0 && e.getMessage().contains("is gone"), e.getMessage());
        return;
      }
      cut.history.subList(kept, cut.history.size()).clear();
    } else {
      step();
    }
    for (Tracked each : all) {
      assertEquals(each.history.size(), each.sequence.length(), what);
    }
  }

  private Tracked any() {
    return all.get(random.nextInt(all.size()));
  }

  private void step() {
    List<Tracked> some = new ArrayList<>(all);
    Collections.shuffle(some, random);
    some = new ArrayList<>(some.subList(0, 1 + random.nextInt(Math.min(6, some.size()))));
    boolean decode = random.nextBoolean();
    some.removeIf(each -> each.history.size() >= MAX_LENGTH);
    int[] counts = new int[some.size()];
    for (int i = 0; i < counts.length; i++) {
      int most = Math.min(8, MAX_LENGTH - some.get(i).history.size());
      counts[i] = decode ? 1 : random.nextInt(most + 1);
    }
    List<KvSequence> sequences = some.stream().map(each -> each.sequence).toList();
    int free = cache.freePages();
    int needed = cache.pagesNeeded(sequences, counts);
    try (Scope _ = Scope.open()) {
      KvStep own = room;
      try {
        if (own == null) {
          own = cache.step(sequences, counts);
        } else {
          own.write(sequences, counts);
        }
      } catch (KvCacheFullException e) {
        refused++;
        assertTrue(needed > free, what);
        assertEquals(needed, e.askedPages(), what);
        assertEquals(free, e.freePages(), what);
        assertEquals(free, cache.freePages(), what);
        return;
      }
      if (shape.window() == 0) {
        assertEquals(free - needed, cache.freePages(), what);
      }
      try {
        attend(own, some, counts);
      } finally {
        if (room == null) {
          own.close();
        }
      }
    }
  }

  private void attend(KvStep step, List<Tracked> some, int[] counts) {
    int rows = step.tokens();
    int width = (heads + 2 * shape.kvHeads()) * shape.headSize();
    int[] lengths = Arrays.copyOf(counts, step.sequences());
    long[] positions = new long[rows];
    int tokens = 0;
    for (int i = 0; i < counts.length; i++) {
      for (int t = 0; t < counts[i]; t++) {
        positions[tokens++] = some.get(i).history.size() + t;
      }
    }
    float[][] qkv = new float[shape.layers()][rows * width];
    for (float[] layer : qkv) {
      for (int i = 0; i < tokens * width; i++) {
        // A few bits, so that 16-bit types hold them.
        layer[i] = (random.nextInt(65) - 32) / 16f;
      }
    }
    // The bounds of a step whose places are written are wider than what is in it.
    Segments segments = Segments.of(device, bounds(step, lengths));
    segments.write(lengths);
    Ids ids = Ids.of(device, "positions", MAX_LENGTH, positions);
    float[][] got = new float[shape.layers()][];
    float[][] weights = new float[shape.layers()][];
    boolean withWeights = random.nextInt(4) == 0;
    for (int layer = 0; layer < shape.layers(); layer++) {
      Tensor x = Elementwise.cast(Tensor.of(device, qkv[layer], rows, width), computed);
      Tensor query = step.append(layer, x, rotary, ids);
      Attention.Result result =
          Attention.scaledDotProductAttention(
              query, segments, step.view(layer), scores, mask, Dropout.NONE, false, withWeights);
      got[layer] = Elementwise.cast(result.output(), DType.F32).toFloatArray();
      weights[layer] = withWeights ? result.weights().toFloatArray() : null;
    }
    int at = 0;
    for (int i = 0; i < counts.length; i++) {
      Tracked tracked = some.get(i);
      for (int t = 0; t < counts[i]; t++) {
        float[] token = new float[shape.layers() * width];
        for (int layer = 0; layer < shape.layers(); layer++) {
          System.arraycopy(qkv[layer], (at + t) * width, token, layer * width, width);
        }
        tracked.history.add(token);
      }
      for (int layer = 0; layer < shape.layers(); layer++) {
        for (int t = 0; t < counts[i]; t++) {
          int place = tracked.history.size() - counts[i] + t;
          for (int h = 0; h < heads; h++) {
            double[] p = probabilities(tracked.history, layer, h, place);
            compare(tracked.history, layer, h, p, got[layer], at + t);
            if (withWeights) {
              int longest = step.longest();
              int row = ((i * heads + h) * segments.longest() + t) * longest;
              for (int j = 0; j < longest; j++) {
                double want = j < p.length ? p[j] : 0;
                assertEquals(want, weights[layer][row + j], tolerance(1), what);
              }
            }
          }
        }
      }
      at += counts[i];
    }
  }

  /** Lengths whose offsets have the step's rows, and room for each sequence's tokens. */
  private static int[] bounds(KvStep step, int[] lengths) {
    int sum = Arrays.stream(lengths).sum();
    if (sum == step.tokens()) {
      return lengths;
    }
    int[] bounds = new int[lengths.length];
    bounds[0] = step.tokens();
    return bounds;
  }

  private void compare(
      List<float[]> history, int layer, int head, double[] p, float[] got, int row) {
    int size = shape.headSize();
    for (int e = 0; e < size; e++) {
      double want = 0;
      double most = 0;
      for (int j = 0; j < p.length; j++) {
        double[] v = value(history.get(j), layer, head);
        want += p[j] * v[e];
        most = Math.max(most, shape.dtype() == DType.I8 ? largest(v) : Math.abs(v[e]));
      }
      float is = got[(row * heads + head) * size + e];
      assertEquals(want, is, tolerance(most), what);
    }
  }

  /**
   * Keys, probabilities and outputs are each rounded once to the type that is computed in. A key's
   * code may be the next one where an element is about half way between two.
   */
  private double tolerance(double most) {
    double unit =
        switch (computed) {
          case BF16 -> 1.0 / 256;
          case F16 -> 1.0 / 2048;
          default -> 1.0 / (1 << 20);
        };
    double codes = shape.dtype() == DType.I8 ? 0.02 : 0;
    return Math.max(most, 1e-3) * (unit * 6 + codes);
  }

  private double[] probabilities(List<float[]> history, int layer, int head, int place) {
    float[] q = part(history.get(place), layer, head);
    double[] query = turned(q, place);
    double[] p = new double[place + 1];
    double max = Double.NEGATIVE_INFINITY;
    for (int j = 0; j <= place; j++) {
      float[] k = part(history.get(j), layer, heads + head / (heads / shape.kvHeads()));
      double[] key = kept(turned(k, j));
      double score = 0;
      for (int e = 0; e < key.length; e++) {
        score += query[e] * key[e];
      }
      score *= scores.scale();
      if (scores.softcap() > 0) {
        score = scores.softcap() * Math.tanh(score / scores.softcap());
      }
      if (slopes != null) {
        score -= slopes[head] * (place - j);
      }
      boolean seen = mask.window() == 0 || place - j < mask.window();
      p[j] = seen ? score : Double.NEGATIVE_INFINITY;
      max = Math.max(max, p[j]);
    }
    double sum = 0;
    for (int j = 0; j <= place; j++) {
      p[j] = Math.exp(p[j] - max);
      sum += p[j];
    }
    for (int j = 0; j <= place; j++) {
      p[j] /= sum;
    }
    return p;
  }

  private double[] value(float[] token, int layer, int head) {
    float[] own = part(token, layer, heads + shape.kvHeads() + head / (heads / shape.kvHeads()));
    double[] wide = new double[own.length];
    Arrays.setAll(wide, i -> own[i]);
    return kept(wide);
  }

  private static double largest(double[] row) {
    return Arrays.stream(row).map(Math::abs).max().orElse(0);
  }

  /** A row as the cache keeps it: of signed bytes what they mean, found in F32. */
  private double[] kept(double[] row) {
    float half = (float) largest(row);
    if (shape.dtype() == DType.I8 && half > 0) {
      Arrays.setAll(row, i -> half / 127 * Math.rint((float) row[i] * (127 / half)));
    }
    return row;
  }

  private float[] part(float[] token, int layer, int part) {
    int size = shape.headSize();
    int begin = (layer * (heads + 2 * shape.kvHeads()) + part) * size;
    return Arrays.copyOfRange(token, begin, begin + size);
  }

  private double[] turned(float[] x, int position) {
    double[] y = new double[x.length];
    Arrays.setAll(y, i -> x[i]);
    int half = tables == null ? 0 : tables.rotarySize() / 2;
    for (int i = 0; i < half; i++) {
      double angle = position * (double) tables.inverseFrequencies()[i];
      int a = interleaved ? 2 * i : i;
      int b = interleaved ? 2 * i + 1 : i + half;
      y[a] = x[a] * Math.cos(angle) - x[b] * Math.sin(angle);
      y[b] = x[b] * Math.cos(angle) + x[a] * Math.sin(angle);
    }
    return y;
  }
}
