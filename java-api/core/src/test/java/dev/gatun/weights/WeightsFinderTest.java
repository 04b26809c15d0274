package dev.gatun.weights;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;

import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.Test;

final class WeightsFinderTest {
  @Test
  void the_dependency_that_is_missing_is_named() {
    Path file = Path.of("model.onnx");
    String said =
        assertThrows(WeightsException.class, () -> WeightsFinder.provided(file, ".onnx", List.of()))
            .getMessage();
    assertEquals(
        "model.onnx: nothing here reads ONNX: add the dependency dev.gatun:gatun-onnx", said);
  }
}
