package dev.gatun.kernels.api.quantized;

import dev.gatun.kernels.api.DType;
import dev.gatun.kernels.api.Dequantize;
import dev.gatun.kernels.api.HostBuffer;
import dev.gatun.kernels.api.Operand;
import dev.gatun.kernels.api.Quantize;
import dev.gatun.kernels.api.QuantizedPack;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;

/** What backends do with blocks in the host's memory. */
public final class HostBlocks {
  private HostBlocks() {}

  public static void run(Quantize c) {
    run(c, segment(c.weight()), segment(c.blocks()));
  }

  public static void run(Dequantize c) {
    run(c, segment(c.blocks()), segment(c.weight()));
  }

  public static void run(QuantizedPack c) {
    run(c, segment(c.blocks()), segment(c.packed()));
  }

  /** The same with operands that begin at the begin of segments. */
  public static void run(Quantize c, MemorySegment weight, MemorySegment blocks) {
    Operand w = c.weight();
    Quantizer.quantize(
        c.format(),
        (row, x) -> {
          for (int i = 0; i < x.length; i++) {
            x[i] = element(weight, w.dtype(), row * w.stride(0) + i * w.stride(1));
          }
        },
        Math.toIntExact(w.size(0)),
        Math.toIntExact(w.size(1)),
        blocks);
  }

  /** The same with operands that begin at the begin of segments. */
  public static void run(Dequantize c, MemorySegment blocks, MemorySegment weight) {
    int in = Math.toIntExact(c.weight().size(1));
    Parallel.each(
        in == 0 ? 0 : c.weight().size(0),
        row -> {
          float[] x = new float[in];
          long at = row * c.blocks().stride(0);
          Quantizer.dequantize(c.format(), blocks.asSlice(at, c.format().rowBytes(in)), x);
          MemorySegment.copy(x, 0, weight, ValueLayout.JAVA_FLOAT_UNALIGNED, row * in * 4, in);
        });
  }

  /** The same with operands that begin at the begin of segments. */
  public static void run(QuantizedPack c, MemorySegment blocks, MemorySegment packed) {
    Packer.pack(
        c.format(), blocks, c.blocks().stride(0), c.blocks().size(0), c.inFeatures(), packed);
  }

  private static MemorySegment segment(Operand operand) {
    MemorySegment memory = ((HostBuffer) operand.buffer()).segment();
    return memory.asSlice(Math.min(operand.byteOffset(), memory.byteSize()));
  }

  private static float element(MemorySegment memory, DType dtype, long place) {
    return switch (dtype) {
      case F32 -> memory.get(ValueLayout.JAVA_FLOAT_UNALIGNED, place * 4);
      case BF16 ->
          Float.intBitsToFloat(memory.get(ValueLayout.JAVA_SHORT_UNALIGNED, place * 2) << 16);
      default -> Float.float16ToFloat(memory.get(ValueLayout.JAVA_SHORT_UNALIGNED, place * 2));
    };
  }
}
