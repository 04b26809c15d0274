package dev.gatun.kernels.cuda;

import static dev.gatun.kernels.cuda.CudaKernels.dtype;

import dev.gatun.bindings.cuda.CublasLt;
import dev.gatun.bindings.cuda.CublasLtException;
import dev.gatun.bindings.cuda.CublasLtProducts;
import dev.gatun.bindings.cuda.CublasLtProducts.Epilogue;
import dev.gatun.bindings.cuda.CublasLtProducts.Plan;
import dev.gatun.bindings.cuda.CublasLtProducts.Product;
import dev.gatun.bindings.cuda.CublasLtProducts.Rows;
import dev.gatun.bindings.cuda.CublasLtProducts.Type;
import dev.gatun.bindings.cuda.CudaContext;
import dev.gatun.bindings.cuda.CudaDriver;
import dev.gatun.bindings.loader.NativeLoader;
import dev.gatun.kernels.api.call.elementwise.Activation;
import dev.gatun.kernels.api.call.matmul.BatchedMatmul;
import dev.gatun.kernels.api.call.matmul.Matmul;
import dev.gatun.kernels.api.memory.Buffer;
import dev.gatun.kernels.api.memory.DType;
import dev.gatun.kernels.api.memory.Operand;
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
  private final Casts casts;
  private final CublasLtProducts products;
  private final boolean tf32 = Boolean.getBoolean(TF32_PROPERTY);

  private LibraryMatmul(Launcher launcher, CudaMemory memory, CublasLtProducts products) {
    this.launcher = launcher;
    this.memory = memory;
    this.casts = new Casts(launcher, memory);
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
    DType inputs = c.weight().dtype();
    boolean narrowed = c.x().dtype() != inputs;
    long k = c.x().size(1);
    long xStride = narrowed || y.size(0) == 1 ? k : c.x().stride(0);
    if (k == 0
        || xStride < k
        || y.dtype() != DType.F32 && y.dtype() != inputs
        || narrowed && !(inputs == DType.BF16 && c.x().isContiguous())) {
      return false;
    }
    try (Buffer x = narrowed ? casts.cast(c.x(), inputs) : null;
        Buffer bias =
            c.bias() != null && y.dtype() != DType.F32 ? casts.cast(c.bias(), y.dtype()) : null) {
      long xAddress = x == null ? address(c.x()) : CudaMemory.address(x);
      long biasAddress =
          c.bias() == null ? 0 : bias == null ? address(c.bias()) : CudaMemory.address(bias);
      Plan plan = plan(c, c.activation(), xAddress, xStride);
      boolean activated = plan != null;
      if (plan == null && y.isContiguous()) {
        plan = plan(c, Activation.NONE, xAddress, xStride);
      }
      if (plan == null) {
        return false;
      }
      submit(plan, address(c.weight()), xAddress, biasAddress, address(y));
      if (!activated) {
        activate(y, c.activation());
      }
      return true;
    }
  }

  /** How the library computes a product with an activation, null where it does not. */
  private Plan plan(Matmul c, Activation activation, long xAddress, long xStride) {
    Epilogue epilogue = epilogue(activation, c.bias() != null);
    if (epilogue == null) {
      return null;
    }
    Operand y = c.y();
    DType inputs = c.weight().dtype();
    Plan plan =
        products.plan(
            new Product(
                type(inputs),
                type(y.dtype()),
                tf32 && inputs == DType.F32,
                epilogue,
                1,
                y.size(0),
                y.size(1),
                c.x().size(1),
                new Rows(c.x().size(1), 0, alignment(address(c.weight()))),
                new Rows(xStride, 0, alignment(xAddress)),
                new Rows(y.size(0) == 1 ? y.size(1) : y.stride(0), 0, alignment(address(y)))));
    return plan.isSupported() ? plan : null;
  }

  /** In place, over an operand without gaps. */
  private void activate(Operand y, Activation activation) {
    launcher.elements(
        "activate_elements",
        y.count(),
        launcher
            .arguments()
            .operand(y)
            .operand(y)
            .integer(dtype(y.dtype()))
            .integer(activation.ordinal())
            .number(y.count()));
  }

  /** The same of a batch in F32. */
  boolean run(BatchedMatmul c) {
    boolean rows = hasRows(c.a()) && hasRows(c.b());
    if (!rows || c.a().size(2) == 0 || c.a().size(0) > Integer.MAX_VALUE) {
      return false;
    }
    DType inputs = c.a().dtype();
    Rows weight = rows(c.b());
    Rows x = rows(c.a());
    if (weight.stride() < c.b().size(2) || x.stride() < c.a().size(2)) {
      return false;
    }
    Plan plan =
        products.plan(
            new Product(
                type(inputs),
                type(c.c().dtype()),
                tf32 && inputs == DType.F32,
                Epilogue.NONE,
                c.a().size(0),
                c.a().size(1),
                c.b().size(1),
                c.a().size(2),
                weight,
                x,
                rows(c.c())));
    if (plan.isSupported()) {
      submit(plan, address(c.b()), address(c.a()), 0, address(c.c()));
    }
    return plan.isSupported();
  }

  /** Whether the numbers of each row are neighbours. */
  private static boolean hasRows(Operand operand) {
    return operand.size(2) <= 1 || operand.stride(2) == 1;
  }

  /** Of an operand [batch, rows, columns]; the stride of an axis of 1 says nothing. */
  private static Rows rows(Operand operand) {
    return new Rows(
        operand.size(1) == 1 ? operand.size(2) : operand.stride(1),
        operand.size(0) == 1 ? 0 : operand.stride(0),
        alignment(address(operand)));
  }

  private void submit(Plan plan, long weight, long x, long bias, long y) {
    try (Buffer workspace =
        plan.workspaceBytes() == 0 ? null : memory.allocate(plan.workspaceBytes())) {
      products.run(
          plan,
          launcher.stream(),
          weight,
          x,
          bias,
          y,
          workspace == null ? 0 : CudaMemory.address(workspace));
    }
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
    return CudaMemory.address(operand);
  }

  private static int alignment(long address) {
    return (int) Math.min(MOST_ALIGNMENT, Long.lowestOneBit(address));
  }
}
