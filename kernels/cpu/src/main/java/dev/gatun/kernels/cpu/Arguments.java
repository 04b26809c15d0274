package dev.gatun.kernels.cpu;

import static dev.gatun.kernels.cpu.CpuMemory.segment;

import dev.gatun.bindings.cpu.CpuChecks;
import dev.gatun.bindings.cpu.CpuRows;
import dev.gatun.kernels.api.call.KernelCall;
import dev.gatun.kernels.api.call.matmul.TokenCodes;
import dev.gatun.kernels.api.device.Execution;
import dev.gatun.kernels.api.memory.DType;
import dev.gatun.kernels.api.memory.Indices;
import dev.gatun.kernels.api.memory.KernelDType;
import dev.gatun.kernels.api.memory.Offsets;
import dev.gatun.kernels.api.memory.Operand;
import java.lang.foreign.MemorySegment;

/** A record's components as the native library takes them. */
final class Arguments {
  private static final CpuRows.Codes NO_CODES =
      new CpuRows.Codes(MemorySegment.NULL, 0, MemorySegment.NULL, MemorySegment.NULL, false);

  private Arguments() {}

  /** The first element, or NULL where there is no operand. */
  static MemorySegment address(Operand operand) {
    if (operand == null) {
      return MemorySegment.NULL;
    }
    MemorySegment block = segment(operand.buffer());
    long offset = operand.byteOffset();
    // Most operands begin where their block does, and need no slice of it.
    return offset == 0 ? block : block.asSlice(Math.min(offset, block.byteSize()));
  }

  /** Where codes of tokens go, or nowhere of null. */
  static CpuRows.Codes codes(TokenCodes c) {
    return c == null
        ? NO_CODES
        : new CpuRows.Codes(
            address(c.codes()),
            c.codes().stride(0),
            address(c.meaning().scales()),
            address(c.meaning().offsets()),
            c.calibrated());
  }

  /** A shape, then the strides of each of the operands that have it. */
  static long[][] layout(Operand shaped, Operand... operands) {
    long[][] layout = new long[1 + operands.length][];
    layout[0] = shaped.shape();
    for (int i = 0; i < operands.length; i++) {
      layout[1 + i] = operands[i].strides();
    }
    return layout;
  }

  /** Where sequences begin, once they were looked at. */
  static MemorySegment offsets(KernelCall call, Offsets offsets) {
    if (offsets == null) {
      return MemorySegment.NULL;
    }
    MemorySegment values = address(offsets.values());
    CpuChecks.offsets(
        values,
        offsets.sequences(),
        offsets.tokens(),
        offsets.longest(),
        false,
        () -> offsets.check(call.kernel(), values));
    return values;
  }

  /** {@code gatun_dtype} of a floating-point type. */
  static int dtype(DType dtype) {
    return KernelDType.floating(dtype);
  }

  /** A type that casts know. */
  static int number(DType dtype) {
    return KernelDType.number(dtype);
  }

  /** As {@link Execution#inRange}, of I64 indices of which nothing is known. */
  static void inRange(KernelCall call, String what, Indices ids, long limit, Long exception) {
    if (ids.isUnknown()) {
      MemorySegment values = address(ids.values());
      long count = ids.values().size(0);
      CpuChecks.indices(
          values,
          count,
          limit,
          exception,
          () -> Execution.inRange(call, what, values, count, limit, exception));
    }
  }
}
