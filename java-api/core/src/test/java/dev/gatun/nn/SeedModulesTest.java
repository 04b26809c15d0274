package dev.gatun.nn;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.gatun.kernels.api.call.elementwise.Activation;
import dev.gatun.tensor.Device;
import dev.gatun.tensor.Scope;
import dev.gatun.tensor.Tensor;
import dev.gatun.weights.TensorFile;
import java.io.IOException;
import java.lang.foreign.ValueLayout;
import java.nio.file.Path;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/** The modules of their own against PyTorch's results. */
final class SeedModulesTest {
  private static final Device CPU = Device.cpu();
  private static final int[] ROWS = {0, 1, 2, 100, 1023, 4096, 4999};

  private Scope scope;

  @BeforeEach
  void open() {
    scope = Scope.open();
  }

  @AfterEach
  void close() {
    scope.close();
  }

  @ParameterizedTest
  @ValueSource(strings = {"self", "causal", "cross", "nothing"})
  void multi_head_attention_equals_the_reference(String name) throws IOException {
    try (TensorFile file = open("seed-mha");
        MultiHeadAttention attention =
            new MultiHeadAttention(
                linear(file, "w_q"),
                linear(file, "w_k"),
                linear(file, "w_v"),
                linear(file, "w_o"),
                6)) {
      Tensor query = tensor(file, "in." + name + ".query");
      Tensor keyValue = tensor(file, "in." + name + ".key_value");
      String mask = "in." + name + ".mask";
      MultiHeadAttention.Result result =
          attention.forward(
              query,
              keyValue,
              keyValue,
              file.names().contains(mask) ? tensor(file, mask) : null,
              true);
      close(file, "out." + name + ".output", result.output().toFloatArray());
      close(file, "out." + name + ".attention_weights", result.attentionWeights().toFloatArray());
    }
  }

  @Test
  void positional_encoding_equals_the_reference() throws IOException {
    try (TensorFile file = open("seed-positions");
        PositionalEncoding small = new PositionalEncoding(CPU, 48, 64);
        PositionalEncoding large = new PositionalEncoding(CPU, 128, 5000)) {
      close(file, "out.sinusoidal.48", small.table().toFloatArray());
      float[] all = large.table().toFloatArray();
      float[] some = new float[ROWS.length * 128];
      for (int i = 0; i < ROWS.length; i++) {
        System.arraycopy(all, ROWS[i] * 128, some, i * 128, 128);
      }
      // A frequency rounded to the neighbouring float moves the angle by up to 2^-24 a position.
      float[] want = values(file, "out.sinusoidal.128");
      for (int i = 0; i < want.length; i++) {
        assertEquals(want[i], some[i], 1e-5 + ROWS[i / 128] * 0x1p-24, "row " + ROWS[i / 128]);
      }
    }
  }

  @ParameterizedTest
  @CsvSource({"16, 10000", "64, 500000"})
  void rotary_tables_equal_the_reference(int size, double base) throws IOException {
    try (TensorFile file = open("seed-positions");
        RotaryPositionalEmbedding rotary = new RotaryPositionalEmbedding(CPU, size, 40, base)) {
      close(file, "out.rotary." + size + ".cos", twice(rotary.cosine().toFloatArray(), size / 2));
      close(file, "out.rotary." + size + ".sin", twice(rotary.sine().toFloatArray(), size / 2));
    }
  }

  private static float[] twice(float[] half, int width) {
    float[] full = new float[2 * half.length];
    for (int i = 0; i < half.length; i++) {
      int at = i / width * 2 * width + i % width;
      full[at] = half[i];
      full[at + width] = half[i];
    }
    return full;
  }

  private static TensorFile open(String name) throws IOException {
    return TensorFile.open(Path.of("../../test/goldens", name, "expected.safetensors"));
  }

  private static Linear linear(TensorFile file, String name) {
    return new Linear(
        tensor(file, "weight." + name + ".weight"),
        tensor(file, "weight." + name + ".bias"),
        Activation.NONE);
  }

  private static Tensor tensor(TensorFile file, String name) {
    return Tensor.of(CPU, values(file, name), file.get(name).shape());
  }

  private static float[] values(TensorFile file, String name) {
    return file.get(name).data().toArray(ValueLayout.JAVA_FLOAT);
  }

  private static void close(TensorFile file, String name, float[] got) {
    float[] want = values(file, name);
    assertEquals(want.length, got.length, name);
    float largest = 0;
    float worst = 0;
    for (int i = 0; i < want.length; i++) {
      largest = Math.max(largest, Math.abs(want[i]));
      worst = Math.max(worst, Math.abs(want[i] - got[i]));
    }
    assertTrue(worst <= 1e-4 * largest, "%s: off by %g of %g".formatted(name, worst, largest));
  }
}
