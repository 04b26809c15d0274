package dev.gatun.bindings.cpu;

import dev.gatun.bindings.generated.cpu.gatun_cpu_h;
import java.lang.foreign.MemorySegment;

/** Rotary position embedding; arguments are as {@code gatun_cpu.h} says. */
public final class CpuRotary {
  private CpuRotary() {}

  public static void rotary(
      MemorySegment x,
      long xStride,
      MemorySegment cosine,
      MemorySegment sine,
      MemorySegment positions,
      MemorySegment y,
      long yStride,
      int dtype,
      long tokens,
      long heads,
      long headSize,
      long rotary,
      boolean interleaved) {
    CpuLibrary.check(
        "rotary",
        gatun_cpu_h.gatun_rotary(
            CpuRecording.current(),
            x,
            xStride,
            cosine,
            sine,
            positions,
            y,
            yStride,
            dtype,
            tokens,
            heads,
            headSize,
            rotary,
            interleaved ? 1 : 0));
  }

  public static void rotaryCacheUpdate(
      MemorySegment qkv,
      long qkvStride,
      MemorySegment cosine,
      MemorySegment sine,
      MemorySegment positions,
      MemorySegment slots,
      MemorySegment query,
      long queryStride,
      MemorySegment keyCache,
      long[] keyStrides,
      MemorySegment valueCache,
      long[] valueStrides,
      MemorySegment keyScales,
      MemorySegment valueScales,
      int dtype,
      long tokens,
      long heads,
      long kvHeads,
      long headSize,
      long rotary,
      boolean interleaved,
      long room) {
    CpuLibrary.check(
        "rotary_cache_update",
        gatun_cpu_h.gatun_rotary_cache_update(
            CpuRecording.current(),
            qkv,
            qkvStride,
            cosine,
            sine,
            positions,
            slots,
            query,
            queryStride,
            keyCache,
            valueCache,
            CpuLayouts.write(keyStrides, valueStrides),
            keyScales,
            valueScales,
            dtype,
            tokens,
            heads,
            kvHeads,
            headSize,
            rotary,
            interleaved ? 1 : 0,
            room));
  }
}
