package dev.gatun.djl;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import ai.djl.engine.Engine;
import ai.djl.engine.EngineException;
import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDList;
import ai.djl.ndarray.NDManager;
import ai.djl.ndarray.internal.NDArrayEx;
import ai.djl.ndarray.types.DataType;
import ai.djl.ndarray.types.Shape;
import ai.djl.training.GradientCollector;
import dev.gatun.djl.GradientPrograms.GradientProgram;
import java.lang.reflect.Method;
import java.lang.reflect.Modifier;
import java.util.Set;
import java.util.TreeSet;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/** Gradients of each method: those of DJL's PyTorch engine, and differences of results. */
final class GradientTest {
  /** Methods whose results are places, truths or numbers drawn, which have no gradient. */
  private static final Set<String> WITHOUT =
      Set.of(
          "eq",
          "neq",
          "gt",
          "gte",
          "lt",
          "lte",
          "logicalAnd",
          "logicalOr",
          "logicalXor",
          "logicalNot",
          "isNaN",
          "isInfinite",
          "all",
          "any",
          "none",
          "countNonzero",
          "nonzero",
          "argMax",
          "argMin",
          "argSort",
          "oneHot",
          "zerosLike",
          "onesLike",
          "like",
          "getGradient",
          "getArray",
          "real");

  /** Methods that are tested elsewhere, or that the engine lacks. */
  private static final Set<String> ELSEWHERE =
      Set.of(
          "stft",
          "toSparse",
          "rnn",
          "gru",
          "lstm",
          "interpolation",
          "resize",
          "randomFlipLeftRight",
          "randomFlipTopBottom",
          "randomBrightness",
          "randomHue",
          "randomColorJitter",
          "multiBoxTarget",
          "multiBoxPrior",
          "multiBoxDetection");

  static Stream<GradientProgram> programs() {
    return GradientPrograms.all();
  }

  /** Numbers that look random, other ones for each input, with few that are equal. */
  private static double[] numbers(int input, Shape shape) {
    double[] numbers = new double[(int) shape.size()];
    long state = 11 + 31L * input + numbers.length;
    for (int i = 0; i < numbers.length; i++) {
      state = state * 6364136223846793005L + 1442695040888963407L;
      numbers[i] = ((state >>> 33) % 100_003) / 20_000.0 - 2.5;
    }
    return numbers;
  }

  /** The inputs' gradients of the sum of the results, each with a weight of its own. */
  private static double[][] gradients(Engine engine, GradientProgram program, DataType type) {
    try (NDManager manager = engine.newBaseManager()) {
      NDArray[] inputs = new NDArray[program.shapes().size()];
      for (int i = 0; i < inputs.length; i++) {
        Shape shape = program.shapes().get(i);
        inputs[i] = manager.create(numbers(i, shape), shape).toType(type, true);
        inputs[i].setRequiresGradient(true);
      }
      try (GradientCollector collector = engine.newGradientCollector()) {
        collector.backward(weighted(program, inputs));
      }
      double[][] gradients = new double[inputs.length][];
      for (int i = 0; i < inputs.length; i++) {
        NDArray gradient = inputs[i].getGradient();
        assertEquals(inputs[i].getShape(), gradient.getShape());
        assertEquals(inputs[i].getDataType(), gradient.getDataType());
        gradients[i] = gradient.toType(DataType.FLOAT64, false).toDoubleArray();
      }
      return gradients;
    }
  }

  private static NDArray weighted(GradientProgram program, NDArray... inputs) {
    NDArray result = program.run().apply(inputs);
    NDArray weights = result.getManager().create(numbers(9, result.getShape()), result.getShape());
    return result.mul(weights.toType(result.getDataType(), false)).sum();
  }

  private static void same(double[][] expected, double[][] got, double allowed, String what) {
    for (int i = 0; i < expected.length; i++) {
      for (int k = 0; k < expected[i].length; k++) {
        double a = expected[i][k];
        double b = got[i][k];
        assertTrue(
            Double.compare(a, b) == 0 || Math.abs(a - b) <= allowed * Math.max(1, Math.abs(a)),
            "gradient %d of input %d is %s, %s %s".formatted(k, i, b, what, a));
      }
    }
  }

  @ParameterizedTest
  @MethodSource("programs")
  void gradients_are_those_of_pytorch(GradientProgram program) throws Exception {
    assumeTrue(program.peer(), "DJL's PyTorch engine does not have it");
    assumeTrue(
        System.getProperty("os.name").equals("Linux")
            && System.getProperty("os.arch").equals("amd64"),
        "the peer's native library is Linux's on x86-64");
    Models.givingBack(
        () -> {
          Engine own = Engine.getEngine("Gatun");
          Engine peer = Engine.getEngine("PyTorch");
          double[][] wide = gradients(peer, program, DataType.FLOAT64);
          boolean narrowed = program.name().contains("type");
          same(
              wide, gradients(own, program, DataType.FLOAT64), narrowed ? 1e-5 : 1e-8, "PyTorch's");
          // The peer's convolutions of FLOAT32 have other gradients from run to run.
          boolean steady = !program.name().startsWith("convolution");
          double[][] narrow = steady ? gradients(peer, program, DataType.FLOAT32) : wide;
          same(narrow, gradients(own, program, DataType.FLOAT32), 2e-5, "PyTorch's");
        });
  }

  @ParameterizedTest
  @MethodSource("programs")
  void gradients_are_differences(GradientProgram program) throws Exception {
    // What is rounded has steps, and what gradients are held back from has others.
    assumeTrue(
        !program.name().matches("(toT|types|mean of types|round|stopG|scaleG|.*zeros|.*equals).*"));
    Engine own = Engine.getEngine("Gatun");
    Models.givingBack(
        () -> {
          double[][] given = gradients(own, program, DataType.FLOAT64);
          double[][] differences = new double[given.length][];
          try (NDManager manager = own.newBaseManager()) {
            for (int i = 0; i < given.length; i++) {
              differences[i] = new double[given[i].length];
              for (int k = 0; k < given[i].length; k++) {
                double step = 1e-5;
                double above = value(manager, program, i, k, step);
                double below = value(manager, program, i, k, -step);
                differences[i][k] = (above - below) / (2 * step);
              }
            }
          }
          same(differences, given, 1e-5, "the difference");
        });
  }

  private static double value(
      NDManager manager, GradientProgram program, int input, int place, double step) {
    try (NDManager scratch = manager.newSubManager()) {
      NDArray[] inputs = new NDArray[program.shapes().size()];
      for (int i = 0; i < inputs.length; i++) {
        double[] values = numbers(i, program.shapes().get(i));
        if (i == input) {
          values[place] += step;
        }
        inputs[i] = scratch.create(values, program.shapes().get(i));
      }
      return weighted(program, inputs).toType(DataType.FLOAT64, false).getDouble();
    }
  }

  @Test
  void each_method_has_gradients_or_refuses() {
    Set<String> tested =
        GradientPrograms.all()
            .map(program -> program.name().split(" ")[0])
            .collect(Collectors.toCollection(TreeSet::new));
    tested.addAll(WITHOUT);
    tested.addAll(ELSEWHERE);
    tested.addAll(GradientPrograms.refused().keySet());
    Set<String> left = new TreeSet<>();
    for (Class<?> type : new Class<?>[] {NDArray.class, NDArrayEx.class}) {
      for (Method method : type.getMethods()) {
        boolean gives =
            NDArray.class.isAssignableFrom(method.getReturnType())
                || method.getReturnType() == NDList.class;
        if (gives && !Modifier.isStatic(method.getModifiers())) {
          left.add(method.getName());
        }
      }
    }
    assertTrue(left.size() > 150, "methods were found");
    left.removeAll(tested);
    assertEquals(Set.of(), left, "methods without a program of gradients");
  }

  @Test
  void a_method_without_gradients_refuses_an_array_that_needs_one() throws Exception {
    Engine own = Engine.getEngine("Gatun");
    Models.givingBack(
        () -> {
          try (NDManager manager = own.newBaseManager()) {
            NDArray x = manager.ones(new Shape(2, 4));
            x.setRequiresGradient(true);
            GradientPrograms.refused()
                .forEach(
                    (name, call) -> {
                      call.apply(x);
                      try (GradientCollector _ = own.newGradientCollector()) {
                        EngineException refused =
                            assertThrows(EngineException.class, () -> call.apply(x.mul(2)), name);
                        assertTrue(refused.getMessage().startsWith(name), refused.getMessage());
                        call.apply(x.stopGradient());
                      }
                    });
          }
        });
  }
}
