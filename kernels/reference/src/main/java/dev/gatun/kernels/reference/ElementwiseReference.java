package dev.gatun.kernels.reference;

import dev.gatun.kernels.api.Activate;
import dev.gatun.kernels.api.Add;
import dev.gatun.kernels.api.Cast;
import dev.gatun.kernels.api.GatedActivation;

/** Kernels that work on each element on its own. */
final class ElementwiseReference {
  private final Precision p;
  private final Functions functions;

  ElementwiseReference(Precision precision) {
    this.p = precision;
    this.functions = new Functions(precision);
  }

  void run(Activate c) {
    View x = View.of(c.x());
    View y = View.of(c.y());
    for (long i = 0; i < c.x().count(); i++) {
      y.set(i, functions.activate(x.get(i), c.activation()));
    }
  }

  void run(Add c) {
    View a = View.of(c.a());
    View b = View.of(c.b());
    View y = View.of(c.y());
    long repeated = c.b().count();
    for (long i = 0; i < c.a().count(); i++) {
      y.set(i, p.round(a.get(i) + b.get(i % repeated)));
    }
  }

  void run(Cast c) {
    View x = View.of(c.x());
    View y = View.of(c.y());
    for (long i = 0; i < c.x().count(); i++) {
      y.set(i, x.get(i));
    }
  }

  void run(GatedActivation c) {
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
