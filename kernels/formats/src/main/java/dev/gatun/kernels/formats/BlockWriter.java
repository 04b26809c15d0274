package dev.gatun.kernels.formats;

import dev.gatun.kernels.api.memory.BlockFormat;
import java.lang.foreign.MemorySegment;

/**
 * Writes blocks of codes, scales and zero points that another quantiser chose; an element is {@code
 * scale * (code - zero)}. No number changes on the way.
 */
public final class BlockWriter {
  private BlockWriter() {}

  /**
   * {@return the format that holds blocks exactly}
   *
   * @param bits of a code: 4 or 8
   * @param group input features that share a scale: 32, 64 or 128
   * @param centred whether every zero point is the middle code, {@code 2^(bits-1)}
   * @param halves whether every scale is one of F16; other ones need INT8, for 4 bits too
   */
  public static BlockFormat format(int bits, int group, boolean centred, boolean halves) {
    if (bits == 4 && halves) {
      return centred ? BlockFormat.int4(group) : BlockFormat.int4WithZeros(group);
    }
    return bits == 4 || centred ? BlockFormat.int8(group) : BlockFormat.int8WithZeros(group);
  }

  /**
   * Writes a block.
   *
   * @param format as {@link #format} chose it
   * @param codes from 0 to {@code 2^bits - 1}, as many as the block has
   * @param scale finite
   * @param zero from 0 to {@code 2^bits}
   * @param out receives the block's bytes
   * @param at where it begins
   */
  public static void write(
      BlockFormat format, int[] codes, float scale, int zero, MemorySegment out, long at) {
    switch (format.kind()) {
      case INT4 -> {
        Bytes.setF16(out, at, scale);
        Bytes.setNibbles(out, at + 2, codes, codes.length);
      }
      case INT4_ZERO -> {
        Bytes.setF16(out, at, scale);
        Bytes.setU8(out, at + 2, zero);
        Bytes.setNibbles(out, at + 3, codes, codes.length);
      }
      case INT8 -> {
        Bytes.setF32(out, at, scale);
        for (int i = 0; i < codes.length; i++) {
          Bytes.setU8(out, at + 4 + i, codes[i] - zero);
        }
      }
      case INT8_ZERO -> {
        Bytes.setF32(out, at, scale);
        Bytes.setI16(out, at + 4, zero);
        for (int i = 0; i < codes.length; i++) {
          Bytes.setU8(out, at + 6 + i, codes[i]);
        }
      }
      default -> throw new IllegalArgumentException(format + " is none of Gatun's own formats");
    }
  }
}
