package dev.gatun.kernels.reference;

import dev.gatun.kernels.api.call.elementwise.Activate;
import dev.gatun.kernels.api.call.elementwise.ActivationBackward;
import dev.gatun.kernels.api.call.elementwise.BinaryOp;
import dev.gatun.kernels.api.call.elementwise.Cast;
import dev.gatun.kernels.api.call.elementwise.Compare;
import dev.gatun.kernels.api.call.elementwise.Comparison;
import dev.gatun.kernels.api.call.elementwise.DropElements;
import dev.gatun.kernels.api.call.elementwise.Elementwise;
import dev.gatun.kernels.api.call.elementwise.ElementwiseCall;
import dev.gatun.kernels.api.call.elementwise.GatedActivation;
import dev.gatun.kernels.api.call.elementwise.GatedActivationBackward;
import dev.gatun.kernels.api.call.elementwise.RandomNumbers;
import dev.gatun.kernels.api.call.elementwise.Unary;
import dev.gatun.kernels.api.call.elementwise.Where;
import dev.gatun.kernels.api.memory.DType;
import dev.gatun.kernels.api.memory.Operand;

/** Kernels that work on each element on its own. */
final class ElementwiseReference {
  private final Precision p;
  private final Functions functions;

  ElementwiseReference(Precision precision) {
    this.p = precision;
    this.functions = new Functions(precision);
  }

  void run(ElementwiseCall call) {
    switch (call) {
      case Activate c -> activate(c);
      case ActivationBackward c -> activationBackward(c);
      case Cast c -> cast(c);
      case Compare c -> compare(c);
      case DropElements c -> drop(c);
      case Elementwise c -> elementwise(c);
      case GatedActivation c -> gatedActivation(c);
      case GatedActivationBackward c -> gatedActivationBackward(c);
      case RandomNumbers c -> RandomReference.run(c);
      case Unary c -> unary(c);
      case Where c -> where(c);
    }
  }

  private void activate(Activate c) {
    View x = View.of(c.x());
    View y = View.of(c.y());
    for (long i = 0; i < c.x().count(); i++) {
      y.set(i, functions.activate(x.get(i), c.activation()));
    }
  }

  private void activationBackward(ActivationBackward c) {
    View dy = View.of(c.dy());
    View x = View.of(c.x());
    View dx = View.of(c.dx());
    for (long i = 0; i < c.x().count(); i++) {
      dx.set(i, p.round(dy.get(i) * functions.slope(x.get(i), c.activation())));
    }
  }

  private void gatedActivationBackward(GatedActivationBackward c) {
    View dy = View.of(c.dy());
    View gate = View.of(c.gate());
    View up = View.of(c.up());
    View dgate = View.of(c.dgate());
    View dup = View.of(c.dup());
    for (long r = 0; r < c.dy().size(0); r++) {
      for (long i = 0; i < c.dy().size(1); i++) {
        double d = dy.get(r * c.dy().stride(0) + i);
        double g = gate.get(r * c.gate().stride(0) + i);
        double u = up.get(r * c.up().stride(0) + i);
        dgate.set(
            r * c.dgate().stride(0) + i,
            p.round(p.round(d * u) * functions.slope(g, c.activation())));
        dup.set(r * c.dup().stride(0) + i, p.round(d * functions.activate(g, c.activation())));
      }
    }
  }

  private void drop(DropElements c) {
    View x = View.of(c.x());
    View y = View.of(c.y());
    float probability = c.dropout().probability();
    long limit = (long) (probability * 0x1p32);
    double grown = p.round(1 / p.round(1 - probability));
    for (long i = 0; i < c.x().count(); i++) {
      long counter = i / 4;
      int[] words =
          Philox.words(new int[] {(int) counter, (int) (counter >>> 32), 0, 0}, c.dropout().seed());
      boolean dropped = Integer.toUnsignedLong(words[(int) (i % 4)]) < limit;
      y.set(i, dropped ? 0 : p.round(x.get(i) * grown));
    }
  }

  private void elementwise(Elementwise c) {
    View a = View.of(c.a());
    View b = View.of(c.b());
    View y = View.of(c.y());
    if (isWhole(c.y().dtype())) {
      for (long i = 0; i < c.y().count(); i++) {
        long left = a.getLong(View.place(c.a(), i));
        long right = b.getLong(View.place(c.b(), i));
        y.setWrapped(View.place(c.y(), i), apply(c.op(), left, right));
      }
      return;
    }
    for (long i = 0; i < c.y().count(); i++) {
      double left = a.get(View.place(c.a(), i));
      double right = b.get(View.place(c.b(), i));
      double by = c.op() == BinaryOp.DIVIDE_BY_ROOT ? p.round(Math.sqrt(right)) : right;
      y.set(View.place(c.y(), i), p.round(apply(c.op(), left, by)));
    }
  }

  private static double apply(BinaryOp op, double a, double b) {
    return switch (op) {
      case ADD -> a + b;
      case SUBTRACT -> a - b;
      case MULTIPLY -> a * b;
      case DIVIDE, DIVIDE_BY_ROOT -> a / b;
      case MAXIMUM -> Math.max(a, b);
      case MINIMUM -> Math.min(a, b);
      case EQUAL -> a == b ? 1 : 0;
      case LESS -> a < b ? 1 : 0;
      case KEEP_WHERE -> b != 0 ? a : 0;
      case REMAINDER -> throw new IllegalStateException(op + " of floats");
    };
  }

  private static long apply(BinaryOp op, long a, long b) {
    return switch (op) {
      case ADD -> a + b;
      case SUBTRACT -> a - b;
      case MULTIPLY -> a * b;
      case MAXIMUM -> Math.max(a, b);
      case MINIMUM -> Math.min(a, b);
      case REMAINDER -> b == 0 ? a : Math.floorMod(a, b);
      case DIVIDE, EQUAL, LESS, DIVIDE_BY_ROOT, KEEP_WHERE ->
          throw new IllegalStateException(op + " of whole numbers");
    };
  }

  private static boolean isWhole(DType dtype) {
    return switch (dtype) {
      case F32, BF16, F16 -> false;
      default -> true;
    };
  }

  private void unary(Unary c) {
    View x = View.of(c.x());
    View y = View.of(c.y());
    if (isWhole(c.y().dtype())) {
      for (long i = 0; i < c.y().count(); i++) {
        long value = Mathematics.applyWhole(c.op(), x.getLong(View.place(c.x(), i)));
        y.setWrapped(View.place(c.y(), i), value);
      }
      return;
    }
    for (long i = 0; i < c.y().count(); i++) {
      double value = Mathematics.apply(c.op(), x.get(View.place(c.x(), i)));
      y.set(View.place(c.y(), i), p.round(value));
    }
  }

  private void compare(Compare c) {
    View a = View.of(c.a());
    View b = View.of(c.b());
    View y = View.of(c.y());
    boolean floats = !isWhole(c.a().dtype());
    for (long i = 0; i < c.y().count(); i++) {
      long left = View.place(c.a(), i);
      long right = View.place(c.b(), i);
      boolean told =
          floats
              ? tells(c.comparison(), a.get(left), b.get(right))
              : tells(c.comparison(), Long.compare(a.getLong(left), b.getLong(right)), 0);
      y.setLong(View.place(c.y(), i), told ? 1 : 0);
    }
  }

  private static boolean tells(Comparison comparison, double a, double b) {
    return switch (comparison) {
      case EQUAL -> a == b;
      case NOT_EQUAL -> a != b;
      case LESS -> a < b;
      case LESS_EQUAL -> a <= b;
      case GREATER -> a > b;
      case GREATER_EQUAL -> a >= b;
    };
  }

  private void where(Where c) {
    View condition = View.of(c.condition());
    long bytes = c.y().dtype().bytes();
    for (long i = 0; i < c.y().count(); i++) {
      boolean first = condition.getLong(View.place(c.condition(), i)) != 0;
      Operand from = first ? c.a() : c.b();
      ReferenceBuffer.copy(
          from.buffer(),
          (from.offset() + View.place(from, i)) * bytes,
          c.y().buffer(),
          (c.y().offset() + View.place(c.y(), i)) * bytes,
          bytes);
    }
  }

  private void cast(Cast c) {
    View x = View.of(c.x());
    View y = View.of(c.y());
    for (long i = 0; i < c.x().count(); i++) {
      y.setRounded(i, View.rounded(x.get(i), DType.F32));
    }
  }

  private void gatedActivation(GatedActivation c) {
    View gate = View.of(c.gate());
    View up = View.of(c.up());
    View y = View.of(c.y());
    long columns = c.y().size(1);
    for (long r = 0; r < c.y().size(0); r++) {
      for (long i = 0; i < columns; i++) {
        double activated = functions.activate(gate.get(r * c.gate().stride(0) + i), c.activation());
        y.set(r * columns + i, p.round(activated * up.get(r * c.up().stride(0) + i)));
      }
    }
  }
}
