package dev.gatun.kernels.reference;

import dev.gatun.kernels.api.call.KernelCall;
import dev.gatun.kernels.api.call.experts.ExpertCall;
import dev.gatun.kernels.api.call.experts.ExpertCombine;
import dev.gatun.kernels.api.call.experts.ExpertRouting;
import dev.gatun.kernels.api.call.experts.GroupedMatmul;
import dev.gatun.kernels.api.call.experts.GroupedQuantizedMatmul;
import dev.gatun.kernels.api.call.matmul.Matmul;
import dev.gatun.kernels.api.call.matmul.QuantizedMatmul;
import dev.gatun.kernels.api.device.Execution;
import dev.gatun.kernels.api.memory.Operand;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;

/** The kernels of mixtures of experts. */
final class ExpertReference {
  private final Precision p;
  private final Functions functions;
  private final MatmulReference matmul;
  private final QuantizedReference quantized;

  ExpertReference(Precision precision) {
    this.p = precision;
    this.functions = new Functions(precision);
    this.matmul = new MatmulReference(precision);
    this.quantized = new QuantizedReference(precision);
  }

  void run(ExpertCall call) {
    switch (call) {
      case ExpertRouting c -> routing(c);
      case GroupedMatmul c -> groupedMatmul(c);
      case GroupedQuantizedMatmul c -> groupedQuantizedMatmul(c);
      case ExpertCombine c -> combine(c);
    }
  }

  private void routing(ExpertRouting c) {
    View logits = View.of(c.logits());
    View experts = View.of(c.experts());
    View weights = View.of(c.weights());
    int k = Math.toIntExact(c.experts().size(1));
    for (long t = 0; t < c.logits().size(0); t++) {
      double[] row = logits.row(t * c.logits().stride(0), c.logits().size(1));
      List<Integer> chosen = ReductionReference.falling(row).subList(0, k);
      double top = row[chosen.getFirst()];
      double[] own = chosen.stream().mapToDouble(e -> row[e]).toArray();
      double total = functions.expSum(c.renormalize() ? own : row, top);
      for (int i = 0; i < k; i++) {
        double share = p.round(p.round(Math.exp(p.round(own[i] - top))) / total);
        weights.set(t * k + i, p.round(c.scale() * share));
        experts.setLong(t * k + i, chosen.get(i));
      }
    }
    order(c, k);
  }

  private static void order(ExpertRouting c, int k) {
    View experts = View.of(c.experts());
    View rows = View.of(c.rows());
    View places = View.of(c.places());
    View offsets = View.of(c.offsets());
    List<List<Long>> slots = new ArrayList<>();
    for (long e = 0; e < c.logits().size(1); e++) {
      slots.add(new ArrayList<>());
    }
    long[] taken = new long[slots.size()];
    int[] ends = c.capacity() == null ? null : View.offsets(c, c.capacity().sequences());
    if (ends != null) {
      Execution.allTokens(c, ends, c.capacity().sequences().tokens());
    }
    int sequence = 0;
    for (long slot = 0; slot < c.experts().count(); slot++) {
      while (c.capacity() != null && slot / k >= ends[sequence + 1]) {
        sequence++;
        Arrays.fill(taken, 0);
      }
      int expert = (int) experts.getLong(slot);
      if (c.capacity() == null || taken[expert]++ < c.capacity().tokens()) {
        slots.get(expert).add(slot);
      }
      places.setLong(slot, -1);
      rows.setLong(slot, -1);
    }
    long place = 0;
    for (int e = 0; e < slots.size(); e++) {
      offsets.setLong(e, place);
      for (long slot : slots.get(e)) {
        rows.setLong(place, slot / k);
        places.setLong(slot, place++);
      }
    }
    offsets.setLong(slots.size(), place);
  }

  /** The product of one row of x by the weight of an expert. */
  private interface RowProduct {
    void run(Operand x, Operand packed, Operand bias, Operand y);
  }

  private void groupedMatmul(GroupedMatmul c) {
    eachPlace(
        c,
        new Operand[] {c.x(), c.rows(), c.offsets(), c.packed(), c.bias(), c.y()},
        (x, packed, bias, y) -> matmul.run(new Matmul(x, packed, bias, c.activation(), y)));
  }

  private void groupedQuantizedMatmul(GroupedQuantizedMatmul c) {
    eachPlace(
        c,
        new Operand[] {c.x(), c.rows(), c.offsets(), c.packed(), c.bias(), c.y()},
        (x, packed, bias, y) ->
            quantized.run(
                new QuantizedMatmul(
                    c.layout(), c.activations(), x, packed, bias, c.activation(), y)));
  }

  private static void eachPlace(KernelCall call, Operand[] operands, RowProduct product) {
    Operand x = operands[0];
    Operand packed = operands[3];
    Operand y = operands[5];
    View rows = View.of(operands[1]);
    View offsets = View.of(operands[2]);
    long experts = operands[2].size(0) - 1;
    Execution.grouped(
        call,
        View.ids(operands[2]),
        experts,
        y.size(0),
        operands[1] == null ? null : View.ids(operands[1]),
        x.size(0));
    for (long e = 0; e < experts; e++) {
      Operand weight = part(packed, e, packed.size(0) / experts);
      Operand bias = operands[4] == null ? null : part(operands[4], e, y.size(1));
      for (long place = offsets.getLong(e); place < offsets.getLong(e + 1); place++) {
        product.run(
            row(x, rows == null ? place : rows.getLong(place)), weight, bias, row(y, place));
      }
    }
  }

  /** The i-th run of so many elements of a contiguous operand. */
  private static Operand part(Operand whole, long i, long count) {
    return new Operand(
        whole.buffer(), whole.offset() + i * count, whole.dtype(), new long[] {count}, ONE);
  }

  private static final long[] ONE = {1};

  private static Operand row(Operand whole, long i) {
    return new Operand(
        whole.buffer(),
        whole.offset() + i * whole.stride(0),
        whole.dtype(),
        new long[] {1, whole.size(1)},
        whole.strides());
  }

  private void combine(ExpertCombine c) {
    long k = c.places().size(1);
    Execution.inRange(c, "place", View.ids(c.places()), c.places().count(), -1, c.x().size(0));
    View x = View.of(c.x());
    View weights = View.of(c.weights());
    View places = View.of(c.places());
    View residual = View.of(c.residual());
    View y = View.of(c.y());
    for (long t = 0; t < c.y().size(0); t++) {
      for (long n = 0; n < c.y().size(1); n++) {
        double sum = residual == null ? 0 : residual.get(t * c.residual().stride(0) + n);
        for (long i = 0; i < k; i++) {
          long place = places.getLong(t * k + i);
          if (place >= 0) {
            double part = p.round(weights.get(t * k + i) * x.get(place * c.x().stride(0) + n));
            sum = p.round(sum + part);
          }
        }
        y.set(t * c.y().stride(0) + n, sum);
      }
    }
  }
}
