package dev.gatun.bindings.cpu;

import dev.gatun.bindings.generated.cpu.gatun_attention;
import dev.gatun.bindings.generated.cpu.gatun_cpu_h;
import dev.gatun.bindings.loader.NativeLoader;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.util.ArrayList;
import java.util.List;

/**
 * {@code libgatun_cpu}: one method a function of {@code gatun_cpu.h}, with its status checked.
 * Arguments are as the header says and are not checked here.
 */
public final class CpuLibrary {
  private static final class Holder {
    static final NativeLoader.Result RESULT = loadOnce();
  }

  // One block of arguments a thread: made once, so that a call allocates nothing.
  private static final ThreadLocal<MemorySegment> ATTENTION =
      ThreadLocal.withInitial(() -> gatun_attention.allocate(Arena.ofAuto()));
  private static final ThreadLocal<MemorySegment> GRADIENTS =
      ThreadLocal.withInitial(() -> gatun_attention.allocate(Arena.ofAuto()));

  private CpuLibrary() {}

  /** Loads the library on the first call; the same result ever after. */
  public static NativeLoader.Result load() {
    return Holder.RESULT;
  }

  private static NativeLoader.Result loadOnce() {
    NativeLoader.Result result = NativeLoader.load("gatun_cpu");
    if (!result.loaded()) {
      return result;
    }
    int abi = gatun_cpu_h.gatun_abi();
    if (abi == gatun_cpu_h.GATUN_CPU_ABI()) {
      return result;
    }
    List<NativeLoader.Attempt> attempts = new ArrayList<>(result.attempts());
    attempts.add(
        new NativeLoader.Attempt(
            result.file().toString(),
            "has interface version %d, these classes need %d: library and jar are of different releases"
                .formatted(abi, gatun_cpu_h.GATUN_CPU_ABI())));
    return new NativeLoader.Result(null, attempts);
  }

  /**
   * The version of the library's interface, which {@link #load()} has found to be the right one.
   */
  public static int abi() {
    return gatun_cpu_h.gatun_abi();
  }

  /** The bytes that are left of the calling thread's stack; 0 where they cannot be told. */
  public static long stackLeft() {
    return gatun_cpu_h.gatun_stack_left();
  }

  /** The levels that this processor runs, the bit {@code 1 << level} of each. */
  public static int levels() {
    return gatun_cpu_h.gatun_levels();
  }

  /** The best of the levels that this processor runs. */
  public static int bestLevel() {
    return gatun_cpu_h.gatun_best_level();
  }

  /** The bits of what a level is compiled for; -1 where it is of another machine. */
  public static int levelNeeds(int level) {
    return gatun_cpu_h.gatun_level_needs(level);
  }

  public static int level() {
    return gatun_cpu_h.gatun_get_level();
  }

  public static void setLevel(int level) {
    require("set_level", gatun_cpu_h.gatun_set_level(level));
  }

  public static int threads() {
    return gatun_cpu_h.gatun_get_threads();
  }

  public static void setThreads(int threads) {
    require("set_threads", gatun_cpu_h.gatun_set_threads(threads));
  }

  /** The bits of the instruction sets that kernels may use. */
  public static int features() {
    return gatun_cpu_h.gatun_features();
  }

  /** Leaves instruction sets out; -1 allows all again. */
  public static void setFeatures(int features) {
    require("set_features", gatun_cpu_h.gatun_set_features(features));
  }

  /** A block aligned to 64 bytes, or null when there is no memory. */
  public static MemorySegment allocate(long bytes) {
    MemorySegment block = gatun_cpu_h.gatun_allocate(bytes);
    return block.address() == 0 ? null : block.reinterpret(bytes);
  }

  public static void free(MemorySegment block) {
    gatun_cpu_h.gatun_free(block);
  }

  public static void attention(CpuAttention a) {
    check(
        "scaled_dot_product_attention",
        gatun_cpu_h.gatun_scaled_dot_product_attention(
            CpuRecording.current(), written(a, ATTENTION)));
  }

  public static void attentionBackward(CpuAttention a, CpuAttention gradients) {
    check(
        "attention_backward",
        gatun_cpu_h.gatun_attention_backward(
            CpuRecording.current(), written(a, ATTENTION), written(gradients, GRADIENTS)));
  }

  /** Arguments in native memory: the thread's own, or the recording's that is made. */
  private static MemorySegment written(CpuAttention a, ThreadLocal<MemorySegment> own) {
    MemorySegment kept = CpuRecording.arguments(gatun_attention.sizeof());
    MemorySegment args = kept == null ? own.get() : kept;
    a.write(args);
    return args;
  }

  public static void matmulPackF32(
      MemorySegment weight,
      int dtype,
      long weightStride,
      long elementStride,
      long n,
      long k,
      MemorySegment packed) {
    check(
        "matmul_pack_f32",
        gatun_cpu_h.gatun_matmul_pack_f32(
            CpuRecording.current(), weight, dtype, weightStride, elementStride, n, k, packed));
  }

  /** In place of the distance between the rows of a weight that is packed. */
  public static long packed() {
    return gatun_cpu_h.GATUN_PACKED();
  }

  public static void matmul(
      MemorySegment x,
      long xStride,
      MemorySegment weight,
      long weightStride,
      MemorySegment bias,
      MemorySegment y,
      long yStride,
      long m,
      long n,
      long k,
      int activation) {
    check(
        "matmul_f32",
        gatun_cpu_h.gatun_matmul_f32(
            CpuRecording.current(),
            x,
            xStride,
            weight,
            weightStride,
            bias,
            y,
            yStride,
            m,
            n,
            k,
            activation));
  }

  public static void matmulPackBf16(
      MemorySegment weight,
      int dtype,
      long weightStride,
      long elementStride,
      long n,
      long k,
      MemorySegment packed) {
    check(
        "matmul_pack_bf16",
        gatun_cpu_h.gatun_matmul_pack_bf16(
            CpuRecording.current(), weight, dtype, weightStride, elementStride, n, k, packed));
  }

  public static void matmulPackF16(
      MemorySegment weight,
      int dtype,
      long weightStride,
      long elementStride,
      long n,
      long k,
      MemorySegment packed) {
    check(
        "matmul_pack_f16",
        gatun_cpu_h.gatun_matmul_pack_f16(
            CpuRecording.current(), weight, dtype, weightStride, elementStride, n, k, packed));
  }

  public static void matmulBf16(
      MemorySegment x,
      int xDtype,
      long xStride,
      MemorySegment weight,
      long weightStride,
      MemorySegment bias,
      MemorySegment y,
      int yDtype,
      long yStride,
      long m,
      long n,
      long k,
      int activation) {
    check(
        "matmul_bf16",
        gatun_cpu_h.gatun_matmul_bf16(
            CpuRecording.current(),
            x,
            xDtype,
            xStride,
            weight,
            weightStride,
            bias,
            y,
            yDtype,
            yStride,
            m,
            n,
            k,
            activation));
  }

  public static void matmulF16(
      MemorySegment x,
      int xDtype,
      long xStride,
      MemorySegment weight,
      long weightStride,
      MemorySegment bias,
      MemorySegment y,
      int yDtype,
      long yStride,
      long m,
      long n,
      long k,
      int activation) {
    check(
        "matmul_f16",
        gatun_cpu_h.gatun_matmul_f16(
            CpuRecording.current(),
            x,
            xDtype,
            xStride,
            weight,
            weightStride,
            bias,
            y,
            yDtype,
            yStride,
            m,
            n,
            k,
            activation));
  }

  public static void cast(MemorySegment x, int xDtype, MemorySegment y, int yDtype, long count) {
    check("cast", gatun_cpu_h.gatun_cast(CpuRecording.current(), x, xDtype, y, yDtype, count));
  }

  public static void batchedMatmul(
      MemorySegment a,
      long[] aStrides,
      MemorySegment b,
      long[] bStrides,
      int dtype,
      MemorySegment c,
      int cDtype,
      long batch,
      long m,
      long n,
      long k,
      boolean accumulate) {
    check(
        "batched_matmul",
        gatun_cpu_h.gatun_batched_matmul(
            CpuRecording.current(),
            a,
            aStrides[0],
            aStrides[1],
            aStrides[2],
            b,
            bStrides[0],
            bStrides[1],
            bStrides[2],
            dtype,
            c,
            cDtype,
            batch,
            m,
            n,
            k,
            accumulate ? 1 : 0));
  }

  public static void scatterRows(
      MemorySegment x, MemorySegment ids, long count, MemorySegment y, long rows, long rowBytes) {
    check(
        "scatter_rows",
        gatun_cpu_h.gatun_scatter_rows(CpuRecording.current(), x, ids, count, y, rows, rowBytes));
  }

  public static void disentangledBias(
      MemorySegment c2p,
      MemorySegment p2c,
      MemorySegment offsets,
      MemorySegment positions,
      long sequences,
      long heads,
      long tokens,
      long span,
      long buckets,
      long maxPosition,
      float scale,
      MemorySegment bias,
      long length) {
    check(
        "disentangled_bias_f32",
        gatun_cpu_h.gatun_disentangled_bias_f32(
            CpuRecording.current(),
            c2p,
            p2c,
            offsets,
            positions,
            sequences,
            heads,
            tokens,
            span,
            buckets,
            maxPosition,
            scale,
            bias,
            length));
  }

  /** Requires a kernel's call to have been made or recorded. */
  static void check(String call, int status) {
    check(call, status, null);
  }

  /**
   * @param explain throws what is wrong with numbers that the call was given; or null
   */
  static void check(String call, int status, Runnable explain) {
    if (status != gatun_cpu_h.GATUN_OK()) {
      throw failure(call, status, explain);
    }
    CpuRecording.note(call, explain);
  }

  private static void require(String call, int status) {
    if (status != gatun_cpu_h.GATUN_OK()) {
      throw failure(call, status, null);
    }
  }

  /** What to throw for a status; where somebody explains it better, that is thrown here. */
  static RuntimeException failure(String call, int status, Runnable explain) {
    if (status == gatun_cpu_h.GATUN_OUT_OF_MEMORY()) {
      throw new OutOfMemoryError("gatun_" + call + ": no native memory for the kernel's scratch");
    }
    boolean ofNumbers =
        status == gatun_cpu_h.GATUN_OUT_OF_RANGE() || status == gatun_cpu_h.GATUN_NOT_FINITE();
    if (explain != null && ofNumbers) {
      explain.run();
    }
    String reason =
        status == gatun_cpu_h.GATUN_INVALID_ARGUMENT()
            ? "invalid argument"
            : status == gatun_cpu_h.GATUN_UNSUPPORTED_LEVEL()
                ? "this processor lacks the level's instructions"
                : status == gatun_cpu_h.GATUN_OUT_OF_RANGE()
                    ? "an index was out of range, and is no more when looked at again"
                    : status == gatun_cpu_h.GATUN_NOT_FINITE()
                        ? "a number or a scale is not finite"
                        : "unknown status " + status;
    return new IllegalArgumentException("gatun_" + call + ": " + reason);
  }
}
