package dev.gatun.ops;

import dev.gatun.autograd.Tape;
import dev.gatun.kernels.api.call.loss.CrossEntropyBackward;
import dev.gatun.kernels.api.memory.DType;
import dev.gatun.kernels.api.memory.Indices;
import dev.gatun.tensor.Scope;
import dev.gatun.tensor.Tensor;

/** The gradients of {@link Loss}, which have none themselves: they refuse what is tracked. */
public final class LossBackward {
  private LossBackward() {}

  /**
   * How a cross-entropy is made of logits.
   *
   * @param ignoreIndex the target of rows that do not count, usually -100
   * @param smoothing the share of a target that all classes have alike, from 0 to 1
   * @param zLoss the weight of the square of the logarithm of the sum of exponentials, 0 for none
   */
  public record Settings(long ignoreIndex, float smoothing, float zLoss) {
    /**
     * {@return the settings of the cross-entropy alone, without smoothing and z-loss}
     *
     * @param ignoreIndex the target of rows that do not count, usually -100
     */
    public static Settings of(long ignoreIndex) {
      return new Settings(ignoreIndex, 0, 0);
    }
  }

  /**
   * The losses of rows and what they change by.
   *
   * @param logits the gradient, of the logits' shape and dtype
   * @param loss F32 [rows]
   */
  public record RowLosses(Tensor logits, Tensor loss) {}

  /**
   * The gradient of the cross-entropy of each row, times {@code scale · weights[row]}, and the
   * losses, times the same.
   *
   * @param logits F32, BF16 or F16 [rows, columns] contiguous
   * @param targets I64 [rows], each a class or to be ignored
   * @param weights F32 [rows] what each row counts for; or null for 1
   * @param settings of the loss
   * @param scale 1 divided by the number of rows that a whole step counts
   * @return the gradient and the losses, 0 in rows whose target is the ignored one
   * @throws UnsupportedOperationException when a tape tracks the logits
   */
  public static RowLosses crossEntropyBackward(
      Tensor logits, Tensor targets, Tensor weights, Settings settings, float scale) {
    return run(
        logits,
        Tensor.empty(logits.device(), logits.dtype(), logits.shape()),
        targets,
        weights,
        settings,
        scale);
  }

  /** The same in the place of the logits. */
  static Tensor inPlace(
      Tensor logits, Tensor targets, Tensor weights, Settings settings, float scale) {
    return run(logits, logits, targets, weights, settings, scale).loss();
  }

  private static RowLosses run(
      Tensor logits,
      Tensor gradient,
      Tensor targets,
      Tensor weights,
      Settings settings,
      float scale) {
    boolean done = false;
    try {
      Calls.axes("cross_entropy_backward", "logits", logits, 2);
      Tape.refuse("cross_entropy_backward", logits);
      Tensor loss =
          Calls.run(
              Tensor.empty(logits.device(), DType.F32, logits.size(0)),
              (k, y) ->
                  k.run(
                      new CrossEntropyBackward(
                          logits.operand(),
                          Indices.unchecked(targets.operand()),
                          Calls.operand(weights),
                          settings.ignoreIndex(),
                          settings.smoothing(),
                          settings.zLoss(),
                          scale,
                          gradient.operand(),
                          y.operand())),
              logits,
              gradient,
              targets,
              weights);
      done = true;
      return new RowLosses(gradient, loss);
    } finally {
      if (!done && gradient != logits) {
        gradient.close();
      }
    }
  }

  /**
   * {@link #crossEntropyBackward} in simple ops; a target that is no class counts as ignored.
   *
   * @param logits F32, BF16 or F16 [rows, columns]
   * @param targets I64 [rows]
   * @param weights F32 [rows] what each row counts for; or null for 1
   * @param settings of the loss
   * @param scale 1 divided by the number of rows that a whole step counts
   * @return the gradient and the losses, 0 in rows that do not count
   */
  public static RowLosses plainCrossEntropyBackward(
      Tensor logits, Tensor targets, Tensor weights, Settings settings, float scale) {
    try (Scope scope = Scope.open()) {
      Tensor x = Plain.wide(logits);
      long rows = x.size(0);
      Tensor top = Plain.maxOfRows(x);
      Tensor less = Elementwise.subtract(x, top);
      Tensor likelihoods = Norm.logSoftmax(x);
      Tensor target = Plain.wide(targets).reshape(rows, 1);
      Tensor classes = Plain.count(x.device(), x.size(1));
      Tensor own = Elementwise.equal(classes, target);
      Tensor counts =
          Plain.not(Elementwise.equal(target, Plain.number(x.device(), settings.ignoreIndex())));
      // What was subtracted of the first logit less its likelihood is the logarithm of the sum.
      Tensor lse =
          Elementwise.add(
              top, Elementwise.subtract(less.slice(1, 0, 1), likelihoods.slice(1, 0, 1)));
      Tensor rate =
          weights == null
              ? Plain.times(counts, scale)
              : Plain.times(Elementwise.multiply(counts, weights.reshape(rows, 1)), scale);
      Tensor grown = Plain.plus(Plain.times(lse, 2 * settings.zLoss()), 1);
      Tensor gradient =
          Elementwise.subtract(
              Plain.plus(
                  Elementwise.multiply(Norm.softmax(x), grown),
                  -settings.smoothing() / (double) x.size(1)),
              Plain.times(own, 1 - settings.smoothing()));
      Tensor loss =
          Elementwise.add(
              Plain.times(
                  Plain.sumOfRows(Elementwise.keepWhere(likelihoods, own)),
                  settings.smoothing() - 1),
              Plain.times(Elementwise.multiply(lse, lse), settings.zLoss()));
      if (settings.smoothing() != 0) {
        loss =
            Elementwise.add(
                loss, Plain.times(Plain.meanOfRows(likelihoods), -settings.smoothing()));
      }
      return new RowLosses(
          scope.keep(
              Elementwise.cast(
                  Elementwise.keepWhere(Elementwise.multiply(gradient, rate), counts),
                  logits.dtype())),
          scope.keep(
              Layouts.contiguous(
                  Elementwise.keepWhere(Elementwise.multiply(loss, rate), counts).reshape(rows))));
    }
  }
}
