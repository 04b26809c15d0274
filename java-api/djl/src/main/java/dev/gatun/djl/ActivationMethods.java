package dev.gatun.djl;

import ai.djl.ndarray.NDArray;
import dev.gatun.djl.host.UnaryOp;

/** Activation functions, and operations with their sides changed. */
interface ActivationMethods extends ExMethods {
  @Override
  default NDArray rdiv(Number n) {
    try (GatunNDArray number = x().number(n)) {
      return number.div(x());
    }
  }

  @Override
  default NDArray rdiv(NDArray b) {
    return b.div(x());
  }

  @Override
  default NDArray rdivi(NDArray b) {
    return over(b.div(x()));
  }

  @Override
  default NDArray rmodi(NDArray b) {
    return over(b.mod(x()));
  }

  @Override
  default NDArray rpowi(Number n) {
    try (GatunNDArray number = x().number(n)) {
      return over(number.pow(x()));
    }
  }

  /** A result in the array's place, in its type. */
  private GatunNDArray over(NDArray result) {
    try (result) {
      result.copyTo(x());
      return x();
    }
  }

  @Override
  default NDArray relu() {
    return x().unary(UnaryOp.RELU);
  }

  @Override
  default NDArray sigmoid() {
    return x().unary(UnaryOp.SIGMOID);
  }

  @Override
  default NDArray tanh() {
    return x().tanh();
  }

  @Override
  default NDArray softPlus() {
    return x().unary(UnaryOp.SOFTPLUS);
  }

  @Override
  default NDArray softSign() {
    return x().unary(UnaryOp.SOFTSIGN);
  }

  @Override
  default NDArray leakyRelu(float alpha) {
    return x().map(value -> value > 0 ? value : alpha * value);
  }

  @Override
  default NDArray elu(float alpha) {
    return x().map(value -> value > 0 ? value : alpha * Math.expm1(value));
  }

  @Override
  default NDArray selu() {
    return x().unary(UnaryOp.SELU);
  }

  @Override
  default NDArray gelu() {
    return x().unary(UnaryOp.GELU);
  }
}
