package dev.gatun.bindings.cpu;

import dev.gatun.bindings.generated.cpu.gatun_cpu_h;
import java.lang.foreign.MemorySegment;

/** Kernels that work on each row on its own; arguments are as {@code gatun_cpu.h} says. */
public final class CpuRows {
  private CpuRows() {}

  /**
   * Where rows go as signed bytes.
   *
   * @param codes null for nowhere
   * @param given whether the scale is read
   */
  public record Codes(
      MemorySegment codes,
      long stride,
      MemorySegment scales,
      MemorySegment offsets,
      boolean given) {}

  public static void layerNorm(
      MemorySegment x,
      MemorySegment residual,
      MemorySegment weight,
      MemorySegment bias,
      MemorySegment y,
      MemorySegment sum,
      int dtype,
      int weightDtype,
      long rows,
      long columns,
      float eps,
      Codes codes) {
    CpuLibrary.check(
        "layer_norm",
        gatun_cpu_h.gatun_layer_norm(
            CpuRecording.current(),
            x,
            residual,
            weight,
            bias,
            y,
            sum,
            dtype,
            weightDtype,
            rows,
            columns,
            eps,
            codes.codes(),
            codes.stride(),
            codes.scales(),
            codes.offsets(),
            codes.given() ? 1 : 0));
  }

  public static void rmsNorm(
      MemorySegment x,
      MemorySegment residual,
      MemorySegment weight,
      MemorySegment y,
      MemorySegment sum,
      int dtype,
      int weightDtype,
      long rows,
      long columns,
      float shift,
      float eps,
      Codes codes) {
    CpuLibrary.check(
        "rms_norm",
        gatun_cpu_h.gatun_rms_norm(
            CpuRecording.current(),
            x,
            residual,
            weight,
            y,
            sum,
            dtype,
            weightDtype,
            rows,
            columns,
            shift,
            eps,
            codes.codes(),
            codes.stride(),
            codes.scales(),
            codes.offsets(),
            codes.given() ? 1 : 0));
  }

  public static void quantizeTokens(
      MemorySegment x, int dtype, long xStride, Codes codes, long rows, long columns) {
    CpuLibrary.check(
        "quantize_tokens",
        gatun_cpu_h.gatun_quantize_tokens(
            CpuRecording.current(),
            x,
            dtype,
            xStride,
            codes.codes(),
            codes.stride(),
            codes.scales(),
            codes.offsets(),
            codes.given() ? 1 : 0,
            rows,
            columns));
  }

  public static void l2Normalize(
      MemorySegment x, MemorySegment y, int dtype, long rows, long columns, float eps) {
    CpuLibrary.check(
        "l2_normalize",
        gatun_cpu_h.gatun_l2_normalize(CpuRecording.current(), x, y, dtype, rows, columns, eps));
  }

  public static void softmax(
      MemorySegment x, MemorySegment y, int dtype, long rows, long columns, boolean log) {
    CpuLibrary.check(
        "softmax",
        gatun_cpu_h.gatun_softmax(CpuRecording.current(), x, y, dtype, rows, columns, log ? 1 : 0));
  }

  public static void layerNormBackward(
      MemorySegment dy,
      MemorySegment x,
      MemorySegment weight,
      MemorySegment added,
      MemorySegment dx,
      MemorySegment dweight,
      MemorySegment dbias,
      int dtype,
      int weightDtype,
      long rows,
      long columns,
      float eps) {
    CpuLibrary.check(
        "layer_norm_backward",
        gatun_cpu_h.gatun_layer_norm_backward(
            CpuRecording.current(),
            dy,
            x,
            weight,
            added,
            dx,
            dweight,
            dbias,
            dtype,
            weightDtype,
            rows,
            columns,
            eps));
  }

  public static void rmsNormBackward(
      MemorySegment dy,
      MemorySegment x,
      MemorySegment weight,
      MemorySegment added,
      MemorySegment dx,
      MemorySegment dweight,
      int dtype,
      int weightDtype,
      long rows,
      long columns,
      float shift,
      float eps) {
    CpuLibrary.check(
        "rms_norm_backward",
        gatun_cpu_h.gatun_rms_norm_backward(
            CpuRecording.current(),
            dy,
            x,
            weight,
            added,
            dx,
            dweight,
            dtype,
            weightDtype,
            rows,
            columns,
            shift,
            eps));
  }

  public static void softmaxBackward(
      MemorySegment dy,
      MemorySegment y,
      MemorySegment dx,
      int dtype,
      long rows,
      long columns,
      boolean log) {
    CpuLibrary.check(
        "softmax_backward",
        gatun_cpu_h.gatun_softmax_backward(
            CpuRecording.current(), dy, y, dx, dtype, rows, columns, log ? 1 : 0));
  }

  public static void activate(
      MemorySegment x, MemorySegment y, int dtype, long count, int activation) {
    CpuLibrary.check(
        "activate",
        gatun_cpu_h.gatun_activate(CpuRecording.current(), x, y, dtype, count, activation));
  }

  public static void gatedActivation(
      MemorySegment gate,
      long gateStride,
      MemorySegment up,
      long upStride,
      MemorySegment y,
      int dtype,
      long rows,
      long columns,
      int activation) {
    CpuLibrary.check(
        "gated_activation",
        gatun_cpu_h.gatun_gated_activation(
            CpuRecording.current(),
            gate,
            gateStride,
            up,
            upStride,
            y,
            dtype,
            rows,
            columns,
            activation));
  }

  public static void embedding(
      MemorySegment table,
      int tableDtype,
      long rows,
      long columns,
      MemorySegment ids,
      long count,
      MemorySegment y,
      int yDtype,
      boolean accumulate,
      boolean packed) {
    CpuLibrary.check(
        "embedding",
        gatun_cpu_h.gatun_embedding(
            CpuRecording.current(),
            table,
            tableDtype,
            rows,
            columns,
            ids,
            count,
            y,
            yDtype,
            accumulate ? 1 : 0,
            packed ? 1 : 0));
  }

  public static void pool(
      MemorySegment x,
      MemorySegment offsets,
      long sequences,
      long columns,
      int mode,
      MemorySegment y,
      int dtype) {
    CpuLibrary.check(
        "pool",
        gatun_cpu_h.gatun_pool(
            CpuRecording.current(), x, offsets, sequences, columns, mode, y, dtype));
  }

  public static void crossEntropy(
      MemorySegment logits,
      int dtype,
      MemorySegment targets,
      long rows,
      long columns,
      long ignoreIndex,
      MemorySegment loss) {
    CpuLibrary.check(
        "cross_entropy",
        gatun_cpu_h.gatun_cross_entropy(
            CpuRecording.current(), logits, dtype, targets, rows, columns, ignoreIndex, loss));
  }
}
