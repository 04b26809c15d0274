package dev.gatun.kernels.reference;

import dev.gatun.kernels.api.call.elementwise.Activate;
import dev.gatun.kernels.api.call.elementwise.BinaryOp;
import dev.gatun.kernels.api.call.elementwise.Cast;
import dev.gatun.kernels.api.call.elementwise.Elementwise;
import dev.gatun.kernels.api.call.elementwise.ElementwiseCall;
import dev.gatun.kernels.api.call.elementwise.GatedActivation;
import dev.gatun.kernels.api.memory.DType;

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
      case Cast c -> cast(c);
      case Elementwise c -> elementwise(c);
      case GatedActivation c -> gatedActivation(c);
    }
  }

  private void activate(Activate c) {
    View x = View.of(c.x());
    View y = View.of(c.y());
    for (long i = 0; i < c.x().count(); i++) {
      y.set(i, functions.activate(x.get(i), c.activation()));
    }
  }

  private void elementwise(Elementwise c) {
    View a = View.of(c.a());
    View b = View.of(c.b());
    View y = View.of(c.y());
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
    };
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
