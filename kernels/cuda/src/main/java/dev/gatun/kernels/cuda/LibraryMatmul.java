package dev.gatun.kernels.cuda;

import static dev.gatun.kernels.cuda.CudaKernels.dtype;

import dev.gatun.bindings.cuda.CublasLt;
import dev.gatun.bindings.cuda.CublasLtException;
import dev.gatun.bindings.cuda.CublasLtProducts;
import dev.gatun.bindings.cuda.CublasLtProducts.Epilogue;
import dev.gatun.bindings.cuda.CublasLtProducts.Plan;
import dev.gatun.bindings.cuda.CublasLtProducts.Product;
import dev.gatun.bindings.cuda.CublasLtProducts.Type;
import dev.gatun.bindings.cuda.CudaContext;
import dev.gatun.bindings.cuda.CudaDriver;
import dev.gatun.bindings.loader.NativeLoader;
import dev.gatun.kernels.api.Activation;
import dev.gatun.kernels.api.Buffer;
import dev.gatun.kernels.api.DType;
import dev.gatun.kernels.api.Matmul;
import dev.gatun.kernels.api.Operand;
import java.util.List;

/**
 * Products by cuBLASLt where that is installed, of weights that are packed in rows. {@code
 * -Dgatun.cuda.cublaslt=FILE} names the library, {@code off} takes none; {@code
 * -Dgatun.cuda.tf32=true} lets products of F32 round their inputs to TF32.
 */
final class LibraryMatmul {
  /** The property that lets products of F32 round their inputs to TF32. */
  static final String TF32_PROPERTY = "gatun.cuda.tf32";

  private static final int MOST_ALIGNMENT = 256;

  private final Launcher launcher;
  private final CudaMemory memory;
  private final CublasLtProducts products;
  private final boolean tf32 = Boolean.getBoolean(TF32_PROPERTY);

  private LibraryMatmul(Launcher launcher, CudaMemory memory, CublasLtProducts products) {
    this.launcher = launcher;
    this.memory = memory;
    this.products = products;
  }

  /**
   * The library on a device.
   *
   * @throws CublasLtException when it does not run there
   */
  static LibraryMatmul open(CudaContext context, Launcher launcher, CudaMemory memory) {
    return new LibraryMatmul(launcher, memory, new CublasLtProducts(context));
  }

  /** What computes matrix products, and why, for people. */
  static String description() {
    NativeLoader.Result result = CublasLt.load();
    if (!result.loaded()) {
      return instead(reason(result.attempts()));
    }
    return "matrix products: cuBLASLt %s%s, %s"
        .formatted(
            CublasLt.text(CublasLt.version()),
            Boolean.getBoolean(TF32_PROPERTY) ? " with TF32" : "",
            result.file());
  }

  /** The same where the library is not used. */
  static String instead(String reason) {
    return "matrix products: kernels of Gatun, for there is no cuBLASLt: " + reason;
  }

  private static String reason(List<NativeLoader.Attempt> attempts) {
    List<NativeLoader.Attempt> files =
        attempts.stream().filter(attempt -> !attempt.outcome().equals(CudaDriver.MISSING)).toList();
    if (!files.isEmpty() || attempts.size() == 1) {
      return (files.isEmpty() ? attempts : files).getLast().toString();
    }
    return "%s in none of %d places (-D%s names one)"
        .formatted(String.join(", ", CublasLt.NAMES), attempts.size(), CublasLt.PROPERTY);
  }

  /** Submits a product; false where the library has none for it, and nothing was done. */
  boolean run(Matmul c) {
    Operand y = c.y();
    DType inputs = c.packed().dtype();
    boolean narrowed = c.x().dtype() != inputs;
    boolean activated = epilogue(c.activation(), false) == null;
    long m = y.size(0);
    long k = c.x().size(1);
    long xStride = narrowed || m == 1 ? k : c.x().stride(0);
    if (k == 0
        || xStride < k
        || y.dtype() != DType.F32 && y.dtype() != inputs
        || narrowed && !(inputs == DType.BF16 && c.x().isContiguous())
        || activated && !y.isContiguous()) {
      return false;
    }
    try (Buffer x = narrowed ? cast(c.x(), inputs) : null;
        Buffer bias =
            c.bias() != null && y.dtype() != DType.F32 ? cast(c.bias(), y.dtype()) : null) {
      long xAddress = x == null ? address(c.x()) : CudaMemory.address(x);
      long biasAddress =
          c.bias() == null ? 0 : bias == null ? address(c.bias()) : CudaMemory.address(bias);
      Product product =
          new Product(
              type(inputs),
              type(y.dtype()),
              tf32 && inputs == DType.F32,
              epilogue(activated ? Activation.NONE : c.activation(), c.bias() != null),
              m,
              y.size(1),
              k,
              xStride,
              m == 1 ? y.size(1) : y.stride(0),
              alignment(address(c.packed())),
              alignment(xAddress),
              alignment(address(y)));
      Plan plan = products.plan(product);
      if (!plan.isSupported()) {
        return false;
      }
      submit(plan, c, xAddress, biasAddress);
    }
    if (activated) {
      launcher.elements(
          "activate_elements",
          y.count(),
          launcher
              .arguments()
              .operand(y)
              .operand(y)
              .integer(dtype(y.dtype()))
              .integer(c.activation().ordinal())
              .number(y.count()));
    }
    return true;
  }

  private void submit(Plan plan, Matmul c, long x, long bias) {
    try (Buffer workspace =
        plan.workspaceBytes() == 0 ? null : memory.allocate(plan.workspaceBytes())) {
      products.run(
          plan,
          launcher.stream(),
          address(c.packed()),
          x,
          bias,
          address(c.y()),
          workspace == null ? 0 : CudaMemory.address(workspace));
    }
  }

  private Buffer cast(Operand from, DType to) {
    Buffer buffer = memory.allocate(from.count() * to.bytes());
    launcher.elements(
        "cast",
        from.count(),
        launcher
            .arguments()
            .operand(from)
            .address(CudaMemory.address(buffer))
            .integer(dtype(from.dtype()))
            .integer(dtype(to))
            .number(from.count()));
    return buffer;
  }

  /** What the library does to sums for an activation, null where it does not know it. */
  private static Epilogue epilogue(Activation activation, boolean biased) {
    return switch (activation) {
      case NONE -> biased ? Epilogue.BIAS : Epilogue.NONE;
      case RELU -> biased ? Epilogue.RELU_BIAS : Epilogue.RELU;
      case GELU_TANH -> biased ? Epilogue.GELU_BIAS : Epilogue.GELU;
      default -> null;
    };
  }

  private static Type type(DType dtype) {
    return switch (dtype) {
      case F32 -> Type.F32;
      case BF16 -> Type.BF16;
      default -> Type.F16;
    };
  }

  private static long address(Operand operand) {
    return CudaMemory.address(operand.buffer()) + operand.byteOffset();
  }

  private static int alignment(long address) {
    return (int) Math.min(MOST_ALIGNMENT, Long.lowestOneBit(address));
  }
}
