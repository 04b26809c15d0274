package dev.gatun.bindings.cuda;

import static dev.gatun.bindings.cuda.CudaDriver.check;

import dev.gatun.bindings.generated.cuda.CUtensorMap;
import dev.gatun.bindings.generated.cuda.cuda_h;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.Arrays;

/** How TMA, the copy engine of compute capability 9.0, finds boxes of a tensor. */
public final class CudaTensorMap {
  /** The type of elements. */
  public enum Element {
    U8,
    U32,
    F16,
    BF16,
    F32;

    private int code() {
      return switch (this) {
        case U8 -> cuda_h.CU_TENSOR_MAP_DATA_TYPE_UINT8();
        case U32 -> cuda_h.CU_TENSOR_MAP_DATA_TYPE_UINT32();
        case F16 -> cuda_h.CU_TENSOR_MAP_DATA_TYPE_FLOAT16();
        case BF16 -> cuda_h.CU_TENSOR_MAP_DATA_TYPE_BFLOAT16();
        case F32 -> cuda_h.CU_TENSOR_MAP_DATA_TYPE_FLOAT32();
      };
    }
  }

  private static final int ALIGNMENT = 64;

  private CudaTensorMap() {}

  /**
   * The map as a kernel takes it by value; outside of the tensor there are zeros.
   *
   * @param address of the device, a multiple of 16
   * @param sizes of the axes, innermost first
   * @param strides in bytes of the axes after the innermost, multiples of 16
   * @param box the sizes of a box, at most 256
   * @param swizzle bytes of the rows whose 16-byte units change places in shared memory: 0, 32, 64
   *     or 128
   * @throws CudaException when the driver's limits are not kept
   */
  public static MemorySegment encode(
      Arena arena,
      Element element,
      long address,
      long[] sizes,
      long[] strides,
      int[] box,
      int swizzle) {
    MemorySegment map = arena.allocate(CUtensorMap.layout().byteSize(), ALIGNMENT);
    int[] ones = new int[sizes.length];
    Arrays.fill(ones, 1);
    check(
        cuda_h.cuTensorMapEncodeTiled(
            map,
            element.code(),
            sizes.length,
            MemorySegment.ofAddress(address),
            arena.allocateFrom(ValueLayout.JAVA_LONG, sizes),
            arena.allocateFrom(ValueLayout.JAVA_LONG, strides),
            arena.allocateFrom(ValueLayout.JAVA_INT, box),
            arena.allocateFrom(ValueLayout.JAVA_INT, ones),
            cuda_h.CU_TENSOR_MAP_INTERLEAVE_NONE(),
            // 0, 1, 2 and 3 of none, 32, 64 and 128 bytes.
            swizzle == 0 ? 0 : Integer.numberOfTrailingZeros(swizzle) - 4,
            cuda_h.CU_TENSOR_MAP_L2_PROMOTION_L2_128B(),
            cuda_h.CU_TENSOR_MAP_FLOAT_OOB_FILL_NONE()),
        "cuTensorMapEncodeTiled(%s, sizes %s, strides %s, box %s, swizzle %d)",
        element,
        Arrays.toString(sizes),
        Arrays.toString(strides),
        Arrays.toString(box),
        swizzle);
    return map;
  }
}
