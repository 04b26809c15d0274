package dev.gatun.nn;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.gatun.autograd.Gradients;
import dev.gatun.autograd.Tape;
import dev.gatun.kernels.api.call.elementwise.Activation;
import dev.gatun.kernels.api.memory.DType;
import dev.gatun.kernels.api.memory.Storage;
import dev.gatun.ops.Elementwise;
import dev.gatun.ops.Reductions;
import dev.gatun.tensor.Device;
import dev.gatun.tensor.Scope;
import dev.gatun.tensor.Tensor;
import dev.gatun.weights.TensorFile;
import java.io.IOException;
import java.lang.foreign.ValueLayout;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** The gradients of multi-head attention against PyTorch's. */
final class SeedGradientsTest {
  private static final Device CPU = Device.cpu();
  private static final Path GOLDEN = Path.of("../../test/goldens/seed-mha");

  @ParameterizedTest
  @ValueSource(strings = {"self", "causal", "cross", "nothing"})
  void of_multi_head_attention_equal_the_reference(String name) throws IOException {
    try (TensorFile file = TensorFile.open(GOLDEN.resolve("expected.safetensors"));
        TensorFile gradients = TensorFile.open(GOLDEN.resolve("gradients.safetensors"));
        Scope _ = Scope.open()) {
      Map<String, Tensor> leaves = new LinkedHashMap<>();
      MultiHeadAttention attention =
          new MultiHeadAttention(
              linear(file, "w_q", leaves),
              linear(file, "w_k", leaves),
              linear(file, "w_v", leaves),
              linear(file, "w_o", leaves),
              6);
      Tensor query = tensor(file, "in." + name + ".query");
      Tensor keyValue = tensor(file, "in." + name + ".key_value");
      leaves.put("query", query);
      leaves.put("key_value", keyValue);
      String mask = "in." + name + ".mask";
      Tensor seen = file.names().contains(mask) ? tensor(file, mask) : null;
      try (Tape tape = Tape.record(leaves.values())) {
        Tensor output = attention.forward(query, keyValue, keyValue, seen, false).output();
        Tensor loss = Reductions.sum(Elementwise.multiply(output, output));
        try (Gradients got = tape.backward(loss)) {
          leaves.forEach(
              (leaf, tensor) ->
                  close(gradients.get(name + "." + leaf), got.of(tensor).toFloatArray()));
        }
      }
      attention.close();
    }
  }

  private static Linear linear(TensorFile file, String name, Map<String, Tensor> leaves) {
    Parameter weight = new Parameter(name, tensor(file, "weight." + name + ".weight"));
    Tensor bias = tensor(file, "weight." + name + ".bias");
    leaves.put(name + ".weight", weight.tensor());
    leaves.put(name + ".bias", bias);
    return new TrainableLinear(
        weight.tensor(), List.of(weight), bias, Activation.NONE, Storage.F32, DType.F32);
  }

  private static Tensor tensor(TensorFile file, String name) {
    TensorFile.Entry entry = file.get(name);
    return Tensor.of(CPU, entry.data().toArray(ValueLayout.JAVA_FLOAT), entry.shape());
  }

  private static void close(TensorFile.Entry want, float[] got) {
    assertEquals(want.elements(), got.length, want.name());
    double largest = 0;
    double worst = 0;
    for (int i = 0; i < got.length; i++) {
      float value = want.data().getAtIndex(ValueLayout.JAVA_FLOAT_UNALIGNED, i);
      largest = Math.max(largest, Math.abs(value));
      double off = Math.abs((double) value - got[i]);
      worst = off > worst || Double.isNaN(off) ? off : worst;
    }
    // That of the keys' biases is rounding noise: softmax does not see what all its scores share.
    double scale = want.name().endsWith("w_k.bias") ? 10 : Math.max(1, largest);
    assertTrue(worst <= 1e-6 * scale, "%s: off by %g of %g".formatted(want.name(), worst, largest));
  }
}
