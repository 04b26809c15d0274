package dev.gatun.bindings.cpu;

import dev.gatun.bindings.generated.cpu.gatun_cpu_h;
import java.lang.foreign.MemorySegment;

/** Mixtures of experts; arguments are as {@code gatun_cpu.h} says. */
public final class CpuExperts {
  private CpuExperts() {}

  /**
   * Rows of x or y.
   *
   * @param dtype {@code gatun_dtype}
   */
  public record Rows(MemorySegment data, int dtype, long stride) {}

  /**
   * Which rows are whose.
   *
   * @param rows may be null
   * @param offsets of each expert's rows
   * @param experts their number
   */
  public record Groups(MemorySegment rows, MemorySegment offsets, long experts) {}

  /** The rows of y, its columns, and those of x. */
  public record Sizes(long m, long n, long k) {}

  /**
   * @param capacity 0 for none
   * @param sequences null for no capacity
   * @param results chosen, weights, rows, places and offsets
   */
  public static void routing(
      Rows logits,
      long tokens,
      long experts,
      long k,
      boolean renormalize,
      float scale,
      long capacity,
      MemorySegment sequences,
      long sequenceCount,
      MemorySegment... results) {
    CpuLibrary.check(
        "expert_routing",
        gatun_cpu_h.gatun_expert_routing(
            CpuRecording.current(),
            logits.data(),
            logits.dtype(),
            logits.stride(),
            tokens,
            experts,
            k,
            renormalize ? 1 : 0,
            scale,
            capacity,
            sequences,
            sequenceCount,
            results[0],
            results[1],
            results[2],
            results[3],
            results[4]));
  }

  public static void matmulF32(
      Rows x,
      Groups groups,
      MemorySegment packed,
      MemorySegment bias,
      Rows y,
      Sizes sizes,
      int activation) {
    CpuLibrary.check(
        "grouped_matmul_f32",
        gatun_cpu_h.gatun_grouped_matmul_f32(
            CpuRecording.current(),
            x.data(),
            x.stride(),
            groups.rows(),
            groups.offsets(),
            groups.experts(),
            packed,
            bias,
            y.data(),
            y.stride(),
            sizes.m(),
            sizes.n(),
            sizes.k(),
            activation));
  }

  public static void matmulBf16(
      Rows x,
      Groups groups,
      MemorySegment packed,
      MemorySegment bias,
      Rows y,
      Sizes sizes,
      int activation) {
    CpuLibrary.check(
        "grouped_matmul_bf16",
        gatun_cpu_h.gatun_grouped_matmul_bf16(
            CpuRecording.current(),
            x.data(),
            x.dtype(),
            x.stride(),
            groups.rows(),
            groups.offsets(),
            groups.experts(),
            packed,
            bias,
            y.data(),
            y.dtype(),
            y.stride(),
            sizes.m(),
            sizes.n(),
            sizes.k(),
            activation));
  }

  public static void matmulF16(
      Rows x,
      Groups groups,
      MemorySegment packed,
      MemorySegment bias,
      Rows y,
      Sizes sizes,
      int activation) {
    CpuLibrary.check(
        "grouped_matmul_f16",
        gatun_cpu_h.gatun_grouped_matmul_f16(
            CpuRecording.current(),
            x.data(),
            x.dtype(),
            x.stride(),
            groups.rows(),
            groups.offsets(),
            groups.experts(),
            packed,
            bias,
            y.data(),
            y.dtype(),
            y.stride(),
            sizes.m(),
            sizes.n(),
            sizes.k(),
            activation));
  }

  public static void quantizedMatmul(
      Rows x,
      Groups groups,
      CpuQuantized.Weight weight,
      int activations,
      MemorySegment bias,
      Rows y,
      Sizes sizes,
      int activation) {
    CpuLibrary.check(
        "grouped_quantized_matmul",
        gatun_cpu_h.gatun_grouped_quantized_matmul(
            CpuRecording.current(),
            x.data(),
            x.dtype(),
            x.stride(),
            groups.rows(),
            groups.offsets(),
            groups.experts(),
            weight.packed(),
            weight.bits(),
            weight.group(),
            weight.scales(),
            activations,
            bias,
            y.data(),
            y.dtype(),
            y.stride(),
            sizes.m(),
            sizes.n(),
            sizes.k(),
            activation));
  }

  public static void combine(
      Rows x,
      long xRows,
      MemorySegment weights,
      MemorySegment places,
      MemorySegment residual,
      long residualStride,
      Rows y,
      long tokens,
      long k,
      long columns) {
    CpuLibrary.check(
        "expert_combine",
        gatun_cpu_h.gatun_expert_combine(
            CpuRecording.current(),
            x.data(),
            x.dtype(),
            x.stride(),
            xRows,
            weights,
            places,
            residual,
            residualStride,
            y.data(),
            y.dtype(),
            y.stride(),
            tokens,
            k,
            columns));
  }
}
