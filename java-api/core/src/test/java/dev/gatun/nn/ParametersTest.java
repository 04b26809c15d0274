package dev.gatun.nn;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.gatun.kernels.api.memory.DType;
import dev.gatun.tensor.Device;
import dev.gatun.tensor.Scope;
import dev.gatun.tensor.Tensor;
import java.util.List;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

final class ParametersTest {
  private final Scope scope = Scope.open();
  private final List<Parameter> parameters =
      List.of(
          parameter("bert.embeddings.word_embeddings.weight", 3, 2),
          parameter("bert.embeddings.LayerNorm.weight", 2),
          parameter("bert.encoder.layer.0.attention.self.query.weight", 2, 2),
          parameter("bert.encoder.layer.0.attention.self.query.bias", 2),
          parameter("bert.encoder.layer.10.attention.self.query.weight", 2, 2),
          parameter("block.0.relative_attention_bias.weight", 2, 2));

  @AfterEach
  void close() {
    scope.close();
  }

  private static Parameter parameter(String name, long... shape) {
    return new Parameter(name, Tensor.zeros(Device.cpu(), shape));
  }

  private List<String> frozen() {
    return parameters.stream().filter(p -> !p.isTrainable()).map(Parameter::name).toList();
  }

  @Test
  void freezes_by_name_module_and_pattern() {
    Parameters.freeze(parameters, "bert.encoder.layer.0.attention.self.query.bias");
    assertEquals(List.of(parameters.get(3).name()), frozen());
    Parameters.freeze(parameters, "bert.embeddings", "*.layer.1*.query.weight");
    assertEquals(
        List.of(0, 1, 3, 4).stream().map(i -> parameters.get(i).name()).toList(), frozen());
    Parameters.unfreeze(parameters, "*");
    assertEquals(List.of(), frozen());
    Parameters.freeze(parameters, "bert.encoder.layer.1*");
    assertEquals(List.of(parameters.get(4).name()), frozen());
  }

  @Test
  void a_name_is_no_regular_expression_and_no_prefix_of_another() {
    for (String pattern :
        List.of("bert.encoder.layer.1", "bert.embedding", "bert.embeddings.w.r*")) {
      assertThrows(
          IllegalArgumentException.class, () -> Parameters.freeze(parameters, pattern), pattern);
    }
  }

  @Test
  void an_unknown_name_is_told_and_nothing_is_frozen() {
    IllegalArgumentException e =
        assertThrows(
            IllegalArgumentException.class,
            () -> Parameters.freeze(parameters, "bert.embeddings", "bert.encoder.layer.2"));
    assertTrue(e.getMessage().contains("'bert.encoder.layer.2'"), e.getMessage());
    assertTrue(e.getMessage().contains("bert.embeddings.word_embeddings.weight"), e.getMessage());
    assertEquals(List.of(), frozen());
  }

  @Test
  void groups_are_those_of_transformers() {
    parameters.getFirst().setTrainable(false);
    List<Parameters.Group> groups = Parameters.groups(parameters, 0.01f);
    assertEquals(2, groups.size());
    assertEquals(0.01f, groups.get(0).weightDecay());
    assertEquals(List.of(parameters.get(2), parameters.get(4)), groups.get(0).parameters());
    assertEquals(0, groups.get(1).weightDecay());
    // By its name transformers takes the table of T5's biases of scores for one.
    assertEquals(
        List.of(parameters.get(1), parameters.get(3), parameters.get(5)),
        groups.get(1).parameters());
    assertEquals(1, Parameters.groups(parameters.subList(1, 2), 0.01f).size());
  }

  @Test
  void numbers_are_written_and_told() {
    Parameter p = parameters.get(3);
    assertEquals(0, p.version());
    p.write(1, 2);
    assertEquals(1, p.version());
    assertArrayEquals(new float[] {1, 2}, p.tensor().toFloatArray());
    assertThrows(IllegalArgumentException.class, () -> p.write(1));
    assertEquals(1, p.version());
    assertTrue(p.isTrainable());
    assertFalse(p.isDecayed());
  }

  @Test
  void other_tensors_are_refused() {
    Tensor half = Tensor.zeros(Device.cpu(), DType.F16, 2);
    assertThrows(IllegalArgumentException.class, () -> new Parameter("x", half));
    Tensor gaps = Tensor.zeros(Device.cpu(), 2, 4).slice(1, 0, 2);
    assertThrows(IllegalArgumentException.class, () -> new Parameter("x", gaps));
  }
}
