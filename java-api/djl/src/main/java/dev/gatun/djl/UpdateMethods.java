package dev.gatun.djl;

import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDList;
import ai.djl.ndarray.NDManager;
import dev.gatun.djl.host.ArrayKernels;
import dev.gatun.kernels.api.call.optim.UpdateRule;

/**
 * Steps of optimisers by the formulas of DJL's documentation, over {@code weight, gradient, state,
 * ...} in place. A gradient is scaled, then clipped where {@code clipGrad} is not negative, and
 * weight decay is added to it.
 */
interface UpdateMethods extends ExMethods {
  /** A step on arrays of a manager that closes what is between. */
  interface Step {
    void run(NDArray weight, NDArray gradient, NDArray... states);
  }

  private void update(
      NDList inputs,
      NDList weights,
      float rescaleGrad,
      float clipGrad,
      float weightDecay,
      Step step) {
    Tape.unrecorded(
        () -> {
          updated(inputs, rescaleGrad, clipGrad, weightDecay, step);
          spent(weights);
        });
  }

  private void updated(
      NDList inputs, float rescaleGrad, float clipGrad, float weightDecay, Step step) {
    GatunNDManager manager = x().getManager();
    try (NDManager scratch = manager.newSubManager(manager.getDevice())) {
      NDArray weight = NetworkMethods.in(scratch, inputs.get(0));
      NDArray gradient = NetworkMethods.in(scratch, inputs.get(1));
      gradient = rescaleGrad == 1 ? gradient : gradient.mul(rescaleGrad);
      if (clipGrad >= 0) {
        gradient = gradient.clip(-clipGrad, clipGrad);
      }
      gradient = weightDecay == 0 ? gradient : gradient.add(weight.mul(weightDecay));
      NDArray[] states = new NDArray[inputs.size() - 2];
      for (int i = 0; i < states.length; i++) {
        states[i] = NetworkMethods.in(scratch, inputs.get(i + 2));
      }
      step.run(weight, gradient, states);
    }
  }

  /** A step uses gradients up: the next ones are added to 0, as in PyTorch's engine. */
  private void spent(NDList weights) {
    if (weights == null) {
      return;
    }
    for (NDArray weight : weights) {
      if (own(weight).data().store().companion() instanceof Leaf leaf) {
        leaf.zero();
      }
    }
  }

  @Override
  default void sgdUpdate(
      NDList inputs,
      NDList weights,
      float learningRate,
      float weightDecay,
      float rescaleGrad,
      float clipGrad,
      float momentum,
      boolean lazyUpdate) {
    update(
        inputs,
        weights,
        rescaleGrad,
        clipGrad,
        weightDecay,
        (weight, gradient, states) -> {
          if (momentum == 0) {
            weight.subi(gradient.mul(learningRate));
          } else {
            states[0].muli(momentum).addi(gradient.mul(learningRate));
            weight.subi(states[0]);
          }
        });
  }

  @Override
  default void nagUpdate(
      NDList inputs,
      NDList weights,
      float learningRate,
      float weightDecay,
      float rescaleGrad,
      float clipGrad,
      float momentum) {
    update(
        inputs,
        weights,
        rescaleGrad,
        clipGrad,
        weightDecay,
        (weight, gradient, states) -> {
          if (momentum == 0) {
            weight.subi(gradient.mul(learningRate));
          } else {
            states[0].muli(momentum).addi(gradient);
            weight.subi(gradient.add(states[0].mul(momentum)).mul(learningRate));
          }
        });
  }

  @Override
  default void adagradUpdate(
      NDList inputs,
      NDList weights,
      float learningRate,
      float weightDecay,
      float rescaleGrad,
      float clipGrad,
      float epsilon) {
    update(
        inputs,
        weights,
        rescaleGrad,
        clipGrad,
        weightDecay,
        (weight, gradient, states) -> {
          states[0].addi(gradient.square());
          weight.subi(gradient.mul(learningRate).div(states[0].sqrt().add(epsilon)));
        });
  }

  @Override
  default void adadeltaUpdate(
      NDList inputs,
      NDList weights,
      float weightDecay,
      float rescaleGrad,
      float clipGrad,
      float rho,
      float epsilon) {
    update(
        inputs,
        weights,
        rescaleGrad,
        clipGrad,
        weightDecay,
        (weight, gradient, states) -> {
          states[0].muli(rho).addi(gradient.square().mul(1 - rho));
          NDArray step =
              states[1].add(epsilon).sqrt().div(states[0].add(epsilon).sqrt()).mul(gradient);
          states[1].muli(rho).addi(step.square().mul(1 - rho));
          weight.subi(step);
        });
  }

  @Override
  default void rmspropUpdate(
      NDList inputs,
      NDList weights,
      float learningRate,
      float weightDecay,
      float rescaleGrad,
      float clipGrad,
      float rho,
      float momentum,
      float epsilon,
      boolean centered) {
    update(
        inputs,
        weights,
        rescaleGrad,
        clipGrad,
        weightDecay,
        (weight, gradient, states) -> {
          states[0].muli(rho).addi(gradient.square().mul(1 - rho));
          if (!centered) {
            weight.subi(gradient.mul(learningRate).div(states[0].add(epsilon).sqrt()));
            return;
          }
          states[1].muli(rho).addi(gradient.mul(1 - rho));
          NDArray spread = states[0].sub(states[1].square()).add(epsilon).sqrt();
          states[2].muli(momentum).subi(gradient.mul(learningRate).div(spread));
          weight.addi(states[2]);
        });
  }

  @Override
  default void adamUpdate(
      NDList inputs,
      NDList weights,
      float learningRate,
      float learningRateBiasCorrection,
      float weightDecay,
      float rescaleGrad,
      float clipGrad,
      float beta1,
      float beta2,
      float epsilon,
      boolean lazyUpdate,
      boolean adamw) {
    boolean decays = !adamw && weightDecay != 0;
    float limit = !decays && clipGrad >= 0 ? clipGrad : Float.POSITIVE_INFINITY;
    update(
        inputs,
        weights,
        rescaleGrad,
        decays ? clipGrad : -1,
        adamw ? 0 : weightDecay,
        (weight, given, states) -> {
          double rate = learningRateBiasCorrection;
          double decay = adamw && rate != 0 ? learningRate * (double) weightDecay / rate : 0;
          for (NDArray written : new NDArray[] {weight, states[0], states[1]}) {
            Tape.writes("adamUpdate", (GatunNDArray) written);
          }
          UpdateRule.Adam rule = adam(beta1, beta2, epsilon, rate, decay);
          if (rule != null
              && ArrayKernels.host()
                  .adam(
                      rule,
                      rate,
                      decay,
                      limit,
                      ((GatunNDArray) weight).data(),
                      ((GatunNDArray) given).data(),
                      ((GatunNDArray) states[0]).data(),
                      ((GatunNDArray) states[1]).data())) {
            return;
          }
          NDArray gradient = limit < Float.POSITIVE_INFINITY ? given.clip(-limit, limit) : given;
          if (adamw) {
            weight.subi(weight.mul(learningRate * weightDecay));
          }
          states[0].muli(beta1).addi(gradient.mul(1 - beta1));
          states[1].muli(beta2).addi(gradient.square().mul(1 - beta2));
          weight.subi(states[0].mul(learningRateBiasCorrection).div(states[1].sqrt().add(epsilon)));
        });
  }

  /** The rule of a step of AdamW by the library's kernel; null where there is none for it. */
  private static UpdateRule.Adam adam(
      float beta1, float beta2, float epsilon, double rate, double decay) {
    return beta1 >= 0
            && beta1 < 1
            && beta2 >= 0
            && beta2 < 1
            && epsilon >= 0
            && epsilon < Float.POSITIVE_INFINITY
            && Double.isFinite(rate)
            && decay >= 0
            && decay < Double.POSITIVE_INFINITY
        ? new UpdateRule.Adam(beta1, beta2, epsilon, false, true)
        : null;
  }
}
