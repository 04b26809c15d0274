package dev.gatun.kernels.reference;

import dev.gatun.kernels.api.call.reduction.ArgMax;
import dev.gatun.kernels.api.call.reduction.Pool;
import dev.gatun.kernels.api.call.reduction.PoolingMode;
import dev.gatun.kernels.api.call.reduction.Reduce;
import dev.gatun.kernels.api.call.reduction.Reduction;
import dev.gatun.kernels.api.call.reduction.ReductionCall;
import dev.gatun.kernels.api.call.reduction.Sample;
import dev.gatun.kernels.api.call.reduction.Scan;
import dev.gatun.kernels.api.call.reduction.ScanOp;
import dev.gatun.kernels.api.call.reduction.Sort;
import dev.gatun.kernels.api.call.reduction.TopK;
import dev.gatun.kernels.api.memory.DType;
import dev.gatun.kernels.api.memory.KernelDType;
import java.util.Comparator;
import java.util.List;
import java.util.stream.IntStream;
import java.util.stream.LongStream;

/** Kernels that make one number of many, or find the largest ones. */
final class ReductionReference {
  private final Precision p;

  ReductionReference(Precision precision) {
    this.p = precision;
  }

  void run(ReductionCall call) {
    switch (call) {
      case ArgMax c -> argMax(c);
      case Pool c -> pool(c);
      case Reduce c -> reduce(c);
      case Sample c -> SampleReference.run(c);
      case Scan c -> scan(c);
      case Sort c -> sort(c);
      case TopK c -> topK(c);
    }
  }

  private void reduce(Reduce c) {
    View x = View.of(c.x());
    View y = View.of(c.y());
    int count = Math.toIntExact(c.x().size(1));
    for (long o = 0; o < c.x().size(0); o++) {
      for (long i = 0; i < c.x().size(2); i++) {
        long first = o * c.x().stride(0) + i * c.x().stride(2);
        double result = nothing(c.reduction());
        for (int r = 0; r < count; r++) {
          double next = x.get(first + p.term(r, count) * c.x().stride(1));
          result =
              switch (c.reduction()) {
                case SUM, MEAN -> p.round(result + next);
                case MAX -> Math.max(result, next);
                case MIN -> Math.min(result, next);
              };
        }
        y.set(
            o * c.x().size(2) + i,
            c.reduction() == Reduction.MEAN ? p.round(result / count) : result);
      }
    }
  }

  private void scan(Scan c) {
    View x = View.of(c.x());
    View y = View.of(c.y());
    boolean product = c.op() == ScanOp.PRODUCT;
    long inner = c.x().size(2);
    for (long line = 0; line < c.x().size(0) * inner; line++) {
      long from = line / inner * c.x().stride(0) + line % inner * c.x().stride(2);
      long to = line / inner * c.x().size(1) * inner + line % inner;
      double result = product ? 1 : -0.0;
      long whole = product ? 1 : 0;
      for (long n = 0; n < c.x().size(1); n++) {
        long place = from + n * c.x().stride(1);
        if (c.x().dtype() == DType.I64) {
          whole = product ? whole * x.getLong(place) : whole + x.getLong(place);
          y.setLong(to + n * inner, whole);
        } else {
          result = p.round(product ? result * x.get(place) : result + x.get(place));
          y.set(to + n * inner, result);
        }
      }
    }
  }

  private static double nothing(Reduction reduction) {
    return switch (reduction) {
      case SUM, MEAN -> 0;
      case MAX -> Double.NEGATIVE_INFINITY;
      case MIN -> Double.POSITIVE_INFINITY;
    };
  }

  private void argMax(ArgMax c) {
    View x = View.of(c.x());
    View y = View.of(c.y());
    for (long r = 0; r < c.x().size(0); r++) {
      y.setLong(r, falling(x.row(r * c.x().stride(0), c.x().size(1))).getFirst());
    }
  }

  private void topK(TopK c) {
    View x = View.of(c.x());
    View values = View.of(c.values());
    View indices = View.of(c.indices());
    int k = Math.toIntExact(c.values().size(1));
    for (long r = 0; r < c.x().size(0); r++) {
      double[] row = x.row(r * c.x().stride(0), c.x().size(1));
      List<Integer> order = falling(row);
      for (int i = 0; i < k; i++) {
        values.set(r * k + i, row[order.get(i)]);
        indices.setLong(r * k + i, order.get(i));
      }
    }
  }

  private void sort(Sort c) {
    View x = View.of(c.x());
    View values = View.of(c.values());
    View indices = View.of(c.indices());
    boolean whole = KernelDType.number(c.x().dtype()) > KernelDType.F16.ordinal();
    long stride = c.x().stride(1);
    for (long r = 0; r < c.x().size(0); r++) {
      long first = r * c.x().stride(0);
      Comparator<Long> rising =
          whole
              ? Comparator.comparingLong(i -> x.getLong(first + i * stride))
              // Adding 0 makes -0 it.
              : Comparator.comparingDouble(i -> x.get(first + i * stride) + 0.0);
      List<Long> order =
          LongStream.range(0, c.x().size(1))
              .boxed()
              .sorted(c.descending() ? rising.reversed() : rising)
              .toList();
      for (int i = 0; i < c.k(); i++) {
        long place = first + order.get(i) * stride;
        if (values != null && whole) {
          values.setWrapped(r * c.k() + i, x.getLong(place));
        } else if (values != null) {
          values.set(r * c.k() + i, x.get(place));
        }
        if (indices != null) {
          indices.setLong(r * c.k() + i, order.get(i));
        }
      }
    }
  }

  /** The places of a row's elements from the largest on; equal ones stay in their order. */
  static List<Integer> falling(double[] row) {
    Comparator<Integer> rising = (i, j) -> row[i] == row[j] ? 0 : Double.compare(row[i], row[j]);
    return IntStream.range(0, row.length).boxed().sorted(rising.reversed()).toList();
  }

  private void pool(Pool c) {
    View x = View.of(c.x());
    View y = View.of(c.y());
    long columns = c.x().size(1);
    int[] offsets = View.offsets(c, c.offsets());
    for (int s = 0; s < c.offsets().sequences(); s++) {
      long begin = offsets[s];
      long length = offsets[s + 1] - begin;
      for (long i = 0; i < columns; i++) {
        double value = 0;
        if (length > 0) {
          value = x.get((c.mode() == PoolingMode.LAST ? begin + length - 1 : begin) * columns + i);
          for (long t = 1; t < length; t++) {
            double next = x.get((begin + t) * columns + i);
            if (c.mode() == PoolingMode.MEAN) {
              value = p.round(value + next);
            } else if (c.mode() == PoolingMode.MAX) {
              value = Math.max(value, next);
            }
          }
          value = c.mode() == PoolingMode.MEAN ? p.round(value / length) : value;
        }
        y.set(s * columns + i, value);
      }
    }
  }
}
