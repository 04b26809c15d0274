package dev.gatun.djl;

import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.types.DataType;
import ai.djl.ndarray.types.Shape;
import dev.gatun.djl.host.Fourier;
import dev.gatun.djl.host.Refusal;
import dev.gatun.djl.host.Strided;
import dev.gatun.djl.host.Types;

/** Complex numbers, which are COMPLEX64, and discrete Fourier transforms. */
interface SpectralMethods extends ArrayMethods {
  @Override
  default NDArray fft(long length, long axis) {
    return transformed("fft", length, axis, false);
  }

  @Override
  default NDArray ifft(long length, long axis) {
    return transformed("ifft", length, axis, true);
  }

  @Override
  default NDArray rfft(long length, long axis) {
    if (getDataType() == DataType.COMPLEX64) {
      throw Refusal.wrong("rfft: the array is of complex numbers, expected real ones");
    }
    try (GatunNDArray full = transformed("rfft", length, axis, false)) {
      int at = axis("rfft", (int) axis);
      Strided half = full.data().sliced(at, 0, length / 2 + 1, 1);
      try (GatunNDArray view = full.view(half)) {
        return view.duplicate();
      }
    }
  }

  @Override
  default NDArray irfft(long length, long axis) {
    Tape.refuse("irfft", self());
    int at = axis("irfft", (int) axis);
    if (length < 1 || length > Integer.MAX_VALUE / 2 || isScalar()) {
      throw Refusal.wrong(
          "irfft: length %d along axis %d of %s, expected 1 or more", length, axis, getShape());
    }
    long[] shape = self().data().shape();
    long given = Math.min(shape[at], length / 2 + 1);
    shape[at] = length;
    double[] half = pairs(self());
    int inner = inner(self().data().shape(), at);
    int size = (int) self().data().size(at);
    int outer = outer(shape, at);
    // The other half is the conjugate of the first.
    double[] full = new double[2 * outer * (int) length * inner];
    for (int o = 0; o < outer; o++) {
      for (int k = 0; k < length; k++) {
        boolean mirrored = k > length / 2;
        int from = mirrored ? (int) length - k : k;
        for (int i = 0; i < inner && from < given; i++) {
          int to = 2 * ((o * (int) length + k) * inner + i);
          int source = 2 * ((o * size + from) * inner + i);
          full[to] = half[source];
          boolean real = from == 0 || 2L * from == length;
          full[to + 1] = real ? 0 : mirrored ? -half[source + 1] : half[source + 1];
        }
      }
    }
    double[] y = Fourier.transform(full, outer, (int) length, inner, (int) length, true);
    int[] next = {-2};
    return self().getManager().drawn(new Shape(shape), real(getDataType()), () -> y[next[0] += 2]);
  }

  /** The type of real results. */
  private static DataType real(DataType type) {
    return type == DataType.FLOAT64 ? type : DataType.FLOAT32;
  }

  @Override
  default NDArray fft2(long[] sizes, long[] axes) {
    return twice("fft2", sizes, axes, false);
  }

  @Override
  default NDArray ifft2(long[] sizes, long[] axes) {
    return twice("ifft2", sizes, axes, true);
  }

  private NDArray twice(String op, long[] sizes, long[] axes, boolean inverse) {
    if (sizes.length != 2 || axes.length != 2) {
      throw Refusal.wrong(
          "%s: %d sizes and %d axes, expected two each", op, sizes.length, axes.length);
    }
    try (GatunNDArray first = transformed(op, sizes[0], axes[0], inverse)) {
      return ((SpectralMethods) first).transformed(op, sizes[1], axes[1], inverse);
    }
  }

  /** The transform along an axis. */
  default GatunNDArray transformed(String op, long length, long axis, boolean inverse) {
    Tape.refuse(op, self());
    int at = axis(op, (int) axis);
    if (length < 1 || length > Integer.MAX_VALUE / 2 || isScalar()) {
      throw Refusal.wrong(
          "%s: length %d along axis %d of %s, expected 1 or more", op, length, axis, getShape());
    }
    long[] shape = self().data().shape();
    int size = (int) shape[at];
    int inner = inner(shape, at);
    double[] x = pairs(self());
    int outer = outer(shape, at);
    double[] y = Fourier.transform(x, outer, size, inner, (int) length, inverse);
    shape[at] = length;
    Strided made = Strided.allocate(DataType.COMPLEX64, shape);
    int[] next = new int[1];
    Strided parts = made.parts();
    kernels().generate(() -> y[next[0]++], parts);
    return self().make(made);
  }

  private static int outer(long[] shape, int axis) {
    return Math.toIntExact(Strided.count(java.util.Arrays.copyOf(shape, axis)));
  }

  private static int inner(long[] shape, int axis) {
    long inner = 1;
    for (int i = axis + 1; i < shape.length; i++) {
      inner *= shape[i];
    }
    return Math.toIntExact(inner);
  }

  /**
   * The spectra of windows that move over the last axis, [.., nFft / 2 + 1, frames], as PyTorch's.
   */
  @Override
  default NDArray stft(
      long nFft,
      long hopLength,
      boolean center,
      NDArray window,
      boolean normalize,
      boolean returnComplex) {
    Tape.refuse("stft", self());
    int rank = getShape().dimension();
    if (rank < 1 || rank > 2 || !getDataType().isFloating()) {
      throw Refusal.wrong(
          "stft: %s %s, expected floating-point numbers [samples] or [batch, samples]",
          getDataType(), getShape());
    }
    int size = Math.toIntExact(nFft);
    double[] weights = new double[size];
    double[] given = own(window).numbers();
    int samples = Math.toIntExact(size(rank - 1));
    int side = center ? size / 2 : 0;
    if (size < 1
        || hopLength < 1
        || given.length > size
        || side >= Math.max(1, samples)
        || samples + 2 * side < size) {
      throw Refusal.wrong(
          "stft: nFft %d, hopLength %d and a window of %d over %d samples",
          nFft, hopLength, given.length, samples);
    }
    // A shorter window stands in the middle.
    System.arraycopy(given, 0, weights, (size - given.length) / 2, given.length);
    double[] x = self().numbers();
    int batch = rank == 1 ? 1 : Math.toIntExact(size(0));
    int frames = (int) ((samples + 2 * side - size) / hopLength) + 1;
    int bins = size / 2 + 1;
    double[] pairs = new double[2 * batch * frames * size];
    for (int row = 0; row < batch * frames; row++) {
      int first = (int) (row % frames * hopLength) - side;
      for (int i = 0; i < size; i++) {
        // Beyond the ends the samples are reflected.
        int at = Math.abs(first + i);
        at = at >= samples ? 2 * (samples - 1) - at : at;
        pairs[2 * (row * size + i)] = weights[i] * x[row / frames * samples + at];
      }
    }
    double[] y = Fourier.transform(pairs, batch * frames, size, 1, size, false);
    double scale = normalize ? 1 / Math.sqrt(size) : 1;
    Shape shape = (rank == 1 ? new Shape() : new Shape(batch)).add(bins, frames);
    Strided made =
        returnComplex
            ? Strided.allocate(DataType.COMPLEX64, shape.getShape())
            : Strided.allocate(
                real(Types.promote(getDataType(), window.getDataType())), shape.add(2).getShape());
    int[] next = new int[1];
    kernels()
        .generate(
            () -> {
              int at = next[0]++;
              int frame = at / 2 % frames;
              int bin = at / 2 / frames % bins;
              int row = at / 2 / frames / bins * frames + frame;
              return scale * y[2 * (row * size + bin) + at % 2];
            },
            returnComplex ? made.parts() : made);
    return self().make(made);
  }

  /** All elements as pairs of real and imaginary part. */
  private static double[] pairs(GatunNDArray array) {
    if (array.getDataType() == DataType.COMPLEX64) {
      try (GatunNDArray parts = array.view(array.data().parts())) {
        return parts.numbers();
      }
    }
    double[] real = array.numbers();
    double[] pairs = new double[2 * real.length];
    for (int i = 0; i < real.length; i++) {
      pairs[2 * i] = real[i];
    }
    return pairs;
  }

  @Override
  default NDArray complex() {
    Strided x = self().data();
    if (x.type() != DataType.FLOAT32 || x.rank() == 0 || x.size(x.rank() - 1) != 2) {
      throw Refusal.wrong(
          "complex: %s %s, expected FLOAT32 with a last axis of 2", x.type(), getShape());
    }
    Tape.refuse("complex", self());
    Strided made =
        Strided.allocate(DataType.COMPLEX64, java.util.Arrays.copyOf(x.shape(), x.rank() - 1));
    kernels().copy(x, made.parts());
    return self().make(made);
  }

  @Override
  default NDArray real() {
    Strided x = self().data();
    if (x.type() != DataType.COMPLEX64) {
      throw Refusal.wrong("real: %s, expected COMPLEX64", x.type());
    }
    return self().view(x.parts());
  }

  @Override
  default NDArray conj() {
    Strided x = self().data();
    if (x.type() != DataType.COMPLEX64) {
      return self().view(x);
    }
    GatunNDArray copy = self().duplicate();
    Strided parts = copy.data().parts();
    Strided imaginary = parts.selected(parts.rank() - 1, 1);
    kernels().map(value -> -value, imaginary, imaginary);
    return copy;
  }
}
