package dev.gatun.kernels.cuda;

import dev.gatun.kernels.api.memory.DType;
import dev.gatun.kernels.api.memory.Operand;

/** What kernels that read 16 bytes at a time ask of operands. */
final class Vectors {
  private static final int BYTES = 16;

  private Vectors() {}

  /** The numbers in a vector. */
  static int lanes(Operand operand) {
    return BYTES / operand.dtype().bytes();
  }

  /** Whether the first element of each operand that is there lies where a vector may. */
  static boolean areAligned(Operand... operands) {
    for (Operand operand : operands) {
      if (operand != null && (CudaMemory.address(operand)) % BYTES != 0) {
        return false;
      }
    }
    return true;
  }

  /** Whether every row of an operand begins where a vector may. */
  static boolean haveAlignedRows(Operand x) {
    return areAligned(x) && (x.size(0) <= 1 || x.stride(0) * x.dtype().bytes() % BYTES == 0);
  }

  /** Whether every head of [rows, places, heads, elements] begins where a vector may. */
  static boolean haveAlignedHeads(Operand x) {
    boolean aligned = areAligned(x);
    for (int axis = 0; axis < 3; axis++) {
      aligned &= x.size(axis) <= 1 || x.stride(axis) * x.dtype().bytes() % BYTES == 0;
    }
    return aligned;
  }

  /** How the names of kernels for a type end. */
  static String suffix(DType dtype) {
    return switch (dtype) {
      case F32 -> "_f32";
      case BF16 -> "_bf16";
      default -> "_f16";
    };
  }
}
