package dev.gatun.bindings.cuda;

import static dev.gatun.bindings.cuda.CublasLt.check;

import dev.gatun.bindings.generated.cublas.cublas_v2_h;
import dev.gatun.bindings.generated.cublaslt.cublasLtMatmulHeuristicResult_t;
import dev.gatun.bindings.generated.cublaslt.cublasLt_h;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.lang.ref.Cleaner;
import java.lang.ref.Reference;
import java.util.LinkedHashMap;
import java.util.Map;

/**
 * Matrix products on a device by cuBLASLt: {@code y[m, n] = f(Σₖ x[m, k] weight[n, k] + bias[n])},
 * all in rows, or of batches of them. The algorithm of a product is asked for once. Safe for use by
 * many threads.
 */
public final class CublasLtProducts {
  private static final Cleaner CLEANER = Cleaner.create();

  /** What the library asks of workspaces on Hopper; others want less. */
  private static final long MOST_WORKSPACE = 32L << 20;

  private static final int MOST_PLANS = 1024;

  /** A type of numbers. */
  public enum Type {
    F32(cublas_v2_h.CUDA_R_32F()),
    BF16(cublas_v2_h.CUDA_R_16BF()),
    F16(cublas_v2_h.CUDA_R_16F());

    private final int number;

    Type(int number) {
      this.number = number;
    }
  }

  /** What is done to a sum. GELU is the approximation by tanh. */
  public enum Epilogue {
    NONE(cublasLt_h.CUBLASLT_EPILOGUE_DEFAULT(), false),
    BIAS(cublasLt_h.CUBLASLT_EPILOGUE_BIAS(), true),
    RELU(cublasLt_h.CUBLASLT_EPILOGUE_RELU(), false),
    RELU_BIAS(cublasLt_h.CUBLASLT_EPILOGUE_RELU_BIAS(), true),
    GELU(cublasLt_h.CUBLASLT_EPILOGUE_GELU(), false),
    GELU_BIAS(cublasLt_h.CUBLASLT_EPILOGUE_GELU_BIAS(), true);

    private final int number;
    private final boolean biased;

    Epilogue(int number, boolean biased) {
      this.number = number;
      this.biased = biased;
    }
  }

  /**
   * All that the choice of an algorithm depends on.
   *
   * @param inputs the type of x and of the weight
   * @param output the type of y and of the bias
   * @param tf32 whether F32 inputs may be rounded to TF32
   * @param batch how many products
   */
  public record Product(
      Type inputs,
      Type output,
      boolean tf32,
      Epilogue epilogue,
      long batch,
      long m,
      long n,
      long k,
      Rows weight,
      Rows x,
      Rows y) {
    @Override
    public String toString() {
      return "%s%s[%d, %d] of x %s[%d, %d] and weight %s[%d, %d]%s, epilogue %s"
          .formatted(
              batch == 1 ? "" : batch + " times ",
              output,
              m,
              n,
              inputs,
              m,
              k,
              inputs,
              n,
              k,
              tf32 ? " by TF32" : "",
              epilogue);
    }
  }

  /**
   * How the rows of a matrix lie.
   *
   * @param stride elements from a row to the next, at least its length
   * @param batchStride elements from a matrix of the batch to the next, 0 where all are one
   * @param alignment a power of two of bytes that the address is a multiple of
   */
  public record Rows(long stride, long batchStride, int alignment) {}

  /** How the library computes a product. */
  public static final class Plan {
    private final Product product;
    private final Descriptors of;
    private final MemorySegment algorithm;
    private final long workspaceBytes;

    private Plan(Product product, Descriptors of, MemorySegment algorithm, long workspaceBytes) {
      this.product = product;
      this.of = of;
      this.algorithm = algorithm;
      this.workspaceBytes = workspaceBytes;
    }

    /** Whether the library can compute it at all. */
    public boolean isSupported() {
      return algorithm != null;
    }

    /** The bytes of device memory that {@link #run} needs besides. */
    public long workspaceBytes() {
      return workspaceBytes;
    }
  }

  /** The library's objects that describe a product. */
  private static final class Descriptors implements Runnable {
    private MemorySegment operation = MemorySegment.NULL;
    private MemorySegment weight = MemorySegment.NULL;
    private MemorySegment x = MemorySegment.NULL;
    private MemorySegment y = MemorySegment.NULL;

    /** Gives them back. */
    @Override
    public void run() {
      if (operation.address() != 0) {
        cublasLt_h.cublasLtMatmulDescDestroy(operation);
      }
      for (MemorySegment layout : new MemorySegment[] {weight, x, y}) {
        if (layout.address() != 0) {
          cublasLt_h.cublasLtMatrixLayoutDestroy(layout);
        }
      }
    }
  }

  private final CudaContext context;
  private final MemorySegment handle;
  private final Map<Product, Plan> plans =
      new LinkedHashMap<>(16, 0.75f, true) {
        private static final long serialVersionUID = 1L;

        @Override
        protected boolean removeEldestEntry(Map.Entry<Product, Plan> eldest) {
          return size() > MOST_PLANS;
        }
      };

  /**
   * The library on a device, for the life of the process.
   *
   * @throws CublasLtException when it cannot run there
   */
  public CublasLtProducts(CudaContext context) {
    this.context = context;
    context.makeCurrent();
    try (Arena arena = Arena.ofConfined()) {
      MemorySegment pointer = arena.allocate(ValueLayout.ADDRESS);
      check(cublasLt_h.cublasLtCreate(pointer), "cublasLtCreate(" + context.ordinal() + ")");
      this.handle = pointer.get(ValueLayout.ADDRESS, 0);
    }
  }

  /**
   * How to compute a product, chosen by the library once.
   *
   * @throws CublasLtException when the library fails; not when it has no algorithm
   */
  public synchronized Plan plan(Product product) {
    Plan plan = plans.get(product);
    if (plan == null) {
      context.makeCurrent();
      plan = choose(product);
      plans.put(product, plan);
    }
    return plan;
  }

  private Plan choose(Product p) {
    Descriptors of = new Descriptors();
    Arena kept = Arena.ofAuto();
    MemorySegment result = cublasLtMatmulHeuristicResult_t.allocate(kept);
    int status;
    try (Arena arena = Arena.ofConfined()) {
      // The library's matrices are columns: y is n by m, the product of the weight turned over, k
      // by n, and of x, k by m.
      of.operation = operation(arena, p);
      set(arena, p, of, cublasLt_h.CUBLASLT_MATMUL_DESC_TRANSA(), cublas_v2_h.CUBLAS_OP_T());
      set(arena, p, of, cublasLt_h.CUBLASLT_MATMUL_DESC_EPILOGUE(), p.epilogue.number);
      of.weight = layout(arena, p, p.inputs, p.k, p.n, p.weight);
      of.x = layout(arena, p, p.inputs, p.k, p.m, p.x);
      of.y = layout(arena, p, p.output, p.n, p.m, p.y);
      status = heuristic(arena, p, of, result);
    } catch (RuntimeException | Error e) {
      of.run();
      throw e;
    }
    if (status == cublas_v2_h.CUBLAS_STATUS_NOT_SUPPORTED()
        || status == cublas_v2_h.CUBLAS_STATUS_ARCH_MISMATCH()) {
      of.run();
      return new Plan(p, null, null, 0);
    }
    Plan plan =
        new Plan(
            p,
            of,
            cublasLtMatmulHeuristicResult_t.algo(result),
            cublasLtMatmulHeuristicResult_t.workspaceSize(result));
    CLEANER.register(plan, of);
    return plan;
  }

  private static MemorySegment operation(Arena arena, Product p) {
    MemorySegment pointer = arena.allocate(ValueLayout.ADDRESS);
    int compute =
        p.tf32 ? cublas_v2_h.CUBLAS_COMPUTE_32F_FAST_TF32() : cublas_v2_h.CUBLAS_COMPUTE_32F();
    check(
        cublasLt_h.cublasLtMatmulDescCreate(pointer, compute, cublas_v2_h.CUDA_R_32F()),
        new Call("cublasLtMatmulDescCreate", p));
    return pointer.get(ValueLayout.ADDRESS, 0);
  }

  private static void set(Arena arena, Product p, Descriptors of, int which, int value) {
    check(
        cublasLt_h.cublasLtMatmulDescSetAttribute(
            of.operation, which, arena.allocateFrom(ValueLayout.JAVA_INT, value), 4),
        new Call("cublasLtMatmulDescSetAttribute " + which, p));
  }

  private static MemorySegment layout(
      Arena arena, Product p, Type type, long length, long count, Rows rows) {
    MemorySegment pointer = arena.allocate(ValueLayout.ADDRESS);
    check(
        cublasLt_h.cublasLtMatrixLayoutCreate(pointer, type.number, length, count, rows.stride),
        new Call("cublasLtMatrixLayoutCreate", p));
    MemorySegment layout = pointer.get(ValueLayout.ADDRESS, 0);
    try {
      if (p.batch > 1) {
        set(
            p,
            layout,
            cublasLt_h.CUBLASLT_MATRIX_LAYOUT_BATCH_COUNT(),
            arena.allocateFrom(ValueLayout.JAVA_INT, Math.toIntExact(p.batch)));
        set(
            p,
            layout,
            cublasLt_h.CUBLASLT_MATRIX_LAYOUT_STRIDED_BATCH_OFFSET(),
            arena.allocateFrom(ValueLayout.JAVA_LONG, rows.batchStride));
      }
      return layout;
    } catch (RuntimeException | Error e) {
      cublasLt_h.cublasLtMatrixLayoutDestroy(layout);
      throw e;
    }
  }

  private static void set(Product p, MemorySegment layout, int which, MemorySegment value) {
    check(
        cublasLt_h.cublasLtMatrixLayoutSetAttribute(layout, which, value, value.byteSize()),
        new Call("cublasLtMatrixLayoutSetAttribute " + which, p));
  }

  private int heuristic(Arena arena, Product p, Descriptors of, MemorySegment result) {
    MemorySegment pointer = arena.allocate(ValueLayout.ADDRESS);
    check(
        cublasLt_h.cublasLtMatmulPreferenceCreate(pointer),
        new Call("cublasLtMatmulPreferenceCreate", p));
    MemorySegment preference = pointer.get(ValueLayout.ADDRESS, 0);
    try {
      prefer(
          p,
          preference,
          cublasLt_h.CUBLASLT_MATMUL_PREF_MAX_WORKSPACE_BYTES(),
          arena.allocateFrom(ValueLayout.JAVA_LONG, MOST_WORKSPACE));
      // Parts of a sum are added in F32, in the order of the parts.
      prefer(
          p,
          preference,
          cublasLt_h.CUBLASLT_MATMUL_PREF_REDUCTION_SCHEME_MASK(),
          arena.allocateFrom(
              ValueLayout.JAVA_INT, cublasLt_h.CUBLASLT_REDUCTION_SCHEME_COMPUTE_TYPE()));
      int[] which = {
        cublasLt_h.CUBLASLT_MATMUL_PREF_MIN_ALIGNMENT_A_BYTES(),
        cublasLt_h.CUBLASLT_MATMUL_PREF_MIN_ALIGNMENT_B_BYTES(),
        cublasLt_h.CUBLASLT_MATMUL_PREF_MIN_ALIGNMENT_C_BYTES(),
        cublasLt_h.CUBLASLT_MATMUL_PREF_MIN_ALIGNMENT_D_BYTES()
      };
      int[] alignments = {p.weight.alignment, p.x.alignment, p.y.alignment, p.y.alignment};
      for (int i = 0; i < which.length; i++) {
        prefer(p, preference, which[i], arena.allocateFrom(ValueLayout.JAVA_INT, alignments[i]));
      }
      MemorySegment found = arena.allocate(ValueLayout.JAVA_INT);
      int status =
          cublasLt_h.cublasLtMatmulAlgoGetHeuristic(
              handle, of.operation, of.weight, of.x, of.y, of.y, preference, 1, result, found);
      if (status == cublas_v2_h.CUBLAS_STATUS_SUCCESS()) {
        status =
            found.get(ValueLayout.JAVA_INT, 0) == 0
                ? cublas_v2_h.CUBLAS_STATUS_NOT_SUPPORTED()
                : cublasLtMatmulHeuristicResult_t.state(result);
      }
      if (status != cublas_v2_h.CUBLAS_STATUS_NOT_SUPPORTED()
          && status != cublas_v2_h.CUBLAS_STATUS_ARCH_MISMATCH()) {
        check(status, new Call("cublasLtMatmulAlgoGetHeuristic", p));
      }
      return status;
    } finally {
      cublasLt_h.cublasLtMatmulPreferenceDestroy(preference);
    }
  }

  private static void prefer(Product p, MemorySegment preference, int which, MemorySegment value) {
    check(
        cublasLt_h.cublasLtMatmulPreferenceSetAttribute(preference, which, value, value.byteSize()),
        new Call("cublasLtMatmulPreferenceSetAttribute " + which, p));
  }

  /**
   * Submits a product.
   *
   * @param weight the address of the first [n, k]
   * @param bias the address of [n] of y's type, 0 where the epilogue adds none
   * @param workspace the address of the plan's bytes, aligned to 256, 0 where it needs none
   * @throws CublasLtException with the shapes when the library fails
   */
  public synchronized void run(
      Plan plan, CudaStream stream, long weight, long x, long bias, long y, long workspace) {
    context.makeCurrent();
    Descriptors of = plan.of;
    try (Arena arena = Arena.ofConfined()) {
      if (plan.product.epilogue.biased) {
        check(
            cublasLt_h.cublasLtMatmulDescSetAttribute(
                of.operation,
                cublasLt_h.CUBLASLT_MATMUL_DESC_BIAS_POINTER(),
                arena.allocateFrom(ValueLayout.JAVA_LONG, bias),
                Long.BYTES),
            new Call("cublasLtMatmulDescSetAttribute(bias)", plan.product));
      }
      MemorySegment one = arena.allocateFrom(ValueLayout.JAVA_FLOAT, 1);
      MemorySegment zero = arena.allocateFrom(ValueLayout.JAVA_FLOAT, 0);
      MemorySegment output = MemorySegment.ofAddress(y);
      check(
          cublasLt_h.cublasLtMatmul(
              handle,
              of.operation,
              one,
              MemorySegment.ofAddress(weight),
              of.weight,
              MemorySegment.ofAddress(x),
              of.x,
              zero,
              output,
              of.y,
              output,
              of.y,
              plan.algorithm,
              MemorySegment.ofAddress(workspace),
              plan.workspaceBytes,
              stream.handle()),
          new Call("cublasLtMatmul", plan.product));
    } finally {
      Reference.reachabilityFence(plan);
    }
  }

  /** A call for a message, put together only when it is needed. */
  private record Call(String function, Product product) {
    @Override
    public String toString() {
      return function + "(" + product + ")";
    }
  }
}
