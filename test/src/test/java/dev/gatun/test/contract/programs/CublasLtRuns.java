package dev.gatun.test.contract.programs;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;

import dev.gatun.kernels.api.call.KernelCall;
import dev.gatun.kernels.api.call.elementwise.Activation;
import dev.gatun.kernels.api.call.matmul.BatchedMatmul;
import dev.gatun.kernels.api.call.matmul.Matmul;
import dev.gatun.kernels.api.call.matmul.MatmulPack;
import dev.gatun.kernels.api.device.Backend;
import dev.gatun.kernels.api.memory.DType;
import dev.gatun.kernels.api.memory.Operand;
import dev.gatun.test.contract.cases.Cases;
import dev.gatun.test.contract.cases.Draw;
import dev.gatun.test.contract.cases.Family;
import dev.gatun.test.contract.frame.Case;
import dev.gatun.test.contract.frame.CudaAgreement;
import dev.gatun.test.contract.frame.Data;
import dev.gatun.test.contract.frame.Runs;
import dev.gatun.test.contract.frame.Subjects;
import dev.gatun.test.contract.frame.Target;
import dev.gatun.test.contract.frame.Values;
import dev.gatun.test.emulator.Emulator;
import dev.gatun.test.emulator.Emulator.Policy;
import java.util.List;
import java.util.Set;
import java.util.function.Function;
import java.util.stream.Stream;

/**
 * A program: products on the emulator where cuBLASLt is installed, which packs weights in rows.
 * With {@code contract N}, N cases of each kind against the reference; with {@code one}, a product
 * of numbers that TF32 rounds.
 */
public final class CublasLtRuns {
  private static final Backend CUDA = Emulator.open();
  private static final Set<String> KERNELS = Set.of("matmul_pack", "matmul", "batched_matmul");

  private static final Function<Function<String, Operand>, KernelCall> RELU =
      of -> new Matmul(of.apply("x"), of.apply("packed"), null, Activation.RELU, of.apply("y"));

  private CublasLtRuns() {}

  public static void main(String[] arguments) {
    CUDA.details().forEach(System.out::println);
    if (arguments[0].equals("one")) {
      one();
      return;
    }
    int each = Integer.parseInt(arguments[1]);
    List<Draw> draws =
        Stream.of(Family.PLAIN, Family.TILES)
            .flatMap(family -> Cases.draws(family, Target.EMULATED, each))
            .filter(draw -> KERNELS.contains(kernel(draw)))
            .toList();
    for (Draw draw : draws) {
      Case c = draw.make();
      if (kernel(draw).equals("matmul_pack")) {
        pack(c);
      } else {
        CudaAgreement.check(
            kernel(draw).equals("batched_matmul") ? c : inRows(c),
            CUDA,
            draw.isAligned(),
            List.of(Policy.ROUND_ROBIN, Policy.RANDOM));
      }
    }
    System.out.println("done: " + draws.size());
  }

  /** Without what is special of its cases. */
  private static String kernel(Draw draw) {
    return draw.generator().name().replaceFirst("-.*", "");
  }

  private static void pack(Case c) {
    Data weight = c.data("weight");
    DType dtype = c.data("packed").dtype();
    int[] panels = Runs.run(c, Subjects.EXACT).get("packed");
    if (weight.shape().length == 3) {
      assertArrayEquals(panels, Runs.run(c, CUDA).get("packed"), c.toString());
      return;
    }
    int[] rows = rows(panels, dtype, (int) weight.shape()[0], (int) weight.shape()[1]);
    assertArrayEquals(rows, Runs.run(c, CUDA).get("packed"), c.toString());
    Case other =
        Case.exact(
            c.description(),
            c.data(),
            of -> new MatmulPack(grouped(of.apply("weight")), of.apply("packed")));
    assertArrayEquals(panels, Runs.run(other, CUDA).get("packed"), c.toString());
  }

  /** A weight as that of one expert. */
  private static Operand grouped(Operand w) {
    return new Operand(
        w.buffer(),
        w.offset(),
        w.dtype(),
        new long[] {1, w.size(0), w.size(1)},
        new long[] {0, w.stride(0), w.stride(1)});
  }

  /** The same numbers [n, k] in rows, zeros behind. */
  private static int[] rows(int[] panels, DType dtype, int n, int k) {
    int[] rows = new int[panels.length];
    for (int i = 0; i < n * k; i++) {
      rows[i] = panels[(int) MatmulPack.place(dtype, i / k, i % k, k)];
    }
    return rows;
  }

  private static Case inRows(Case c) {
    long n = c.data("y").shape()[1];
    long k = c.data("x").shape()[1];
    List<Data> data =
        c.data().stream()
            .map(
                d -> {
                  if (!d.name().equals("packed")) {
                    return d;
                  }
                  double[] rows = new double[d.count()];
                  for (int i = 0; i < n * k; i++) {
                    rows[i] = d.values()[(int) MatmulPack.place(d.dtype(), i / k, i % k, k)];
                  }
                  return d.withValues(Values.of(rows));
                })
            .toList();
    return new Case(c.description(), data, c.call(), c.exact(), c.widened());
  }

  private static float y(Case c) {
    return Float.intBitsToFloat(Runs.run(c, CUDA).get("y")[0]);
  }

  private static Case batched(List<Data> data) {
    return Case.of(
        "one product of a batch",
        data,
        of -> new BatchedMatmul(of.apply("a"), of.apply("b"), of.apply("y"), false));
  }

  private static Data half(Data data) {
    return data.withDtype(DType.F16);
  }

  private static void one() {
    double number = 1 + Math.scalb(1.0, -12);
    Case c =
        Case.of(
            "one product",
            List.of(
                Data.rows("x", DType.F32, Values.of(number), 1, 1),
                Data.input(1, "packed", r -> 1, MatmulPack.packedCount(DType.F32, 1, 1)),
                Data.output("y", 1, 1)),
            of ->
                new Matmul(
                    of.apply("x"), of.apply("packed"), null, Activation.NONE, of.apply("y")));
    Data factor = Data.rows("a", DType.F32, Values.of(number), 1, 1, 1);
    Data one = Data.rows("b", DType.F32, Values.of(1), 1, 1, 1);
    List<Data> factors = List.of(factor, one, Data.output("y", 1, 1, 1));
    try {
      System.out.println("y = " + y(c));
      System.out.println("batched = " + y(batched(factors)));
      System.out.println(
          "F16 = " + y(batched(List.of(half(factor), half(one), factors.getLast()))));
      List<Data> narrow = List.of(half(c.data("x")), half(c.data("packed")), c.data("y"));
      System.out.println(
          "RELU of F16 = " + y(new Case(c.description(), narrow, RELU, false, null)));
    } catch (RuntimeException e) {
      System.out.println(e.getMessage());
    }
    System.out.println("held: " + CUDA.memory().allocatedBytes());
    System.out.println("cpu: " + Runs.run(c, Subjects.CPU).get("y").length);
  }
}
