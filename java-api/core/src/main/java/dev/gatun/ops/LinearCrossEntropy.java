package dev.gatun.ops;

import dev.gatun.autograd.Node;
import dev.gatun.autograd.Tape;
import dev.gatun.kernels.api.call.elementwise.Activation;
import dev.gatun.kernels.api.call.elementwise.BinaryOp;
import dev.gatun.kernels.api.memory.DType;
import dev.gatun.kernels.api.memory.Storage;
import dev.gatun.tensor.Scope;
import dev.gatun.tensor.Tensor;
import java.util.ArrayList;
import java.util.List;

/**
 * A language model's head and its loss as one: products and cross-entropies of some tokens after
 * others, so that there are never the logits of all of them. Where a tape records, the gradients
 * are computed along with the loss, since the logits are there only then.
 */
final class LinearCrossEntropy {
  /** The most logits that there are at a time, unless one token has more. */
  private static final long MOST = 1 << 24;

  private static final long TOKENS = 32;

  private final Tensor weight;
  // The weight as BF16, which products read then, and its transpose where dx is asked for; or null.
  private final Tensor packed;
  private Tensor turned;
  private final Tensor bias;
  private final LossBackward.Settings settings;
  private final float scale;
  private final Tensor dx;
  private final Tensor dweight;
  private final Tensor dbias;

  private LinearCrossEntropy(
      Tensor x,
      Tensor packed,
      Tensor weight,
      Tensor bias,
      LossBackward.Settings settings,
      float scale,
      Node node) {
    this.weight = weight;
    this.packed = packed;
    this.bias = bias;
    this.settings = settings;
    this.scale = scale;
    this.dx = node != null && node.needs(0) ? zeros(x, x.shape()) : null;
    this.dweight = node != null && node.needs(1) ? zeros(x, weight.shape()) : null;
    this.dbias = node != null && node.needs(2) ? zeros(x, bias.shape()) : null;
  }

  private static Tensor zeros(Tensor like, long... shape) {
    return Tensor.zeros(like.device(), shape);
  }

  static Tensor run(
      Tensor x,
      Tensor packed,
      Tensor weight,
      Tensor bias,
      Loss.Targets targets,
      LossBackward.Settings settings,
      double count,
      long mostTokens) {
    check(x, weight, bias, targets, count, mostTokens);
    if (packed != null && packed.dtype() != DType.BF16) {
      throw new IllegalArgumentException(
          "linear_cross_entropy: the packed weight is %s, expected BF16".formatted(packed));
    }
    Tape tape = Tape.recording();
    Node node = tape == null ? null : tape.node("linear_cross_entropy", x, weight, bias);
    long most = Math.max(1, MOST / Math.max(1, weight.size(0)));
    // Products of BF16 read pairs of tokens, best some at a time.
    long even = packed != null && most > TOKENS ? most - most % TOKENS : most;
    long each = Math.min(mostTokens, even);
    try (Scope scope = Scope.open()) {
      LinearCrossEntropy work =
          new LinearCrossEntropy(x, packed, weight, bias, settings, (float) (1 / count), node);
      Tensor loss;
      try (Tape.Pause _ = Tape.pause()) {
        loss = work.all(x, targets, each);
      }
      if (node != null) {
        work.record(node, loss);
      }
      return scope.keep(loss);
    }
  }

  /** The sum of the losses, so many tokens at a time. */
  private Tensor all(Tensor x, Loss.Targets targets, long each) {
    List<Tensor> sums = new ArrayList<>();
    if (packed != null && dx != null) {
      turned = Packing.pack(MatmulGradients.turned(weight), Storage.of(DType.BF16));
    }
    for (long begin = 0; begin < x.size(0); begin += each) {
      try (Scope part = Scope.open()) {
        Tensor losses = tokens(x, targets, begin, Math.min(begin + each, x.size(0)));
        sums.add(part.keep(sum(losses)));
      }
    }
    return sums.isEmpty() ? zeros(x, 1) : sum(Layouts.concat(0, sums));
  }

  /** The sum in memory of its own, F32 [1]. */
  private static Tensor sum(Tensor x) {
    return Plain.times(Reductions.sum(x).reshape(1), 1);
  }

  private static void check(
      Tensor x, Tensor weight, Tensor bias, Loss.Targets targets, double count, long mostTokens) {
    String op = "linear_cross_entropy";
    Calls.axes(op, "x", x, 2);
    Calls.axes(op, "weight", weight, 2);
    if (x.dtype() != DType.F32 || weight.dtype() != DType.F32 || x.size(1) != weight.size(1)) {
      throw new IllegalArgumentException(
          "%s: x is %s and weight %s, expected F32 [tokens, in] and [classes, in]"
              .formatted(op, x, weight));
    }
    if (bias != null && (bias.rank() != 1 || bias.size(0) != weight.size(0))) {
      throw new IllegalArgumentException(
          "%s: bias is %s, expected one number for each of weight %s".formatted(op, bias, weight));
    }
    Tensor classes = targets.classes();
    if (classes.rank() != 1 || classes.size(0) != x.size(0)) {
      throw new IllegalArgumentException(
          "%s: targets are %s, expected one for each token of %s".formatted(op, classes, x));
    }
    Tensor weights = targets.weights();
    if (weights != null) {
      Tape.refuse(op, weights);
      if (weights.dtype() != DType.F32 || weights.rank() != 1 || weights.size(0) != x.size(0)) {
        throw new IllegalArgumentException(
            "%s: weights are %s, expected an F32 for each token of %s".formatted(op, weights, x));
      }
    }
    if (!(count > 0) || mostTokens < 1) {
      throw new IllegalArgumentException(
          "%s: count is %s and the most tokens %d, expected positive numbers"
              .formatted(op, count, mostTokens));
    }
  }

  /** The losses of the tokens from begin to end; adds up their gradients. */
  private Tensor tokens(Tensor x, Loss.Targets targets, long begin, long end) {
    Tensor rows = x.slice(0, begin, end);
    Tensor logits = logits(rows);
    Tensor dlogits = logits;
    Tensor weights = targets.weights();
    Tensor losses =
        LossBackward.inPlace(
            dlogits,
            targets.classes().slice(0, begin, end),
            weights == null ? null : weights.slice(0, begin, end),
            settings,
            scale);
    Tensor g = packed == null ? dlogits : Elementwise.cast(dlogits, DType.BF16);
    if (dx != null) {
      Layouts.copy(
          packed == null
              ? MatmulGradients.product(g, MatmulGradients.turned(weight))
              : Matmul.product(g, turned, null, x.size(1), Activation.NONE, DType.F32),
          dx.slice(0, begin, end));
    }
    if (dweight != null && packed == null) {
      MatmulGradients.addProduct(MatmulGradients.turned(g), MatmulGradients.turned(rows), dweight);
    } else if (dweight != null) {
      MatmulGradients.addNarrowProduct(
          MatmulGradients.turned(g), MatmulGradients.turned(rows), dweight);
    }
    if (dbias != null) {
      Layouts.copy(Elementwise.add(dbias, Reductions.sum(dlogits, 0)), dbias);
    }
    return losses;
  }

  private Tensor logits(Tensor rows) {
    if (packed != null) {
      return Matmul.product(rows, packed, bias, weight.size(0), Activation.NONE, DType.F32);
    }
    Tensor product = MatmulGradients.product(rows, weight);
    return bias == null ? product : Elementwise.add(product, bias);
  }

  private static void timesInPlace(Tensor x, Tensor factor) {
    x.device()
        .kernels()
        .run(
            new dev.gatun.kernels.api.call.elementwise.Elementwise(
                x.operand(), factor.operand(), BinaryOp.MULTIPLY, x.operand()));
    Calls.fence(x, factor);
  }

  /** The gradients, times that of the loss. */
  private void record(Node node, Tensor loss) {
    Tensor[] kept = {node.save(dx), node.save(dweight), node.save(dbias)};
    node.record(
        () -> {
          for (int i = 0; i < kept.length; i++) {
            if (kept[i] != null) {
              // Nobody else reads what is kept: it becomes the gradient.
              timesInPlace(kept[i], node.gradient());
              node.give(i, kept[i]);
            }
          }
        },
        loss);
  }
}
