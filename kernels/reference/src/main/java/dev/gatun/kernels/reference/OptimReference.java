package dev.gatun.kernels.reference;

import dev.gatun.kernels.api.call.optim.AdafactorStep;
import dev.gatun.kernels.api.call.optim.GlobalNorm;
import dev.gatun.kernels.api.call.optim.OptimCall;
import dev.gatun.kernels.api.call.optim.OptimizerStep;
import dev.gatun.kernels.api.call.optim.ParameterUpdate;
import dev.gatun.kernels.api.call.optim.UpdateRule;
import dev.gatun.kernels.api.memory.Operand;
import java.util.Arrays;

/** Steps of optimisers over lists of parameters. */
final class OptimReference {
  private final Precision p;

  OptimReference(Precision precision) {
    this.p = precision;
  }

  void run(OptimCall call) {
    switch (call) {
      case AdafactorStep c -> new AdafactorReference(p).run(c);
      case GlobalNorm c -> globalNorm(c);
      case OptimizerStep c -> step(c);
    }
  }

  private void globalNorm(GlobalNorm c) {
    View norms = View.of(c.norms());
    double[] each = new double[c.gradients().size()];
    for (int i = 0; i < each.length; i++) {
      Operand gradient = c.gradients().get(i);
      double[] scaled = View.of(gradient).row(0, gradient.count());
      Arrays.setAll(scaled, k -> p.round(scaled[k] * c.scale()));
      each[i] = length(scaled);
      if (norms != null) {
        norms.set(i, each[i]);
      }
    }
    View.of(c.norm()).set(0, length(each));
  }

  private double length(double[] x) {
    double total = 0;
    for (int i = 0; i < x.length; i++) {
      double term = x[p.term(i, x.length)];
      total = p.round(total + p.round(term * term));
    }
    return p.round(Math.sqrt(total));
  }

  private void step(OptimizerStep c) {
    double factor = factor(p, c.scale(), c.norm(), c.maxNorm());
    if (Double.isFinite(factor)) {
      for (ParameterUpdate update : c.parameters()) {
        step(c, update, factor);
      }
    }
  }

  /** What gradients are multiplied by; NaN where their norm is not finite. */
  static double factor(Precision p, float scale, Operand norm, float maxNorm) {
    if (norm == null) {
      return scale;
    }
    double length = View.of(norm).get(0);
    return Double.isFinite(length)
        ? p.round(scale * Math.min(1, p.round(maxNorm / p.round(length + 1e-6))))
        : Double.NaN;
  }

  private void step(OptimizerStep c, ParameterUpdate update, double factor) {
    View parameter = View.of(update.parameter());
    View gradient = View.of(update.gradient());
    View copy = View.of(update.copy());
    View[] states = update.states().stream().map(View::of).toArray(View[]::new);
    for (long i = 0; i < update.parameter().count(); i++) {
      double x = parameter.get(i);
      double g = p.round(factor * gradient.get(i));
      double[] state = new double[states.length];
      for (int s = 0; s < state.length; s++) {
        state[s] = states[s].get(i);
      }
      double y = step(c.rule(), c.step(), update, x, g, state);
      parameter.set(i, y);
      for (int s = 0; s < state.length; s++) {
        states[s].set(i, state[s]);
      }
      if (copy != null) {
        copy.set(i, y);
      }
    }
  }

  private double step(
      UpdateRule rule, long step, ParameterUpdate update, double x, double g, double[] state) {
    double rate = update.rate();
    boolean decoupled = rule instanceof UpdateRule.Adam adam && adam.decoupled();
    double decayed = decoupled ? g : p.round(g + p.round(update.decay() * x));
    return switch (rule) {
      case UpdateRule.Sgd r -> less(x, rate, sgd(r, step, decayed, state));
      case UpdateRule.Adam r ->
          less(
              decoupled ? p.round(x * (1 - rate * update.decay())) : x,
              rate / (1 - Math.pow(r.beta1(), step)),
              adam(r, step, decayed, state));
      case UpdateRule.Adagrad r -> {
        state[0] = p.round(state[0] + p.round(decayed * decayed));
        double root = p.round(p.round(Math.sqrt(state[0])) + r.eps());
        yield less(x, rate / (1 + (step - 1) * r.rateDecay()), p.round(decayed / root));
      }
      case UpdateRule.RmsProp r -> less(x, rate, rmsProp(r, decayed, state));
      case UpdateRule.Adadelta r -> less(x, rate, adadelta(r, decayed, state));
    };
  }

  /** {@code x - rate · y}. */
  private double less(double x, double rate, double y) {
    return p.round(x - p.round(rate * y));
  }

  /** {@code share · mean + (1 - share) x}. */
  private double mean(double share, double mean, double x) {
    return p.round(p.round(share * mean) + p.round((1 - share) * x));
  }

  private double sgd(UpdateRule.Sgd r, long step, double g, double[] state) {
    if (r.momentum() == 0) {
      return g;
    }
    double kept = step == 1 ? 0 : p.round(r.momentum() * state[0]);
    state[0] = p.round(kept + (step == 1 ? g : p.round((1 - r.dampening()) * g)));
    return r.nesterov() ? p.round(g + p.round(r.momentum() * state[0])) : state[0];
  }

  private double adam(UpdateRule.Adam r, long step, double g, double[] state) {
    state[0] = p.round(state[0] + p.round((1 - r.beta1()) * p.round(g - state[0])));
    state[1] = mean(r.beta2(), state[1], p.round(g * g));
    double squares = state[1];
    if (r.amsgrad()) {
      state[2] = Math.max(state[2], squares);
      squares = state[2];
    }
    double correction = Math.sqrt(1 - Math.pow(r.beta2(), step));
    double root = p.round(p.round(p.round(Math.sqrt(squares)) / correction) + r.eps());
    return p.round(state[0] / root);
  }

  private double rmsProp(UpdateRule.RmsProp r, double g, double[] state) {
    state[0] = mean(r.alpha(), state[0], p.round(g * g));
    double squares = state[0];
    if (r.centered()) {
      state[1] = p.round(state[1] + p.round((1 - r.alpha()) * p.round(g - state[1])));
      squares = p.round(squares - p.round(state[1] * state[1]));
    }
    double y = p.round(g / p.round(p.round(Math.sqrt(squares)) + r.eps()));
    if (r.momentum() == 0) {
      return y;
    }
    int buffer = r.centered() ? 2 : 1;
    state[buffer] = p.round(p.round(r.momentum() * state[buffer]) + y);
    return state[buffer];
  }

  private double adadelta(UpdateRule.Adadelta r, double g, double[] state) {
    state[0] = mean(r.rho(), state[0], p.round(g * g));
    double ratio =
        p.round(
            p.round(Math.sqrt(p.round(state[1] + r.eps())))
                / p.round(Math.sqrt(p.round(state[0] + r.eps()))));
    double y = p.round(ratio * g);
    state[1] = mean(r.rho(), state[1], p.round(y * y));
    return y;
  }
}
