package dev.gatun.test.contract;

import dev.gatun.kernels.api.DType;
import dev.gatun.kernels.api.KernelCall;
import dev.gatun.kernels.api.Operand;
import java.util.List;
import java.util.function.Function;

/**
 * One call that every backend must get right.
 *
 * @param description the kernel, its settings and the seed
 * @param data the operands
 * @param call makes the call; a name that has no data gives null
 * @param exact whether results must equal the reference's to the bit
 */
record Case(
    String description,
    List<Data> data,
    Function<Function<String, Operand>, KernelCall> call,
    boolean exact) {

  static Case of(
      String description, List<Data> data, Function<Function<String, Operand>, KernelCall> call) {
    return new Case(description, data, call, false);
  }

  static Case exact(
      String description, List<Data> data, Function<Function<String, Operand>, KernelCall> call) {
    return new Case(description, data, call, true);
  }

  /** The same case in F32. */
  Case widened() {
    return new Case(description, data.stream().map(Data::widened).toList(), call, exact);
  }

  /** The narrowest floating-point type of the operands. */
  DType dtype() {
    return data.stream()
        .map(Data::dtype)
        .filter(d -> d == DType.BF16 || d == DType.F16)
        .findAny()
        .orElse(DType.F32);
  }

  Data data(String name) {
    return data.stream().filter(d -> d.name().equals(name)).findAny().orElseThrow();
  }

  @Override
  public String toString() {
    return description + " " + data;
  }
}
