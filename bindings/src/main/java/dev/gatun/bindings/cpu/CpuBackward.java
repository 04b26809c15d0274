package dev.gatun.bindings.cpu;

import dev.gatun.bindings.generated.cpu.gatun_cpu_h;
import java.lang.foreign.MemorySegment;

/** Gradients of activations and losses; arguments are as {@code gatun_cpu.h} says. */
public final class CpuBackward {
  private CpuBackward() {}

  public static void activation(
      MemorySegment dy, MemorySegment x, MemorySegment dx, int dtype, long count, int activation) {
    CpuLibrary.check(
        "activation_backward",
        gatun_cpu_h.gatun_activation_backward(
            CpuRecording.current(), dy, x, dx, dtype, count, activation));
  }

  public static void gatedActivation(
      MemorySegment dy,
      long dyStride,
      MemorySegment gate,
      long gateStride,
      MemorySegment up,
      long upStride,
      MemorySegment dgate,
      long dgateStride,
      MemorySegment dup,
      long dupStride,
      int dtype,
      long rows,
      long columns,
      int activation) {
    CpuLibrary.check(
        "gated_activation_backward",
        gatun_cpu_h.gatun_gated_activation_backward(
            CpuRecording.current(),
            dy,
            dyStride,
            gate,
            gateStride,
            up,
            upStride,
            dgate,
            dgateStride,
            dup,
            dupStride,
            dtype,
            rows,
            columns,
            activation));
  }

  public static void crossEntropy(
      MemorySegment logits,
      int dtype,
      MemorySegment targets,
      MemorySegment weights,
      long rows,
      long columns,
      long ignoreIndex,
      float smoothing,
      float zLoss,
      float scale,
      MemorySegment dlogits,
      MemorySegment loss) {
    CpuLibrary.check(
        "cross_entropy_backward",
        gatun_cpu_h.gatun_cross_entropy_backward(
            CpuRecording.current(),
            logits,
            dtype,
            targets,
            weights,
            rows,
            columns,
            ignoreIndex,
            smoothing,
            zLoss,
            scale,
            dlogits,
            loss));
  }
}
