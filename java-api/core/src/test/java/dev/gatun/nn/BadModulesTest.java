package dev.gatun.nn;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.gatun.kernels.api.call.elementwise.Activation;
import dev.gatun.tensor.Device;
import dev.gatun.tensor.Tensor;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.function.Executable;

final class BadModulesTest {
  private static final Device CPU = Device.cpu();

  private long before;

  @BeforeEach
  void remember() {
    before = CPU.memory().allocatedBytes();
  }

  @AfterEach
  void nothing_is_held() {
    assertEquals(before, CPU.memory().allocatedBytes());
  }

  private static void bad(String message, Executable use) {
    String said = assertThrows(IllegalArgumentException.class, use).getMessage();
    assertTrue(said.contains(message), said);
  }

  private static Linear linear(int out) {
    try (Tensor weight = Tensor.zeros(CPU, out, 4)) {
      return Linear.of(weight, null, Activation.NONE);
    }
  }

  @Test
  void attention() {
    Linear four = linear(4);
    try (Linear six = linear(6);
        MultiHeadAttention module = new MultiHeadAttention(four, four, four, four, 2);
        Tensor x = Tensor.zeros(CPU, 2, 3, 4);
        Tensor flat = Tensor.zeros(CPU, 3, 4);
        Tensor wide = Tensor.zeros(CPU, 2, 3, 5);
        Tensor deep = Tensor.zeros(CPU, 1, 1, 1, 1, 3);
        Tensor ids = Tensor.of(CPU, new long[9], 3, 3)) {
      bad("3 heads do not divide", () -> new MultiHeadAttention(four, four, four, four, 3));
      bad("0 heads do not divide", () -> new MultiHeadAttention(four, four, four, four, 0));
      bad("keys of 6", () -> new MultiHeadAttention(four, six, four, four, 2));
      bad("F32[3, 4]@cpu, expected [batch,", () -> module.forward(x, flat, x, null, true));
      bad("matmul: weight is", () -> module.forward(x, wide, x, null, true));
      bad("mask is F32[1, 1, 1, 1, 3]@cpu", () -> module.forward(x, x, x, deep, true));
      bad("bias is F32[1, 1, 3, 4]", () -> module.forward(x, x, x, flat, true));
      bad("I64[3, 3]@cpu: expected F32", () -> module.forward(x, x, x, ids, true));
    }
  }

  @Test
  void positions() {
    bad("d_model 3 and max_length 5", () -> new PositionalEncoding(CPU, 3, 5).close());
    bad("max_length 0", () -> new PositionalEncoding(CPU, 4, 0).close());
    bad("max_length 1073741824", () -> new PositionalEncoding(CPU, 4, 1 << 30).close());
    bad("head_size 5", () -> new RotaryPositionalEmbedding(CPU, 5, 5, 1e4).close());
    bad("'rope_theta' is NaN", () -> new RotaryPositionalEmbedding(CPU, 4, 5, Double.NaN).close());
    bad("2147483646", () -> new RotaryPositionalEmbedding(CPU, 2147483646, 9, 1e4).close());
    try (PositionalEncoding module = new PositionalEncoding(CPU, 4, 5);
        Tensor longer = Tensor.zeros(CPU, 1, 6, 4);
        Tensor flat = Tensor.zeros(CPU, 5, 4)) {
      bad("x is F32[1, 6, 4]@cpu, expected [batch, up to 5, 4]", () -> module.forward(longer));
      bad("x is F32[5, 4]@cpu", () -> module.forward(flat));
    }
  }

  @Test
  void layers() {
    try (Tensor weight = Tensor.zeros(CPU, 3, 4);
        Tensor bias = Tensor.zeros(CPU, 4);
        Tensor row = Tensor.zeros(CPU, 1, 4)) {
      bad("linear: bias is F32[4]@cpu", () -> Linear.of(weight, bias, Activation.NONE).close());
      bad("pack: weight is F32[4]@cpu", () -> Linear.of(bias, null, Activation.NONE).close());
      LayerNorm norm = new LayerNorm(row, null, 1e-5f);
      bad("layer_norm: weight is F32[1, 4], expected 1 axes", () -> norm.forward(weight));
    }
  }
}
