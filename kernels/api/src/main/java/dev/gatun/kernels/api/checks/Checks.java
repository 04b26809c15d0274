package dev.gatun.kernels.api.checks;

import dev.gatun.kernels.api.memory.BlockFormat;
import dev.gatun.kernels.api.memory.DType;
import dev.gatun.kernels.api.memory.Indices;
import dev.gatun.kernels.api.memory.Memory;
import dev.gatun.kernels.api.memory.Operand;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Objects;
import java.util.function.LongSupplier;

/**
 * The checks that the kernel records share; each failure names the kernel, the operand and both
 * shapes.
 */
public final class Checks {
  private Checks() {}

  public static IllegalArgumentException bad(String kernel, String message, Object... values) {
    return new IllegalArgumentException(kernel + ": " + message.formatted(values));
  }

  /** Requires an operand with a dtype and rank. */
  public static void operand(String kernel, String name, Operand operand, DType dtype, int rank) {
    if (operand == null) {
      throw bad(kernel, "%s is missing", name);
    }
    if (operand.dtype() != dtype) {
      throw bad(kernel, "%s is %s, expected %s", name, operand, dtype);
    }
    if (operand.rank() != rank) {
      throw bad(kernel, "%s is %s, expected %d axes", name, operand, rank);
    }
  }

  /** Requires a floating-point operand that kernels compute with, and gives its dtype. */
  public static DType floats(String kernel, String name, Operand operand) {
    if (operand == null) {
      throw bad(kernel, "%s is missing", name);
    }
    return switch (operand.dtype()) {
      case F32, BF16, F16 -> operand.dtype();
      default -> throw bad(kernel, "%s is %s, expected F32, BF16 or F16", name, operand);
    };
  }

  /** Requires a contiguous operand of this shape in F32 or another operand's dtype. */
  public static void floatOr(
      String kernel, String name, Operand operand, DType dtype, long... shape) {
    DType own = floats(kernel, name, operand);
    if (own != dtype && own != DType.F32) {
      throw bad(
          kernel,
          "%s is %s, expected %s",
          name,
          operand,
          dtype == DType.F32 ? dtype : "F32 or " + dtype);
    }
    shaped(kernel, name, operand, own, shape);
    contiguous(kernel, name, operand);
  }

  /** Requires at most {@link Operand#MOST_AXES} axes. */
  public static void fewAxes(String kernel, String name, Operand operand) {
    if (operand == null) {
      throw bad(kernel, "%s is missing", name);
    }
    if (operand.rank() > Operand.MOST_AXES) {
      throw bad(kernel, "%s is %s, expected at most %d axes", name, operand, Operand.MOST_AXES);
    }
  }

  /** Requires at most {@link Operand#MOST_AXES} axes and no two elements at one place. */
  public static void apart(String kernel, String name, Operand operand) {
    fewAxes(kernel, name, operand);
    if (!operand.isApart()) {
      throw bad(
          kernel,
          "%s %s has strides %s, expected no two elements at one place",
          name,
          operand,
          Arrays.toString(operand.strides()));
    }
  }

  /** The operand repeated to the shape of y; requires a dtype and a shape that can be. */
  public static Operand expanded(
      String kernel, String name, Operand operand, DType dtype, Operand y) {
    if (operand == null) {
      throw bad(kernel, "%s is missing", name);
    }
    if (operand.dtype() != dtype) {
      throw bad(kernel, "%s is %s, expected %s", name, operand, dtype);
    }
    if (!operand.expands(y.shape())) {
      throw bad(kernel, "%s is %s, cannot be broadcast to y %s", name, operand, y);
    }
    return operand.expand(y.shape());
  }

  /** Requires an F32 operand with each axis of the full length or of 1. */
  public static void broadcast(String kernel, String name, Operand operand, long... full) {
    operand(kernel, name, operand, DType.F32, full.length);
    for (int axis = 0; axis < full.length; axis++) {
      if (operand.size(axis) != full[axis] && operand.size(axis) != 1) {
        throw bad(
            kernel, "%s is %s, expected %s or 1 on an axis", name, operand, Arrays.toString(full));
      }
    }
  }

  /** Requires an operand of exactly this shape. */
  public static void shaped(
      String kernel, String name, Operand operand, DType dtype, long... shape) {
    operand(kernel, name, operand, dtype, shape.length);
    if (!Arrays.equals(operand.shape(), shape)) {
      throw bad(kernel, "%s is %s, expected shape %s", name, operand, Arrays.toString(shape));
    }
  }

  /** Requires rows of quantised blocks, each with so many elements. */
  public static void blocks(
      String kernel, Operand blocks, BlockFormat format, long rows, long elements) {
    operand(kernel, "blocks", blocks, DType.U8, 2);
    if (elements > Integer.MAX_VALUE - 64) {
      throw bad(kernel, "rows of %d elements, expected fewer than 2^31 - 64", elements);
    }
    long bytes;
    try {
      bytes = format.rowBytes(elements);
    } catch (IllegalArgumentException e) {
      throw bad(kernel, "%s", e.getMessage());
    }
    shaped(kernel, "blocks", blocks, DType.U8, rows, bytes);
    rows(kernel, "blocks", blocks);
  }

  /** A number of elements or bytes; requires that a long counts it. */
  public static long counted(String kernel, String what, Operand of, LongSupplier count) {
    try {
      return count.getAsLong();
    } catch (ArithmeticException e) {
      throw bad(kernel, "%s %s has more elements than a long counts", what, of);
    }
  }

  /** Requires row-major elements without gaps. */
  public static void contiguous(String kernel, String name, Operand operand) {
    if (!operand.isContiguous()) {
      throw bad(
          kernel,
          "%s %s has strides %s, expected row-major without gaps",
          name,
          operand,
          Arrays.toString(operand.strides()));
    }
  }

  /**
   * Requires indices of a shape without gaps whose bound, where it is known, is not above a limit.
   */
  public static void indices(
      String kernel, String name, Indices indices, long limit, long... shape) {
    required(kernel, name, indices);
    shaped(kernel, name, indices.values(), DType.I64, shape);
    contiguous(kernel, name, indices.values());
    below(kernel, name, indices, limit);
  }

  /** Requires the bound of indices, where it is known, not to be above a limit. */
  public static void below(String kernel, String name, Indices indices, long limit) {
    if (indices.below() > limit) {
      throw bad(
          kernel,
          "%s %s may be up to %d, expected at most %d",
          name,
          indices.values(),
          indices.below() - 1,
          limit - 1);
    }
  }

  /** The length of the only axis of indices. */
  public static long count(String kernel, String name, Indices indices) {
    operand(kernel, name, required(kernel, name, indices).values(), DType.I64, 1);
    return indices.values().size(0);
  }

  /** Requires neighbours on the last axis to be neighbours in memory. */
  public static void rows(String kernel, String name, Operand operand) {
    if (operand.size(-1) > 1 && operand.stride(-1) != 1) {
      throw bad(
          kernel,
          "%s %s has strides %s, expected the last to be 1",
          name,
          operand,
          Arrays.toString(operand.strides()));
    }
  }

  /** Requires [tokens, heads, head_size] with gaps between tokens only. */
  public static void heads(String kernel, String name, Operand operand) {
    if (operand.isEmpty()) {
      return;
    }
    rows(kernel, name, operand);
    if (operand.size(1) > 1 && operand.stride(1) != operand.size(2)) {
      throw bad(
          kernel, "%s %s has gaps between heads, stride %d", name, operand, operand.stride(1));
    }
    if (operand.size(0) > 1 && operand.stride(0) < operand.size(1) * operand.size(2)) {
      throw bad(
          kernel, "%s %s has overlapping tokens, stride %d", name, operand, operand.stride(0));
    }
  }

  /** Requires the cosines and sines of no more pairs than the heads of x [.., head_size] have. */
  public static void rotaryTables(
      String kernel, Operand cosine, Operand sine, String name, Operand x) {
    operand(kernel, "cosine", cosine, DType.F32, 2);
    contiguous(kernel, "cosine", cosine);
    shaped(kernel, "sine", sine, DType.F32, cosine.size(0), cosine.size(1));
    contiguous(kernel, "sine", sine);
    if (cosine.size(1) > x.size(-1) / 2) {
      throw bad(kernel, "cosine %s has more pairs than the heads of %s %s", cosine, name, x);
    }
  }

  /** Requires that no output shares memory with another operand, but for {@code inPlace} ones. */
  public static void disjoint(Operands call, Operand... inPlace) {
    List<Operand> outputs = call.outputs();
    for (int i = 0; i < outputs.size(); i++) {
      Operand output = outputs.get(i);
      for (Operand input : call.inputs()) {
        if (output.overlaps(input)
            && !(Arrays.stream(inPlace).anyMatch(p -> p == input) && output.isSameView(input))) {
          throw bad(call.kernel(), "output %s overlaps input %s in memory", output, input);
        }
      }
      for (int j = 0; j < i; j++) {
        if (output.overlaps(outputs.get(j))) {
          throw bad(call.kernel(), "outputs %s and %s overlap in memory", outputs.get(j), output);
        }
      }
    }
    Memory memory = outputs.isEmpty() ? null : outputs.getFirst().buffer().memory();
    for (Operand input : call.inputs()) {
      if (memory != null && input.buffer().memory() != memory) {
        throw bad(
            call.kernel(),
            "input %s is on %s, the output on %s: move one with to(device)",
            input,
            input.buffer().memory().device(),
            memory.device());
      }
    }
  }

  /** The operands that are there; the array is the list's from now on. */
  public static List<Operand> present(Operand... operands) {
    int there = 0;
    for (Operand operand : operands) {
      if (operand != null) {
        operands[there++] = operand;
      }
    }
    return Arrays.asList(there == operands.length ? operands : Arrays.copyOf(operands, there));
  }

  /** The operands of two lists, neither of which is changed. */
  public static List<Operand> both(List<Operand> first, List<Operand> second) {
    if (second.isEmpty()) {
      return first;
    }
    List<Operand> both = new ArrayList<>(first.size() + second.size());
    both.addAll(first);
    both.addAll(second);
    return both;
  }

  public static <T> T required(String kernel, String name, T value) {
    if (Objects.isNull(value)) {
      throw bad(kernel, "%s is missing", name);
    }
    return value;
  }
}
