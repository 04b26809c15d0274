package dev.gatun.test.contract.frame;

import dev.gatun.kernels.api.call.KernelCall;
import dev.gatun.kernels.api.memory.DType;
import dev.gatun.kernels.api.memory.Operand;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import java.util.Set;
import java.util.function.Function;

/**
 * One call that every backend must get right.
 *
 * @param description the kernel, its settings and the seed
 * @param data the operands
 * @param call makes the call; a name that has no data gives null
 * @param exact whether results must equal the reference's to the bit
 * @param oracle the case in F32 whose results are right, where widening the operands is not enough;
 *     or null
 */
public record Case(
    String description,
    List<Data> data,
    Function<Function<String, Operand>, KernelCall> call,
    boolean exact,
    Case oracle) {

  /** Above it numbers are not moved. */
  private static final float MOST = 1 << 20;

  public static Case of(
      String description, List<Data> data, Function<Function<String, Operand>, KernelCall> call) {
    return new Case(description, data, call, false, null);
  }

  public static Case exact(
      String description, List<Data> data, Function<Function<String, Operand>, KernelCall> call) {
    return new Case(description, data, call, true, null);
  }

  /** The same case, judged by another one's results. */
  public Case withOracle(Case other) {
    return new Case(description, data, call, exact, other);
  }

  /** The same case, where rounding to the outputs' types is what is tested. */
  public Case likeItself() {
    return withOracle(this);
  }

  /**
   * The same case with its floats in F32, BF16 or F16.
   *
   * @param parameters operands that may stay F32, all of them or none
   */
  public Case inSomeDtype(Random random, String... parameters) {
    DType dtype = new DType[] {DType.F32, DType.F32, DType.BF16, DType.F16}[random.nextInt(4)];
    Set<String> kept = random.nextBoolean() ? Set.of(parameters) : Set.of();
    return in(dtype, kept);
  }

  /** The same case with its F32 operands in another type, but for some. */
  public Case in(DType dtype, Set<String> kept) {
    List<Data> other =
        data.stream()
            .map(d -> d.dtype() != DType.F32 || kept.contains(d.name()) ? d : d.withDtype(dtype))
            .toList();
    return new Case(description + " " + dtype, other, call, exact, oracle);
  }

  /** The same case in F32. */
  public Case widened() {
    return oracle != null
        ? oracle
        : new Case(description, data.stream().map(Data::widened).toList(), call, exact, null);
  }

  /**
   * The same case with its F32 inputs rounded once more: of four elements one, by chance, is the
   * next float above or below. That is what a rounding by half a unit in the last place does on
   * average. Numbers that stand for infinity, as an additive mask's, stay.
   */
  Case moved(long seed) {
    List<Data> other = new ArrayList<>();
    for (Data d : data) {
      boolean moves = d.dtype() == DType.F32 && d.contents() != null;
      long own = 31 * seed + other.size();
      other.add(moves ? d.withValues(d.contents().changed(v -> moved(v, own))) : d);
    }
    return new Case(description, other, call, exact, null);
  }

  private static double[] moved(double[] values, long seed) {
    Random random = Seeds.random(seed);
    for (int i = 0; i < values.length; i++) {
      float x = (float) values[i];
      int way = random.nextInt(8);
      if (way < 2 && x != 0 && Math.abs(x) < MOST) {
        values[i] = way == 0 ? Math.nextUp(x) : Math.nextDown(x);
      }
    }
    return values;
  }

  /** The narrowest floating-point type of the operands. */
  DType dtype() {
    return data.stream()
        .map(Data::dtype)
        .filter(d -> d == DType.BF16 || d == DType.F16)
        .findAny()
        .orElse(DType.F32);
  }

  public Data data(String name) {
    return data.stream().filter(d -> d.name().equals(name)).findAny().orElseThrow();
  }

  @Override
  public String toString() {
    return description + " " + data;
  }
}
