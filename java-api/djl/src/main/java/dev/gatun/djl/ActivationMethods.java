package dev.gatun.djl;

import ai.djl.ndarray.NDArray;
import dev.gatun.djl.host.UnaryOp;
import java.util.function.UnaryOperator;

/** Activation functions, and operations with their sides changed. */
interface ActivationMethods extends ExMethods {
  @Override
  default NDArray rdiv(NDArray b) {
    return b.div(x());
  }

  @Override
  default NDArray rdivi(NDArray b) {
    return over("rdivi", x -> b.div(x));
  }

  @Override
  default NDArray rmodi(NDArray b) {
    return over("rmodi", x -> b.mod(x));
  }

  @Override
  default NDArray rpowi(Number n) {
    try (GatunNDArray number = x().number(n)) {
      return over("rpowi", x -> number.pow(x));
    }
  }

  /** What becomes of the array, in its place and its type. */
  private GatunNDArray over(String op, UnaryOperator<NDArray> function) {
    try (GatunNDArray before = x().duplicate();
        GatunNDArray result = (GatunNDArray) function.apply(before)) {
      return x().overwritten(op, result);
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
    return x().map(
            "leakyRelu",
            value -> value > 0 ? value : alpha * value,
            (value, g) -> value > 0 ? g : alpha * g);
  }

  @Override
  default NDArray elu(float alpha) {
    return x().map(
            "elu",
            value -> value > 0 ? value : alpha * Math.expm1(value),
            (value, g) -> value > 0 ? g : g * alpha * Math.exp(value));
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
