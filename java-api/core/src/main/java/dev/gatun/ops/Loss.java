package dev.gatun.ops;

import dev.gatun.autograd.Node;
import dev.gatun.autograd.Tape;
import dev.gatun.kernels.api.call.loss.CrossEntropy;
import dev.gatun.kernels.api.memory.DType;
import dev.gatun.kernels.api.memory.Indices;
import dev.gatun.tensor.Scope;
import dev.gatun.tensor.Tensor;

/** Losses. */
public final class Loss {
  private Loss() {}

  /**
   * What tokens are to tell.
   *
   * @param classes I64 [tokens], each a class or to be ignored
   * @param weights F32 [tokens], what each token's loss is multiplied by; null for 1
   */
  public record Targets(Tensor classes, Tensor weights) {
    /**
     * {@return targets that all count alike}
     *
     * @param classes I64 [tokens], each a class or to be ignored
     */
    public static Targets of(Tensor classes) {
      return new Targets(classes, null);
    }
  }

  /**
   * The loss of each row: the negative log-likelihood of its target under the softmax of its
   * logits, computed in float.
   *
   * @param logits F32, BF16 or F16 [rows, columns], without gaps
   * @param targets I64 [rows], each a column or ignoreIndex
   * @param ignoreIndex the target of rows whose loss is 0, usually -100
   * @return F32 [rows]
   */
  public static Tensor crossEntropy(Tensor logits, Tensor targets, long ignoreIndex) {
    return crossEntropy(logits, targets, Indices.unchecked(targets.operand()), ignoreIndex);
  }

  /**
   * The same with targets of which something is known: each is a class, or ignoreIndex.
   *
   * @param logits F32, BF16 or F16 [rows, columns], without gaps
   * @param targets I64 [rows], each a column or ignoreIndex
   * @param known the targets' memory, with the bound that all but ignoreIndex lie below
   * @param ignoreIndex the target of rows whose loss is 0, usually -100
   * @return F32 [rows]
   */
  public static Tensor crossEntropy(
      Tensor logits, Tensor targets, Indices known, long ignoreIndex) {
    Calls.axes("cross_entropy", "logits", logits, 2);
    Tape tape = Tape.recording();
    Node node = tape == null ? null : tape.node("cross_entropy", logits);
    Tensor losses =
        Calls.run(
            Tensor.empty(logits.device(), DType.F32, logits.size(0)),
            (k, y) -> k.run(new CrossEntropy(logits.operand(), known, ignoreIndex, y.operand())),
            logits,
            targets);
    if (node != null) {
      LossGradients.crossEntropy(node, logits, targets, ignoreIndex, losses);
    }
    return losses;
  }

  /**
   * The sum of losses over a number that is not theirs alone, such as the tokens that count in all
   * parts of a training step; it stays on the device.
   *
   * @param losses F32 of any shape, 0 where they do not count
   * @param count what to divide by, more than 0
   * @return F32 [1]
   */
  public static Tensor mean(Tensor losses, double count) {
    if (!(count > 0)) {
      throw new IllegalArgumentException(
          "mean: the count of losses %s is %s, expected more than 0".formatted(losses, count));
    }
    try (Scope scope = Scope.open()) {
      return scope.keep(Plain.times(Reductions.sum(losses).reshape(1), 1 / count));
    }
  }

  /**
   * The cross-entropies of {@code x weightᵀ + bias}, summed and divided by a count that is not
   * theirs alone: a language model's head and its loss in one, for some tokens after others, so
   * that the logits of all of them are never there. While a tape records, the gradients are
   * computed along with it and kept, that of the weight summed in F32.
   *
   * @param x F32 [tokens, in_features]
   * @param weight F32 [classes, in_features]
   * @param bias F32 [classes], or null
   * @param targets of the tokens
   * @param settings of the loss
   * @param count what to divide by, more than 0: the tokens that count in all parts of a step, or
   *     what these weigh
   * @return F32 [1]
   */
  public static Tensor linearCrossEntropy(
      Tensor x,
      Tensor weight,
      Tensor bias,
      Targets targets,
      LossBackward.Settings settings,
      double count) {
    return linearCrossEntropy(x, weight, bias, targets, settings, count, Long.MAX_VALUE);
  }

  /**
   * {@link #linearCrossEntropy} with at most so many tokens at a time.
   *
   * @param x F32 [tokens, in_features]
   * @param weight F32 [classes, in_features]
   * @param bias F32 [classes], or null
   * @param targets of the tokens
   * @param settings of the loss
   * @param count what to divide by, more than 0
   * @param mostTokens whose logits are there at a time, at least 1
   * @return F32 [1]
   */
  public static Tensor linearCrossEntropy(
      Tensor x,
      Tensor weight,
      Tensor bias,
      Targets targets,
      LossBackward.Settings settings,
      double count,
      long mostTokens) {
    return LinearCrossEntropy.run(x, null, weight, bias, targets, settings, count, mostTokens);
  }

  /**
   * The same with products of BF16, whose sums are F32: x, the weight and the gradients of the
   * logits are rounded for them.
   *
   * @param x F32 [tokens, in_features]
   * @param packed the numbers of the weight as BF16, as {@link Packing} gives them
   * @param weight F32 [classes, in_features]
   * @param bias F32 [classes], or null
   * @param targets of the tokens
   * @param settings of the loss
   * @param count what to divide by, more than 0
   * @param mostTokens whose logits are there at a time, at least 1
   * @return F32 [1]
   */
  public static Tensor linearCrossEntropy(
      Tensor x,
      Tensor packed,
      Tensor weight,
      Tensor bias,
      Targets targets,
      LossBackward.Settings settings,
      double count,
      long mostTokens) {
    return LinearCrossEntropy.run(x, packed, weight, bias, targets, settings, count, mostTokens);
  }

  /**
   * {@link #crossEntropy} in simple ops; a target that is no class counts as ignored.
   *
   * @param logits F32, BF16 or F16 [rows, columns]
   * @param targets I64 [rows]
   * @param ignoreIndex the target of rows whose loss is 0, usually -100
   * @return F32 [rows]
   */
  public static Tensor plainCrossEntropy(Tensor logits, Tensor targets, long ignoreIndex) {
    try (Scope scope = Scope.open()) {
      Tensor likelihoods = Norm.logSoftmax(Plain.wide(logits));
      Tensor target = Plain.wide(targets).reshape(targets.count(), 1);
      Tensor classes = Plain.count(logits.device(), logits.size(1));
      Tensor picked = Elementwise.keepWhere(likelihoods, Elementwise.equal(classes, target));
      Tensor ignored = Elementwise.equal(target, Plain.number(logits.device(), ignoreIndex));
      Tensor loss = Plain.negated(Plain.sumOfRows(picked));
      Tensor counted = Elementwise.keepWhere(loss, Plain.not(ignored));
      return scope.keep(Layouts.contiguous(counted.reshape(targets.count())));
    }
  }
}
