package dev.gatun.training.optim;

import dev.gatun.kernels.api.call.optim.AdafactorRule;
import dev.gatun.kernels.api.call.optim.UpdateRule;

/** The rules of optimisers with the settings that {@code torch.optim} begins with. */
public final class Optimizers {
  private Optimizers() {}

  /** {@return AdamW with betas 0.9 and 0.999 and an eps of 1e-8} */
  public static UpdateRule adamW() {
    return adamW(0.9, 0.999, 1e-8);
  }

  /**
   * {@return AdamW: Adam whose weight decay is decoupled from the gradient}
   *
   * @param beta1 of the gradient's mean, from 0 to below 1
   * @param beta2 of the square's mean, from 0 to below 1
   * @param eps added to the root
   */
  public static UpdateRule adamW(double beta1, double beta2, double eps) {
    return new UpdateRule.Adam(beta1, beta2, eps, false, true);
  }

  /**
   * {@return Adam, whose weight decay is a part of the gradient}
   *
   * @param amsgrad whether the largest mean of squares counts
   */
  public static UpdateRule adam(boolean amsgrad) {
    return new UpdateRule.Adam(0.9, 0.999, 1e-8, amsgrad, false);
  }

  /**
   * {@return gradient descent}
   *
   * @param momentum from 0, for none, to below 1
   * @param nesterov whether to look ahead, with momentum
   */
  public static UpdateRule sgd(double momentum, boolean nesterov) {
    return new UpdateRule.Sgd(momentum, 0, nesterov);
  }

  /**
   * {@return Adafactor with the settings that {@code transformers.optimization.Adafactor} begins
   * with, without momentum}
   *
   * @param scaleParameter whether rates grow with the root mean square of the parameter
   */
  public static AdafactorRule adafactor(boolean scaleParameter) {
    return new AdafactorRule(1e-30, 1e-3, 1, -0.8, 0, scaleParameter);
  }

  /**
   * {@return Adafactor's relative rate, {@code min(0.01, 1 / √step)}}
   *
   * @param step the number of the step, from 1 on
   * @param warmupInit whether rates begin near 0: {@code min(1e-6 · step, 1 / √step)}
   */
  public static double relativeRate(long step, boolean warmupInit) {
    return Math.min(warmupInit ? 1e-6 * step : 1e-2, 1 / Math.sqrt(step));
  }

  /** {@return Adagrad with an eps of 1e-10} */
  public static UpdateRule adagrad() {
    return new UpdateRule.Adagrad(0, 1e-10);
  }

  /**
   * {@return RMSprop with an alpha of 0.99 and an eps of 1e-8, neither centred nor with momentum}
   */
  public static UpdateRule rmsProp() {
    return new UpdateRule.RmsProp(0.99, 1e-8, 0, false);
  }

  /** {@return Adadelta with a rho of 0.9 and an eps of 1e-6; its learning rate is usually 1} */
  public static UpdateRule adadelta() {
    return new UpdateRule.Adadelta(0.9, 1e-6);
  }
}
