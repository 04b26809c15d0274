package dev.gatun.kernels.api.call.optim;

/** What kernels tell apart of the {@link UpdateRule}s. */
public enum UpdateFormula {
  /** Gradient descent without state. */
  SGD,
  /** With a momentum. */
  SGD_MOMENTUM,
  /** With Nesterov's momentum. */
  SGD_NESTEROV,
  /** Adam, with weight decay in the gradient or beside it. */
  ADAM,
  /** Adam by the largest second moment so far. */
  ADAM_AMSGRAD,
  /** Adagrad. */
  ADAGRAD,
  /** RMSprop. */
  RMSPROP,
  /** By the variance of gradients. */
  RMSPROP_CENTERED,
  /** With a momentum. */
  RMSPROP_MOMENTUM,
  /** With both. */
  RMSPROP_CENTERED_MOMENTUM,
  /** Adadelta. */
  ADADELTA
}
