package dev.gatun.djl;

import ai.djl.Device;
import ai.djl.ndarray.BaseNDManager;
import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDManager;
import ai.djl.ndarray.NDScope;
import ai.djl.ndarray.internal.NDArrayEx;
import ai.djl.ndarray.types.DataType;
import ai.djl.ndarray.types.Shape;
import ai.djl.ndarray.types.SparseFormat;
import dev.gatun.djl.Tape.Keeps;
import dev.gatun.djl.host.ArrayKernels;
import dev.gatun.djl.host.Refusal;
import dev.gatun.djl.host.Store;
import dev.gatun.djl.host.Strided;
import java.lang.foreign.MemorySegment;
import java.nio.Buffer;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.Charset;
import java.util.Arrays;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.function.Function;

/**
 * An array on the processor. Those that shapes and slices make of others share their memory; it
 * goes back when the last of them is closed.
 */
final class GatunNDArray
    implements ElementMethods,
        ReductionMethods,
        ShapeMethods,
        OrderMethods,
        IndexMethods,
        ProductMethods,
        SpectralMethods {
  private final String uid = NDManager.nextUid();
  private final String[] strings;
  private final Shape stringShape;
  private GatunNDManager manager;
  private Strided data;
  // What there is in place of data, as long as nothing computes with it.
  private Sparse sparse;
  private SparseFormat format = SparseFormat.DENSE;
  private String name;
  private boolean untracked;
  private boolean requiresGradient;
  private final AtomicBoolean closed = new AtomicBoolean();

  /**
   * @param data whose store's use becomes the array's, also where this fails
   */
  GatunNDArray(GatunNDManager manager, Strided data) {
    this.manager = manager;
    this.strings = null;
    this.stringShape = null;
    this.data = data;
    attachFirst();
  }

  /**
   * @param sparse whose use of its values becomes the array's, also where this fails
   */
  GatunNDArray(GatunNDManager manager, Sparse sparse) {
    this.manager = manager;
    this.strings = null;
    this.stringShape = null;
    this.sparse = sparse;
    this.format = sparse.format();
    attachFirst();
  }

  GatunNDArray(GatunNDManager manager, String[] strings, Shape shape) {
    this.manager = manager;
    this.strings = strings;
    this.stringShape = shape;
    attachFirst();
  }

  private void attachFirst() {
    try {
      manager.attachInternal(uid, this);
    } catch (RuntimeException e) {
      giveBack();
      throw e;
    }
    NDScope.register(this);
  }

  private void giveBack() {
    if (!closed.getAndSet(true) && strings == null) {
      (sparse == null ? data : sparse.values()).store().release();
    }
  }

  private void open() {
    if (closed.get()) {
      throw new IllegalStateException("the array %s is closed".formatted(uid));
    }
  }

  /**
   * What loops take; valid as long as the array is open.
   *
   * @throws IllegalStateException when it is closed
   */
  Strided data() {
    open();
    if (strings != null) {
      throw new UnsupportedOperationException("an array of strings has no numbers");
    }
    return sparse == null ? data : densified();
  }

  /** A sparse array with all its elements, from now on. */
  private synchronized Strided densified() {
    if (sparse != null) {
      data = sparse.dense();
      sparse.values().store().release();
      sparse = null;
    }
    return data;
  }

  /** A new array of this one's manager. */
  GatunNDArray make(Strided fresh) {
    return new GatunNDArray(manager, fresh);
  }

  /** An array that shares memory, of another manager. */
  static GatunNDArray view(GatunNDManager manager, Strided view) {
    view.store().retain();
    return new GatunNDArray(manager, view);
  }

  /** An array that shares this one's memory. */
  GatunNDArray view(Strided view) {
    return viewIn(manager, view);
  }

  /** The same, of another manager. */
  GatunNDArray viewIn(GatunNDManager other, Strided view) {
    GatunNDArray made = view(other, view);
    made.untracked = untracked;
    return made;
  }

  /** From now on no gradients come through it. */
  void untrack() {
    untracked = true;
  }

  /** Whether gradients may come through it. */
  boolean isTracked() {
    return !untracked && strings == null;
  }

  /** The same elements without gaps, in memory of their own where they are not so. */
  GatunNDArray rowMajor() {
    return data().isContiguous() ? view(data()) : duplicate();
  }

  /** All elements as doubles, row-major. */
  double[] numbers() {
    Strided x = data();
    Strided wide = Strided.allocate(DataType.FLOAT64, x.shape());
    try {
      double[] numbers = new double[Math.toIntExact(x.count())];
      ArrayKernels.host().copy(x, wide);
      ArrayKernels.host().read(wide, MemorySegment.ofArray(numbers));
      return numbers;
    } finally {
      wide.store().release();
    }
  }

  @Override
  public GatunNDManager getManager() {
    return manager;
  }

  @Override
  public String getName() {
    return name;
  }

  @Override
  public void setName(String name) {
    this.name = name;
  }

  @Override
  public String getUid() {
    return uid;
  }

  @Override
  public DataType getDataType() {
    open();
    if (strings != null) {
      return DataType.STRING;
    }
    Sparse kept = sparse;
    return kept == null ? data.type() : kept.values().type();
  }

  @Override
  public Device getDevice() {
    open();
    return Device.cpu();
  }

  @Override
  public Shape getShape() {
    open();
    if (strings != null) {
      return stringShape;
    }
    Sparse kept = sparse;
    return new Shape(kept == null ? data.shape() : kept.shape());
  }

  @Override
  public SparseFormat getSparseFormat() {
    open();
    return format;
  }

  @Override
  public NDArray toDevice(Device device, boolean copy) {
    if (device != null && device.isGpu()) {
      throw new IllegalArgumentException(
          "toDevice: %s, the engine Gatun has its arrays on cpu".formatted(device));
    }
    open();
    return copy ? duplicate() : this;
  }

  @Override
  public GatunNDArray toType(DataType dataType, boolean copy) {
    if (dataType == getDataType() && !copy) {
      return this;
    }
    Strided made = Strided.allocate(dataType, data().shape());
    ArrayKernels.host().copy(data, made);
    return Tape.record(
        make(made), "toType", Keeps.NOTHING, step -> step.give(0, step.gradient()), this);
  }

  @Override
  public GatunNDArray toSparse(SparseFormat fmt) {
    Tape.refuse("toSparse", this);
    return new GatunNDArray(manager, Sparse.of(data(), fmt));
  }

  @Override
  public GatunNDArray toDense() {
    open();
    return sparse == null ? duplicate() : make(sparse.dense());
  }

  @Override
  public GatunNDArray duplicate() {
    open();
    GatunNDArray copy =
        sparse != null
            ? new GatunNDArray(manager, sparse.shared())
            : strings == null
                ? toType(getDataType(), true)
                : new GatunNDArray(manager, strings.clone(), stringShape);
    copy.setName(name);
    return copy;
  }

  @Override
  public void setRequiresGradient(boolean requiresGrad) {
    Store store = data().store();
    if (!requiresGrad) {
      requiresGradient = false;
      if (store.companion() instanceof Leaf leaf) {
        store.accompany(null);
        leaf.end();
      }
      return;
    }
    if (!data.type().isFloating()) {
      throw Refusal.wrong(
          "setRequiresGradient: the array is of %s, expected a floating-point type", data.type());
    }
    untracked = false;
    requiresGradient = true;
    if (!Tape.hasHistory(this)) {
      store.accompany(new Leaf(data.type(), data.whole().count()));
    }
  }

  @Override
  public NDArray getGradient() {
    open();
    if (strings == null && data().store().companion() instanceof Leaf leaf) {
      return leaf.at(manager, data);
    }
    throw new IllegalStateException(
        "getGradient: the array has none, expected one of setRequiresGradient(true)");
  }

  /** As PyTorch's engine has it: of what is made of such an array it is false. */
  @Override
  public boolean hasGradient() {
    open();
    return requiresGradient && Tape.hasHistory(this);
  }

  @Override
  public NDArray stopGradient() {
    GatunNDArray view = view(data());
    view.untrack();
    return view;
  }

  @Override
  public ByteBuffer toByteBuffer(boolean tryDirect) {
    Strided x = data();
    int bytes = Math.toIntExact(x.byteSize());
    ByteBuffer buffer = ByteBuffer.allocate(bytes).order(ByteOrder.nativeOrder());
    ArrayKernels.host().read(x, MemorySegment.ofBuffer(buffer));
    return buffer;
  }

  /** Numbers that DJL reads as those of BFLOAT16 only by way of FLOAT32. */
  private <T> T ofBfloat16(Function<NDArray, T> read) {
    Strided wide = Strided.allocate(DataType.FLOAT32, data().shape());
    ArrayKernels.host().copy(data, wide);
    try (GatunNDArray floats = make(wide)) {
      floats.setName(name);
      return read.apply(floats);
    }
  }

  @Override
  public float[] toFloatArray() {
    return getDataType() == DataType.BFLOAT16
        ? ofBfloat16(NDArray::toFloatArray)
        : SpectralMethods.super.toFloatArray();
  }

  @Override
  public Number[] toArray() {
    return getDataType() == DataType.BFLOAT16
        ? ofBfloat16(NDArray::toArray)
        : SpectralMethods.super.toArray();
  }

  @Override
  public String toDebugString(
      int maxSize, int maxDepth, int maxRows, int maxColumns, boolean withContent) {
    if (strings == null && getDataType() == DataType.BFLOAT16) {
      String text =
          ofBfloat16(x -> x.toDebugString(maxSize, maxDepth, maxRows, maxColumns, withContent));
      int type = text.indexOf("float32", name == null ? 0 : name.length());
      return text.substring(0, type) + "b" + text.substring(type).replaceFirst("32", "16");
    }
    return SpectralMethods.super.toDebugString(maxSize, maxDepth, maxRows, maxColumns, withContent);
  }

  @Override
  public String[] toStringArray(Charset charset) {
    open();
    if (strings == null) {
      throw new UnsupportedOperationException(
          "toStringArray: the array is of %s, expected STRING".formatted(getDataType()));
    }
    return strings.clone();
  }

  @Override
  public void set(Buffer buffer) {
    Strided x = data();
    Buffer rest = GatunNDManager.rest(buffer);
    BaseNDManager.validateBuffer(rest, x.type(), Math.toIntExact(x.count()));
    Strided made = Strided.allocate(x.type(), x.shape());
    try {
      ArrayKernels.host().write(made, GatunNDManager.bytes(rest, x.type()));
      if (x.store().companion() instanceof Leaf) {
        // Other numbers for a weight are no operation on it.
        Tape.unrecorded(() -> overwritten(made));
      } else {
        Tape.writes("set", this);
        ArrayKernels.host().copy(made, x);
        Tape.wrote("set", this, x, null);
      }
    } finally {
      made.store().release();
    }
  }

  private void overwritten(Strided numbers) {
    Tape.writes("set", this);
    ArrayKernels.host().copy(numbers, data);
  }

  @Override
  public void copyTo(NDArray array) {
    if (!array.getShape().equals(getShape())) {
      throw new IllegalArgumentException(
          "copyTo: the array has shape %s, the target %s".formatted(getShape(), array.getShape()));
    }
    if (array instanceof GatunNDArray own) {
      Tape.writes("copyTo", own);
      ArrayKernels.host().copy(data(), own.data());
      Tape.wrote("copyTo", own, own.data(), this);
    } else {
      array.set(toType(array.getDataType(), false).toByteBuffer());
    }
  }

  @Override
  public void attach(NDManager target) {
    GatunNDManager own = own(target);
    detach();
    manager = own;
    own.attachInternal(uid, this);
  }

  @Override
  public void returnResource(NDManager target) {
    GatunNDManager own = own(target);
    detach();
    manager = own;
    own.attachUncappedInternal(uid, this);
  }

  @Override
  public void tempAttach(NDManager target) {
    GatunNDManager own = own(target);
    NDManager original = manager;
    detach();
    manager = own;
    own.tempAttachInternal(original, uid, this);
  }

  private static GatunNDManager own(NDManager manager) {
    if (manager instanceof GatunNDManager own) {
      return own;
    }
    throw new IllegalArgumentException(
        "attach: the manager is of the engine %s, the array of Gatun"
            .formatted(manager.getEngine().getEngineName()));
  }

  @Override
  public void detach() {
    manager.detachInternal(uid);
    manager = GatunNDManager.system();
  }

  @Override
  public void intern(NDArray replaced) {
    GatunNDArray other = (GatunNDArray) replaced;
    Strided fresh = other.data();
    open();
    fresh.store().retain();
    Store old = data().store();
    data = fresh;
    old.release();
    other.close();
  }

  @Override
  public boolean contentEquals(Number number) {
    try (GatunNDArray other = number(number)) {
      return contentEquals(other);
    }
  }

  @Override
  public boolean contentEquals(NDArray other) {
    if (other == null || !getShape().equals(other.getShape())) {
      return false;
    }
    if (getDataType() != other.getDataType()) {
      return false;
    }
    if (strings != null) {
      return Arrays.equals(strings, other.toStringArray());
    }
    try (NDArray equal = eq(other)) {
      return ArrayKernels.host().countTrue(((GatunNDArray) equal).data()) == size();
    }
  }

  @Override
  public NDArrayEx getNDArrayInternal() {
    data();
    return new GatunNDArrayEx(this);
  }

  @Override
  public boolean isReleased() {
    return closed.get();
  }

  @Override
  public void close() {
    giveBack();
    manager.detachInternal(uid);
  }

  @Override
  public boolean equals(Object other) {
    return other instanceof NDArray array && contentEquals(array);
  }

  @Override
  public int hashCode() {
    // Arrays change under those who keep them.
    return 0;
  }

  @Override
  public String toString() {
    if (closed.get()) {
      return "This array is already closed";
    }
    return strings == null ? toDebugString() : Arrays.toString(strings);
  }
}
