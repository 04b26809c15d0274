package dev.gatun.kernels.api.call.optim;

import dev.gatun.kernels.api.checks.Checks;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;

/**
 * How a step changes each element of a parameter p by its gradient g and the state that the rule
 * keeps for it, as {@code torch.optim} does. {@code rate} is the learning rate, {@code decay} the
 * weight decay, t the number of the step from 1 on; every state begins as 0. Where a rule does not
 * say otherwise, {@code g += decay · p} comes first.
 */
public sealed interface UpdateRule {
  /** The most tensors of state that a rule keeps for a parameter. */
  int MOST_STATES = 3;

  /** The numbers of {@link #numbers}. */
  int NUMBERS = 8;

  /** {@return what a kernel computes} */
  UpdateFormula formula();

  /** {@return the names of a parameter's states, as torch's state_dict has them} */
  List<String> states();

  /**
   * {@return what a step's arithmetic needs, computed in double and rounded once, in the order that
   * each rule's own documentation gives}
   *
   * @param rate the learning rate
   * @param decay the weight decay
   * @param step the number of the step, from 1 on
   */
  double[] numbers(double rate, double decay, long step);

  private static void share(String name, double value) {
    if (!(value >= 0 && value < 1)) {
      throw Checks.bad(OptimizerStep.NAME, "%s is %s, expected 0 to below 1", name, value);
    }
  }

  private static void notNegative(String name, double value) {
    if (!(value >= 0 && value < Double.POSITIVE_INFINITY)) {
      throw Checks.bad(
          OptimizerStep.NAME, "%s is %s, expected 0 or a positive number", name, value);
    }
  }

  private static double[] list(double... numbers) {
    return Arrays.copyOf(numbers, NUMBERS);
  }

  /**
   * Gradient descent with momentum (Sutskever et al., ICML 2013): {@code b = momentum · b + (1 -
   * dampening) g}, at the first step {@code b = g}; {@code p -= rate · b}, or with Nesterov's
   * momentum {@code p -= rate (g + momentum · b)}. Without momentum b is g, and there is no state.
   *
   * <p>Its numbers: rate, decay, momentum, what b and what g count for in the new b.
   *
   * @param momentum from 0 to below 1
   * @param dampening of the gradient in the momentum
   * @param nesterov whether to look ahead; needs momentum, and no dampening
   */
  record Sgd(double momentum, double dampening, boolean nesterov) implements UpdateRule {
    /**
     * Checks the arguments.
     *
     * @throws IllegalArgumentException naming the argument that does not fit, and what would
     */
    public Sgd {
      share("momentum", momentum);
      share("dampening", dampening);
      if (nesterov && (momentum == 0 || dampening != 0)) {
        throw Checks.bad(
            OptimizerStep.NAME,
            "Nesterov's momentum is asked for with momentum %s and dampening %s, expected momentum"
                + " and no dampening",
            momentum,
            dampening);
      }
    }

    @Override
    public UpdateFormula formula() {
      return nesterov
          ? UpdateFormula.SGD_NESTEROV
          : momentum == 0 ? UpdateFormula.SGD : UpdateFormula.SGD_MOMENTUM;
    }

    @Override
    public List<String> states() {
      return momentum == 0 ? List.of() : List.of("momentum_buffer");
    }

    @Override
    public double[] numbers(double rate, double decay, long step) {
      boolean first = step == 1;
      return list(rate, decay, momentum, first ? 0 : momentum, first ? 1 : 1 - dampening);
    }
  }

  /**
   * Adam (Kingma and Ba, arXiv 1412.6980), and AdamW (Loshchilov and Hutter, arXiv 1711.05101)
   * where the decay is decoupled: then {@code p *= 1 - rate · decay} comes first, and the gradient
   * stays as it is. {@code m += (1 - beta1)(g - m)}, {@code v = beta2 · v + (1 - beta2) g²}, {@code
   * p -= rate / (1 - beta1ᵗ) · m / (√v / √(1 - beta2ᵗ) + eps)}. With AMSGrad (Reddi et al., ICLR
   * 2018) the largest v so far takes v's place in the last of these.
   *
   * <p>Its numbers: rate / (1 - beta1ᵗ), what the decay adds to the gradient, what it leaves of p,
   * 1 - beta1, beta2, 1 - beta2, √(1 - beta2ᵗ), eps.
   *
   * @param beta1 of the gradient's mean, from 0 to below 1
   * @param beta2 of the square's mean, from 0 to below 1
   * @param eps added to the root
   * @param amsgrad whether the largest mean of squares counts
   * @param decoupled whether this is AdamW
   */
  record Adam(double beta1, double beta2, double eps, boolean amsgrad, boolean decoupled)
      implements UpdateRule {
    /**
     * Checks the arguments.
     *
     * @throws IllegalArgumentException naming the argument that does not fit, and what would
     */
    public Adam {
      share("beta1", beta1);
      share("beta2", beta2);
      notNegative("eps", eps);
    }

    @Override
    public UpdateFormula formula() {
      return amsgrad ? UpdateFormula.ADAM_AMSGRAD : UpdateFormula.ADAM;
    }

    @Override
    public List<String> states() {
      return amsgrad
          ? List.of("exp_avg", "exp_avg_sq", "max_exp_avg_sq")
          : List.of("exp_avg", "exp_avg_sq");
    }

    @Override
    public double[] numbers(double rate, double decay, long step) {
      return list(
          rate / (1 - Math.pow(beta1, step)),
          decoupled ? 0 : decay,
          decoupled ? 1 - rate * decay : 1,
          1 - beta1,
          beta2,
          1 - beta2,
          Math.sqrt(1 - Math.pow(beta2, step)),
          eps);
    }
  }

  /**
   * Adagrad (Duchi et al., JMLR 2011): {@code s += g²}, {@code p -= rate / (1 + (t - 1) rateDecay)
   * · g / (√s + eps)}.
   *
   * <p>Its numbers: the rate so divided, decay, eps.
   *
   * @param rateDecay how the rate falls by itself
   * @param eps added to the root
   */
  record Adagrad(double rateDecay, double eps) implements UpdateRule {
    /**
     * Checks the arguments.
     *
     * @throws IllegalArgumentException naming the argument that does not fit, and what would
     */
    public Adagrad {
      notNegative("rate decay", rateDecay);
      notNegative("eps", eps);
    }

    @Override
    public UpdateFormula formula() {
      return UpdateFormula.ADAGRAD;
    }

    @Override
    public List<String> states() {
      return List.of("sum");
    }

    @Override
    public double[] numbers(double rate, double decay, long step) {
      return list(rate / (1 + (step - 1) * rateDecay), decay, eps);
    }
  }

  /**
   * RMSprop (Tieleman and Hinton, 2012; centred as in Graves, arXiv 1308.0850): {@code s = alpha ·
   * s + (1 - alpha) g²}, {@code d = √s + eps}; centred also {@code a += (1 - alpha)(g - a)} and
   * {@code d = √(s - a²) + eps}. {@code p -= rate · g / d}, or with momentum {@code b = momentum ·
   * b + g / d} and {@code p -= rate · b}.
   *
   * <p>Its numbers: rate, decay, alpha, 1 - alpha, eps, momentum.
   *
   * @param alpha of the square's mean, from 0 to below 1
   * @param eps added to the root
   * @param momentum from 0 to below 1
   * @param centered whether the variance takes the square's place
   */
  record RmsProp(double alpha, double eps, double momentum, boolean centered)
      implements UpdateRule {
    /**
     * Checks the arguments.
     *
     * @throws IllegalArgumentException naming the argument that does not fit, and what would
     */
    public RmsProp {
      share("alpha", alpha);
      share("momentum", momentum);
      notNegative("eps", eps);
    }

    @Override
    public UpdateFormula formula() {
      if (momentum > 0) {
        return centered ? UpdateFormula.RMSPROP_CENTERED_MOMENTUM : UpdateFormula.RMSPROP_MOMENTUM;
      }
      return centered ? UpdateFormula.RMSPROP_CENTERED : UpdateFormula.RMSPROP;
    }

    @Override
    public List<String> states() {
      List<String> names = new ArrayList<>(List.of("square_avg"));
      if (centered) {
        names.add("grad_avg");
      }
      if (momentum > 0) {
        names.add("momentum_buffer");
      }
      return List.copyOf(names);
    }

    @Override
    public double[] numbers(double rate, double decay, long step) {
      return list(rate, decay, alpha, 1 - alpha, eps, momentum);
    }
  }

  /**
   * Adadelta (Zeiler, arXiv 1212.5701): {@code s = rho · s + (1 - rho) g²}, {@code d = √(a + eps) /
   * √(s + eps) · g}, {@code a = rho · a + (1 - rho) d²}, {@code p -= rate · d}.
   *
   * <p>Its numbers: rate, decay, rho, 1 - rho, eps.
   *
   * @param rho of both means, from 0 to below 1
   * @param eps added below both roots
   */
  record Adadelta(double rho, double eps) implements UpdateRule {
    /**
     * Checks the arguments.
     *
     * @throws IllegalArgumentException naming the argument that does not fit, and what would
     */
    public Adadelta {
      share("rho", rho);
      notNegative("eps", eps);
    }

    @Override
    public UpdateFormula formula() {
      return UpdateFormula.ADADELTA;
    }

    @Override
    public List<String> states() {
      return List.of("square_avg", "acc_delta");
    }

    @Override
    public double[] numbers(double rate, double decay, long step) {
      return list(rate, decay, rho, 1 - rho, eps);
    }
  }
}
