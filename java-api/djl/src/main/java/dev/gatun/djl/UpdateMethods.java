package dev.gatun.djl;

import ai.djl.ndarray.NDList;

/** Steps of optimisers, by DJL's own formulas, which are MXNet's. */
interface UpdateMethods extends ExMethods {
  @Override
  default void adadeltaUpdate(
      NDList inputs,
      NDList weights,
      float weightDecay,
      float rescaleGrad,
      float clipGrad,
      float rho,
      float epsilon) {
    throw missing("adadeltaUpdate");
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
    throw missing("adagradUpdate");
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
    throw missing("adamUpdate");
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
    throw missing("nagUpdate");
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
    throw missing("rmspropUpdate");
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
    throw missing("sgdUpdate");
  }

  private static UnsupportedOperationException missing(String name) {
    return dev.gatun.djl.host.Refusal.unsupported(name);
  }
}
