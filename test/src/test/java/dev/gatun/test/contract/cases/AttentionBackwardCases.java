package dev.gatun.test.contract.cases;

import dev.gatun.kernels.api.call.attention.AttentionBackward;
import dev.gatun.kernels.api.call.attention.AttentionMask;
import dev.gatun.kernels.api.call.attention.AttentionScores;
import dev.gatun.kernels.api.call.attention.Causal;
import dev.gatun.kernels.api.call.attention.Dropout;
import dev.gatun.kernels.api.call.attention.ScaledDotProductAttention;
import dev.gatun.kernels.api.memory.DType;
import dev.gatun.kernels.api.memory.Operand;
import dev.gatun.test.contract.frame.Case;
import dev.gatun.test.contract.frame.Data;
import dev.gatun.test.contract.frame.Generator;
import dev.gatun.test.contract.frame.Ragged;
import dev.gatun.test.contract.frame.Runs;
import dev.gatun.test.contract.frame.Seeds;
import dev.gatun.test.contract.frame.Sizes;
import dev.gatun.test.contract.frame.Values;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import java.util.function.Function;

/**
 * Gradients of attention: every mask kind, strides, ragged batches, grouped heads, what is added to
 * scores, dropout, gradients of each result, and NaN where nothing may look. The output and its
 * log-sum-exp are those of the reference.
 */
final class AttentionBackwardCases {
  private static final DType[] FLOATS = {DType.F32, DType.F32, DType.BF16, DType.F16};

  private AttentionBackwardCases() {}

  static List<Generator> generators() {
    return List.of(
        Generator.of("attention_backward", s -> one(s, Kind.ANY)).times(3),
        Generator.of("attention_backward-shifted", s -> one(s, Kind.SHIFTED)),
        Generator.of("attention_backward-deep", s -> one(s, Kind.DEEP)).times(0.5));
  }

  private enum Kind {
    ANY,
    /** More queries and keys than a tile and a block have, several times. */
    DEEP,
    /**
     * What is added to all keys of some queries, or to some keys, is large: the scores are whole
     * multiples of 2^-7, so that a float has room for both.
     */
    SHIFTED
  }

  /** The sizes and settings of a case. */
  private record Shape(
      DType dtype,
      int batch,
      int heads,
      int kvHeads,
      int size,
      int valueSize,
      Ragged queries,
      long queryLength,
      KeyLayout keys,
      Causal causal,
      long window,
      float scale,
      float softcap,
      Dropout dropout) {

    long[] ofQueries(int width) {
      return queries == null
          ? new long[] {batch, queryLength, heads, width}
          : new long[] {queries.tokens(), heads, width};
    }

    ScaledDotProductAttention forward(Function<String, Operand> of, Operand weights) {
      return new ScaledDotProductAttention(
          of.apply("query"),
          of.apply("key"),
          of.apply("value"),
          of.apply("output"),
          queries == null ? null : queries.offsets(of),
          keys.keys(of),
          new AttentionScores(
              scale, softcap, of.apply("bias"), of.apply("slopes"), of.apply("sinks")),
          new AttentionMask(causal, window, of.apply("mask")),
          dropout,
          of.apply("lse"),
          weights);
    }
  }

  private static Shape shape(Random random, Kind kind) {
    boolean deep = kind == Kind.DEEP;
    boolean shifted = kind == Kind.SHIFTED;
    int batch = deep ? 1 : Sizes.any(random, 3);
    int kvHeads = 1 + random.nextInt(deep ? 1 : 3);
    int size = deep ? 8 * (1 + random.nextInt(5)) : Sizes.any(random, 65);
    boolean ragged = !deep && random.nextBoolean();
    int[] lengths = new int[batch];
    for (int b = 0; b < batch; b++) {
      lengths[b] = length(random, deep);
    }
    Ragged queries = ragged ? Ragged.random(random, "query offsets", lengths) : null;
    KeyLayout keys;
    do {
      keys = KeyLayout.random(random, batch, length(random, deep));
    } while (keys.table() != null);
    return new Shape(
        shifted ? DType.F32 : FLOATS[random.nextInt(FLOATS.length)],
        batch,
        kvHeads * (1 + random.nextInt(3)),
        kvHeads,
        size,
        random.nextBoolean() ? size : Sizes.any(random, 65),
        queries,
        ragged ? queries.longest() : length(random, deep),
        keys,
        Causal.values()[random.nextInt(3)],
        random.nextInt(3) == 0 ? 1 + random.nextInt(70) : 0,
        shifted ? 0.125f : (random.nextInt(8) == 0 ? 4 : 1) / (float) Math.sqrt(Math.max(1, size)),
        !shifted && random.nextInt(4) == 0 ? 5 : 0,
        random.nextInt(4) == 0 ? new Dropout(0.3f, random.nextLong()) : Dropout.NONE);
  }

  private static int length(Random random, boolean deep) {
    return deep ? 100 + random.nextInt(200) : Sizes.any(random, 50);
  }

  private static Case one(long seed, Kind kind) {
    Random random = Seeds.random(seed);
    boolean shifted = kind == Kind.SHIFTED;
    Shape s = shape(random, kind);
    long keyLength = s.keys.longest();
    List<Data> read = new ArrayList<>();
    read.add(vectors(random, s, "query", s.ofQueries(s.size)));
    read.add(vectors(random, s, "key", s.keys.shape(s.kvHeads, s.size)));
    read.add(vectors(random, s, "value", s.keys.shape(s.kvHeads, s.valueSize)));
    if (shifted) {
      read.replaceAll(
          d ->
              d.name().equals("value")
                  ? d
                  : d.withValues(d.contents().changed(AttentionBackwardCases::quarters)));
    }
    if (s.queries != null) {
      read.add(s.queries.data());
    }
    read.addAll(s.keys.data());
    boolean masked = random.nextBoolean();
    if (masked) {
      double blind = random.nextInt(4) == 0 ? 1 : 0.3;
      Data mask =
          Data.input(random, "mask", r -> r.nextDouble() < blind ? 0 : 1, s.batch, keyLength)
              .withDtype(DType.U8);
      read.add(mask);
      if (s.keys.ragged() == null) {
        // What the mask hides is not read.
        read.set(1, hidden(read.get(1), mask, (long) s.kvHeads * s.size));
        read.set(2, hidden(read.get(2), mask, (long) s.kvHeads * s.valueSize));
      }
    }
    boolean biased = shifted || random.nextBoolean();
    if (biased) {
      long[] shape = {s.batch, s.heads, s.queryLength, keyLength};
      read.add(shifted ? shifts(random, shape) : bias(random, shape));
    }
    if (!shifted && random.nextInt(4) == 0) {
      read.add(Data.input(random, "slopes", r -> r.nextDouble() / 4, s.heads));
    }
    boolean sinks = random.nextInt(3) == 0;
    if (sinks) {
      read.add(Data.input(random, "sinks", AttentionEdges::sink, s.heads));
    }
    boolean nan = !masked && random.nextInt(8) == 0;
    if (nan) {
      int which = random.nextInt(3);
      read.set(which, read.get(which).with(random, Double.NaN));
    }

    List<Data> data = new ArrayList<>(read);
    List<Data> forward = new ArrayList<>(read);
    Data output = Data.output("output", s.ofQueries(s.valueSize)).withDtype(s.dtype);
    Data lse = Data.output("lse", s.batch, s.heads, s.queryLength);
    forward.add(output);
    forward.add(lse);
    Case attention = Case.of("its forward", forward, of -> s.forward(of, null));
    data.add(given(output, Values.of(() -> Runs.values(attention, "output"))));
    data.add(given(lse, Values.of(() -> Runs.values(attention, "lse"))));

    data.add(vectors(random, s, "doutput", s.ofQueries(s.valueSize)));
    if (random.nextInt(4) == 0) {
      data.add(Data.normal(random, "dlse", s.batch, s.heads, s.queryLength));
    }
    if (random.nextInt(4) == 0) {
      data.add(Data.normal(random, "dweights", s.batch, s.heads, s.queryLength, keyLength));
    }
    data.add(result(random, s, "dquery", data.get(0)));
    data.add(result(random, s, "dkey", data.get(1)));
    data.add(result(random, s, "dvalue", data.get(2)));
    if (biased && random.nextInt(4) > 0) {
      Data of = data.stream().filter(d -> d.name().equals("bias")).findAny().orElseThrow();
      data.add(Data.output("dbias", of.shape()));
    }
    if (sinks && random.nextInt(4) > 0) {
      data.add(Data.output("dsinks", s.heads));
    }
    return Case.of(
        "attention_backward%s seed %d %s%s %dx%d %s window %d scale %s softcap %s dropout %s%s"
            .formatted(
                shifted ? " shifted" : "",
                seed,
                s.dtype,
                s.queries == null ? "" : " ragged",
                s.size,
                s.valueSize,
                s.causal + " " + s.keys,
                s.window,
                s.scale,
                s.softcap,
                s.dropout.probability(),
                nan ? " with NaN" : ""),
        data,
        of ->
            new AttentionBackward(
                s.forward(of, null),
                of.apply("doutput"),
                of.apply("dlse"),
                of.apply("dweights"),
                of.apply("dquery"),
                of.apply("dkey"),
                of.apply("dvalue"),
                of.apply("dbias"),
                of.apply("dsinks")));
  }

  private static Data vectors(Random random, Shape s, String name, long... shape) {
    Data data = Data.normal(random, name, shape).withDtype(s.dtype);
    return random.nextBoolean() ? data.spread(random) : data;
  }

  private static Data result(Random random, Shape s, String name, Data of) {
    Data data = Data.output(name, of.shape()).withDtype(s.dtype);
    return random.nextBoolean() ? data.spread(random) : data;
  }

  /** What was an output as an input. */
  private static Data given(Data output, Values values) {
    return new Data(output.name(), output.dtype(), output.shape(), output.strides(), values, false);
  }

  /** NaN in every row that a mask [batch, keys] hides. */
  private static Data hidden(Data rows, Data mask, long width) {
    return rows.withValues(
        rows.contents()
            .changed(
                values -> {
                  double[] seen = mask.values();
                  for (int i = 0; i < values.length; i++) {
                    values[i] = seen[(int) (i / width)] == 0 ? Double.NaN : values[i];
                  }
                  return values;
                }));
  }

  private static Data bias(Random random, long... shape) {
    double low = random.nextBoolean() ? -1e9 : Double.NEGATIVE_INFINITY;
    boolean additive = random.nextBoolean();
    for (int axis = 0; axis < 4; axis++) {
      shape[axis] = random.nextBoolean() ? 1 : shape[axis];
    }
    return Data.input(
        random, "bias", r -> additive && r.nextInt(3) == 0 ? low : r.nextGaussian(), shape);
  }

  private static double[] quarters(double[] values) {
    for (int i = 0; i < values.length; i++) {
      values[i] = Math.round(4 * values[i]) / 4.0;
    }
    return values;
  }

  /** A bias that moves all keys of a query by one of some numbers, or some of its keys. */
  private static Data shifts(Random random, long... shape) {
    double[] all = {0, 17, -200, 65536, -65536, -1e9};
    int[] first = {random.nextInt(all.length), random.nextInt(4)};
    return Data.placed(
        random,
        "bias",
        (r, i) -> {
          double near = Math.round(4 * r.nextGaussian()) / 4.0;
          int row = (int) (i / shape[3]);
          boolean some = (row + first[1]) % 4 == 0;
          double shift = all[(row + first[0]) % all.length];
          return some && r.nextBoolean() ? near : near + shift;
        },
        shape);
  }
}
