package dev.gatun.kernels.api.call.elementwise;

/** Element-wise activation functions, fused into a matmul or on their own. */
public enum Activation {
  /** {@code x}. */
  NONE,
  /** {@code max(x, 0)}. */
  RELU,
  /** {@code x Φ(x)} by the error function (Hendrycks and Gimpel, arXiv 1606.08415). */
  GELU,
  /** {@code 0.5 x (1 + tanh(√(2/π) (x + 0.044715 x³)))}, the same paper's approximation. */
  GELU_TANH,
  /** {@code tanh(x)}. */
  TANH,
  /** {@code 1 / (1 + exp(-x))}. */
  SIGMOID,
  /** {@code x sigmoid(x)}, also named swish. */
  SILU,
  /** {@code x sigmoid(1.702 x)}. */
  QUICK_GELU
}
