package dev.gatun.kernels.reference;

import dev.gatun.kernels.api.memory.Buffer;
import dev.gatun.kernels.api.memory.HostBuffer;
import dev.gatun.kernels.api.memory.Memory;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;

/** A block of host memory; where the backend keeps doubles, with one for each of its F32s. */
final class ReferenceBuffer extends HostBuffer {
  private final MemorySegment doubles;

  /**
   * @param doubles two bytes for each of the segment, or null
   */
  ReferenceBuffer(Memory memory, MemorySegment segment, MemorySegment doubles, Runnable free) {
    super(memory, segment, _ -> free.run());
    this.doubles = doubles;
  }

  MemorySegment doubles() {
    return doubles;
  }

  /** Makes doubles of bytes that are F32s now. */
  void widen(long offset, long bytes) {
    if (doubles == null) {
      return;
    }
    for (long at = offset & ~3L;
        at + 4 <= Math.min(offset + bytes, segment().byteSize());
        at += 4) {
      float x = segment().get(ValueLayout.JAVA_FLOAT_UNALIGNED, at);
      doubles.set(ValueLayout.JAVA_DOUBLE_UNALIGNED, 2 * at, x);
    }
  }

  /** Copies bytes, and the doubles beside them. */
  static void copy(Buffer from, long at, Buffer to, long where, long bytes) {
    ReferenceBuffer source = (ReferenceBuffer) from;
    ReferenceBuffer target = (ReferenceBuffer) to;
    MemorySegment.copy(source.segment(), at, target.segment(), where, bytes);
    if (source.doubles != null) {
      MemorySegment.copy(source.doubles, 2 * at, target.doubles, 2 * where, 2 * bytes);
    }
  }
}
