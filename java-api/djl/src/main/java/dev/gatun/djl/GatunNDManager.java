package dev.gatun.djl;

import ai.djl.Device;
import ai.djl.engine.Engine;
import ai.djl.ndarray.BaseNDManager;
import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDManager;
import ai.djl.ndarray.types.DataType;
import ai.djl.ndarray.types.Shape;
import dev.gatun.djl.Randoms.Draw;
import dev.gatun.djl.host.ArrayKernels;
import dev.gatun.djl.host.Refusal;
import dev.gatun.djl.host.Strided;
import dev.gatun.djl.host.Types;
import dev.gatun.kernels.api.call.elementwise.RandomDistribution;
import java.lang.foreign.MemorySegment;
import java.nio.Buffer;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.DoubleBuffer;
import java.nio.FloatBuffer;
import java.nio.IntBuffer;
import java.nio.LongBuffer;
import java.nio.ShortBuffer;
import java.nio.charset.Charset;
import java.util.Arrays;
import java.util.function.DoubleSupplier;
import java.util.function.Function;

/** Makes arrays and closes them. */
class GatunNDManager extends BaseNDManager {
  private static final GatunNDManager SYSTEM = new SystemManager();

  private GatunNDManager(NDManager parent, Device device) {
    super(parent, device);
    if (this.device.isGpu()) {
      throw new IllegalArgumentException(
          "device %s: the engine Gatun has its arrays on cpu".formatted(device));
    }
  }

  /** What all others are children of; arrays that no manager has are its. */
  static GatunNDManager system() {
    return SYSTEM;
  }

  @Override
  public GatunNDManager newSubManager(Device device) {
    GatunNDManager manager = new GatunNDManager(this, device);
    attachUncappedInternal(manager.uid, manager);
    return manager;
  }

  @Override
  public Engine getEngine() {
    return Engine.getEngine(GatunEngine.NAME);
  }

  @Override
  public ByteBuffer allocateDirect(int capacity) {
    return ByteBuffer.allocateDirect(capacity).order(ByteOrder.nativeOrder());
  }

  @Override
  public GatunNDArray from(NDArray array) {
    if (array == null || array instanceof GatunNDArray) {
      return (GatunNDArray) array;
    }
    GatunNDArray own;
    if (array.getDataType() == DataType.STRING) {
      own = new GatunNDArray(this, array.toStringArray(), array.getShape());
    } else {
      own = create(array.toByteBuffer(), array.getShape(), array.getDataType());
    }
    own.setName(array.getName());
    return own;
  }

  GatunNDArray make(Strided data) {
    return new GatunNDArray(this, data);
  }

  private static long[] lengths(Shape shape) {
    return shape.getShape();
  }

  @Override
  public GatunNDArray create(Shape shape, DataType dataType) {
    return filled(shape, 0, dataType);
  }

  @Override
  public GatunNDArray create(Buffer data, Shape shape, DataType dataType) {
    return make(filledFrom(data, shape, dataType));
  }

  private static Strided filledFrom(Buffer data, Shape shape, DataType dataType) {
    Buffer rest = rest(data);
    validateBuffer(rest, dataType, Math.toIntExact(shape.size()));
    MemorySegment bytes = bytes(rest, dataType);
    Strided made = Strided.allocate(dataType, lengths(shape));
    try {
      ArrayKernels.host().write(made, bytes);
      return made;
    } catch (RuntimeException | Error e) {
      made.store().release();
      throw e;
    }
  }

  /** What a buffer has left as one that begins there: DJL's check counts from the beginning. */
  static Buffer rest(Buffer data) {
    return data.position() == 0 ? data : data.slice();
  }

  /** What a buffer has left, in the processor's order of bytes. */
  static MemorySegment bytes(Buffer data, DataType type) {
    ByteOrder order =
        switch (data) {
          case FloatBuffer floats -> floats.order();
          case LongBuffer longs -> longs.order();
          case IntBuffer ints -> ints.order();
          case DoubleBuffer doubles -> doubles.order();
          case ShortBuffer shorts -> shorts.order();
          default -> ByteOrder.nativeOrder();
        };
    int width =
        switch (data) {
          case FloatBuffer _, IntBuffer _ -> Integer.BYTES;
          case LongBuffer _, DoubleBuffer _ -> Long.BYTES;
          case ShortBuffer _ -> Short.BYTES;
          default -> type.getNumOfBytes();
        };
    if (width != type.getNumOfBytes()) {
      throw new IllegalArgumentException(
          "the numbers of a %s have %d bytes, those of %s have %d"
              .formatted(data.getClass().getSimpleName(), width, type, type.getNumOfBytes()));
    }
    if (order == ByteOrder.nativeOrder()) {
      return MemorySegment.ofBuffer(data);
    }
    ByteBuffer copy =
        ByteBuffer.allocateDirect(data.remaining() * type.getNumOfBytes())
            .order(ByteOrder.nativeOrder());
    copyBuffer(data.duplicate(), copy);
    return MemorySegment.ofBuffer(copy);
  }

  @Override
  public NDArray create(String[] data, Charset charset, Shape shape) {
    if (Strided.count(lengths(shape)) != data.length) {
      throw new IllegalArgumentException(
          "create: %d strings do not fill shape %s".formatted(data.length, shape));
    }
    return new GatunNDArray(this, data.clone(), shape);
  }

  @Override
  public NDArray createCSR(Buffer data, long[] indptr, long[] indices, Shape shape) {
    return sparse(
        data,
        new Shape(indices.length),
        values -> Sparse.ofRows(values, indptr, indices, lengths(shape)));
  }

  @Override
  public NDArray createRowSparse(Buffer data, Shape dataShape, long[] indices, Shape shape) {
    return sparse(data, dataShape, values -> Sparse.ofSomeRows(values, indices, lengths(shape)));
  }

  @Override
  public NDArray createCoo(Buffer data, long[][] indices, Shape shape) {
    return sparse(
        data,
        new Shape(indices.length == 0 ? 1 : indices[0].length),
        values -> Sparse.ofElements(values, indices, lengths(shape)));
  }

  private GatunNDArray sparse(Buffer data, Shape shape, Function<Strided, Sparse> kept) {
    Strided values = filledFrom(data, shape, DataType.fromBuffer(data));
    Sparse made;
    try {
      made = kept.apply(values);
    } catch (RuntimeException | Error e) {
      values.store().release();
      throw e;
    }
    return new GatunNDArray(this, made);
  }

  private GatunNDArray filled(Shape shape, double value, DataType type) {
    Strided made = Strided.allocate(type, lengths(shape));
    ArrayKernels.host().fill(made, value);
    return make(made);
  }

  @Override
  public NDArray zeros(Shape shape, DataType dataType) {
    return filled(shape, 0, dataType);
  }

  @Override
  public NDArray ones(Shape shape, DataType dataType) {
    return filled(shape, 1, dataType);
  }

  @Override
  public NDArray full(Shape shape, float value, DataType dataType) {
    return filled(shape, value, dataType);
  }

  /** An array whose elements, row-major, come one after another. */
  GatunNDArray drawn(Shape shape, DataType type, DoubleSupplier numbers) {
    Strided made = Strided.allocate(type, lengths(shape));
    ArrayKernels.host().generate(numbers, made);
    return make(made);
  }

  @Override
  public NDArray arange(int start, int stop, int step, DataType dataType) {
    return range(start, stop, step, dataType);
  }

  @Override
  public NDArray arange(float start, float stop, float step, DataType dataType) {
    if (!Types.isWhole(dataType) || Math.signum(stop - start) != Math.signum(step)) {
      return range(start, stop, step, dataType);
    }
    // PyTorch's: they are cut to whole numbers first, and the length with them where it is INT64's.
    if ((long) step == 0) {
      throw Refusal.wrong("arange: the step %s is 0 as %s", step, dataType);
    }
    boolean cut = dataType == DataType.INT64;
    double length =
        cut ? (double) ((long) stop - (long) start) / (long) step : ((double) stop - start) / step;
    return stepped((long) start, (long) step, length, dataType);
  }

  private NDArray range(double start, double stop, double step, DataType type) {
    if (step == 0 && start == stop) {
      throw Refusal.wrong("arange: the step is 0");
    }
    boolean none = Math.signum(stop - start) != Math.signum(step);
    return stepped(start, step, none ? 0 : (stop - start) / step, type);
  }

  private NDArray stepped(double start, double step, double length, DataType type) {
    long[] next = new long[1];
    return drawn(
        new Shape(Math.max(0, (long) Math.ceil(length))), type, () -> start + step * next[0]++);
  }

  @Override
  public NDArray hanningWindow(long numPoints) {
    if (numPoints < 0) {
      throw Refusal.wrong("hanningWindow: %d points, expected 0 or more", numPoints);
    }
    // Of one point DJL's formula gives 0.
    return numPoints == 1 ? ones(new Shape(1)) : super.hanningWindow(numPoints);
  }

  @Override
  public NDArray eye(int rows, int cols, int k, DataType dataType) {
    GatunNDArray made = filled(new Shape(rows, cols), 0, dataType);
    Strided diagonal = made.data().diagonal(k, 0, 1);
    ArrayKernels.host().fill(diagonal, 1);
    return made;
  }

  @Override
  public NDArray linspace(float start, float stop, int num, boolean endpoint) {
    if (num < 0) {
      throw Refusal.wrong("linspace: %d numbers, expected 0 or more", num);
    }
    double step = ((double) stop - start) / Math.max(1, endpoint ? num - 1 : num);
    int[] next = new int[1];
    return drawn(
        new Shape(num),
        DataType.FLOAT32,
        () -> {
          int i = next[0]++;
          return endpoint && num > 1 && i == num - 1 ? stop : start + step * i;
        });
  }

  @Override
  public NDArray randomInteger(long low, long high, Shape shape, DataType dataType) {
    if (low >= high) {
      throw Refusal.wrong("randomInteger: from %d to below %d is nothing", low, high);
    }
    if (Types.isWhole(dataType) && !(holds(dataType, low) && holds(dataType, high - 1))) {
      throw Refusal.wrong(
          "randomInteger: from %d to below %d, which %s does not hold", low, high, dataType);
    }
    Draw draw = Randoms.draw();
    // Beyond 2⁵³ doubles lack numbers.
    boolean wide = low < -(1L << 53) || high > 1L << 53;
    if (!wide) {
      return drawn(shape, dataType, () -> low + draw.below(high - low));
    }
    long[] numbers = new long[Math.toIntExact(shape.size())];
    Arrays.setAll(numbers, i -> low + draw.belowUnsigned(high - low));
    try (GatunNDArray whole = create(LongBuffer.wrap(numbers), shape, DataType.INT64)) {
      return whole.toType(dataType, true);
    }
  }

  private static boolean holds(DataType type, long number) {
    return type == DataType.BOOLEAN ? number == 0 || number == 1 : Types.holds(type, number);
  }

  @Override
  public NDArray randomPermutation(long n) {
    if (n < 0) {
      throw Refusal.wrong("randomPermutation: %d numbers, expected 0 or more", n);
    }
    Draw draw = Randoms.draw();
    long[] order = new long[Math.toIntExact(n)];
    for (int i = 0; i < order.length; i++) {
      int other = (int) draw.below(i + 1);
      order[i] = order[other];
      order[other] = i;
    }
    return create(order);
  }

  @Override
  public NDArray randomUniform(float low, float high, Shape shape, DataType dataType) {
    requireFloating("randomUniform", dataType);
    float most = dataType == DataType.FLOAT16 ? 65504 : Float.MAX_VALUE;
    if (!(low <= high && low >= -most && high <= most)) {
      throw Refusal.wrong(
          "randomUniform: from %s to %s of %s, expected finite numbers that rise",
          low, high, dataType);
    }
    Draw draw = Randoms.draw();
    if (dataType == DataType.FLOAT32) {
      return filled(shape, draw, RandomDistribution.UNIFORM, low, high);
    }
    boolean wide = dataType == DataType.FLOAT64;
    double width = (double) high - low;
    // Steps that the type holds, so that none is rounded up to 1.
    double steps = dataType == DataType.FLOAT16 ? 0x1p11 : 0x1p8;
    return drawn(
        shape,
        dataType,
        () ->
            low + width * (wide ? draw.wideUniform() : Math.floor(draw.uniform() * steps) / steps));
  }

  @Override
  public NDArray randomNormal(float loc, float scale, Shape shape, DataType dataType) {
    requireFloating("randomNormal", dataType);
    if (!(scale >= 0)) {
      throw Refusal.wrong("randomNormal: a deviation of %s, expected 0 or more", scale);
    }
    Draw draw = Randoms.draw();
    return dataType == DataType.FLOAT32
        ? filled(shape, draw, RandomDistribution.NORMAL, loc, scale)
        : drawn(shape, dataType, () -> loc + scale * draw.normal());
  }

  private static void requireFloating(String op, DataType type) {
    if (!type.isFloating()) {
      throw Refusal.wrong("%s: the type is %s, expected a floating-point one", op, type);
    }
  }

  private NDArray filled(
      Shape shape, Draw draw, RandomDistribution distribution, float first, float second) {
    Strided made = Strided.allocate(DataType.FLOAT32, lengths(shape));
    draw.fill(distribution, first, second, made);
    return make(made);
  }

  @Override
  public NDArray truncatedNormal(float loc, float scale, Shape shape, DataType dataType) {
    Draw draw = Randoms.draw();
    return drawn(
        shape,
        dataType,
        () -> {
          double number = draw.normal();
          while (Math.abs(number) > 2) {
            number = draw.normal();
          }
          return loc + scale * number;
        });
  }

  @Override
  public NDArray randomMultinomial(int n, NDArray pValues) {
    return Distributions.multinomial(this, n, from(pValues), new Shape());
  }

  @Override
  public NDArray randomMultinomial(int n, NDArray pValues, Shape shape) {
    return Distributions.multinomial(this, n, from(pValues), shape);
  }

  @Override
  public NDArray sampleNormal(NDArray mu, NDArray sigma) {
    return sampleNormal(mu, sigma, new Shape());
  }

  @Override
  public NDArray sampleNormal(NDArray mu, NDArray sigma, Shape shape) {
    Distributions.requireFromZero("sampleNormal", "sigma", from(sigma));
    return Distributions.of(
        this, from(mu), from(sigma), shape, (draw, a, b) -> a + b * draw.normal());
  }

  @Override
  public NDArray samplePoisson(NDArray lam) {
    return samplePoisson(lam, new Shape());
  }

  @Override
  public NDArray samplePoisson(NDArray lam, Shape shape) {
    Distributions.requireFromZero("samplePoisson", "lam", from(lam));
    return Distributions.of(this, from(lam), from(lam), shape, (draw, a, b) -> draw.poisson(a));
  }

  @Override
  public NDArray sampleGamma(NDArray alpha, NDArray beta) {
    return sampleGamma(alpha, beta, new Shape());
  }

  @Override
  public NDArray sampleGamma(NDArray alpha, NDArray beta, Shape shape) {
    Distributions.requireFromZero("sampleGamma", "alpha", from(alpha));
    Distributions.requireFromZero("sampleGamma", "beta", from(beta));
    return Distributions.of(
        this, from(alpha), from(beta), shape, (draw, a, b) -> b * draw.gamma(a));
  }

  /**
   * The root of all. What it has is kept reachable by those who use it alone, so that a Cleaner
   * finds what is forgotten.
   */
  private static final class SystemManager extends GatunNDManager implements SystemNDManager {
    SystemManager() {
      super(null, null);
    }

    @Override
    public void attachInternal(String resourceId, AutoCloseable... resources) {}

    @Override
    public void attachUncappedInternal(String resourceId, AutoCloseable resource) {}

    @Override
    public void detachInternal(String resourceId) {}
  }
}
