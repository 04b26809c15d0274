package dev.gatun.kernels.api.call.optim;

/** What kernels tell apart of the {@link UpdateRule}s. */
public enum UpdateFormula {
  /** Without state. */
  SGD,
  SGD_MOMENTUM,
  SGD_NESTEROV,
  ADAM,
  ADAM_AMSGRAD,
  ADAGRAD,
  RMSPROP,
  RMSPROP_CENTERED,
  RMSPROP_MOMENTUM,
  RMSPROP_CENTERED_MOMENTUM,
  ADADELTA
}
