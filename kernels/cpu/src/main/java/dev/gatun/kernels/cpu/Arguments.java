package dev.gatun.kernels.cpu;

import static dev.gatun.kernels.cpu.CpuMemory.segment;

import dev.gatun.bindings.cpu.CpuRows;
import dev.gatun.kernels.api.call.KernelCall;
import dev.gatun.kernels.api.call.matmul.TokenCodes;
import dev.gatun.kernels.api.device.Execution;
import dev.gatun.kernels.api.memory.Buffer;
import dev.gatun.kernels.api.memory.DType;
import dev.gatun.kernels.api.memory.Memory;
import dev.gatun.kernels.api.memory.Operand;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;

/** A record's components as the native library takes them. */
final class Arguments {
  private static final CpuRows.Codes NO_CODES =
      new CpuRows.Codes(MemorySegment.NULL, 0, MemorySegment.NULL, MemorySegment.NULL, false);

  private Arguments() {}

  /** The first element, or NULL where there is no operand. */
  static MemorySegment address(Operand operand) {
    return operand == null
        ? MemorySegment.NULL
        : segment(operand.buffer())
            .asSlice(Math.min(operand.byteOffset(), operand.buffer().byteSize()));
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

  /** Numbers in native memory. */
  static Buffer ints(Memory memory, int[] values) {
    Buffer buffer = memory.allocate(4L * values.length);
    MemorySegment.copy(values, 0, segment(buffer), ValueLayout.JAVA_INT, 0, values.length);
    return buffer;
  }

  /** {@code gatun_dtype} of a floating-point type. */
  static int dtype(DType dtype) {
    return switch (dtype) {
      case F32 -> 0;
      case BF16 -> 1;
      case F16 -> 2;
      default ->
          throw new IllegalArgumentException(dtype + " is no floating-point type of kernels");
    };
  }

  /** As {@link Execution#inRange}, of I64 indices in the host's memory. */
  static void inRange(KernelCall call, String what, Operand ids, long limit, Long exception) {
    Execution.inRange(call, what, address(ids), ids.size(0), limit, exception);
  }
}
