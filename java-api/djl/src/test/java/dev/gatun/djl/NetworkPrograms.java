package dev.gatun.djl;

import static dev.gatun.djl.Programs.floats;
import static dev.gatun.djl.Programs.numbers;

import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDList;
import ai.djl.ndarray.NDManager;
import ai.djl.ndarray.types.DataType;
import ai.djl.ndarray.types.Shape;
import ai.djl.ndarray.types.SparseFormat;
import java.util.List;
import java.util.function.Function;

/** Programs for what networks are made of: layers, windows that slide over arrays, spectra. */
final class NetworkPrograms {
  private final List<Program> programs;

  private NetworkPrograms(List<Program> programs) {
    this.programs = programs;
  }

  static void addTo(List<Program> programs) {
    NetworkPrograms all = new NetworkPrograms(programs);
    all.network();
    all.windows();
    all.spectra();
  }

  private void add(String name, Function<NDManager, Object> run) {
    programs.add(new Program(name, run));
  }

  private void network() {
    add(
        "linear",
        m ->
            floats(m, 2, 3, 4)
                .getNDArrayInternal()
                .linear(floats(m, 2, 3, 4), floats(m, 5, 4), floats(m, 5)));
    add(
        "linear without bias",
        m -> floats(m, 3, 4).getNDArrayInternal().linear(floats(m, 3, 4), floats(m, 5, 4), null));
    add(
        "layerNorm",
        m ->
            floats(m, 3, 4)
                .getNDArrayInternal()
                .layerNorm(floats(m, 3, 4), new Shape(4), floats(m, 4), floats(m, 4), 1e-5f));
    add(
        "layerNorm of two axes",
        m ->
            floats(m, 2, 3, 4)
                .getNDArrayInternal()
                .layerNorm(
                    floats(m, 2, 3, 4), new Shape(3, 4), floats(m, 3, 4), floats(m, 3, 4), 1e-5f));
    for (boolean training : new boolean[] {false, true}) {
      add(
          "batchNorm " + training,
          m -> {
            NDArray mean = floats(m, 3);
            NDArray variance = floats(m, 3).abs().add(1);
            NDArray x = floats(m, 4, 3, 2);
            NDArray y =
                x.getNDArrayInternal()
                    .batchNorm(
                        x, mean, variance, floats(m, 3), floats(m, 3), 1, 0.9f, 1e-5f, training)
                    .get(0);
            return new NDList(y, mean, variance);
          });
      add(
          "batchNorm of FLOAT16 by FLOAT32 " + training,
          m -> {
            NDArray x = numbers(m, DataType.FLOAT16, 4, 3, 2);
            NDArray row = floats(m, 3);
            return x.getNDArrayInternal()
                .batchNorm(x, row, row.abs().add(1), row, row, 1, 0.9f, 1e-5f, training);
          });
    }
    add(
        "layerNorm of FLOAT16 by FLOAT32",
        m -> {
          NDArray x = numbers(m, DataType.FLOAT16, 3, 4);
          return x.getNDArrayInternal()
              .layerNorm(x, new Shape(4), floats(m, 4), floats(m, 4), 1e-5f);
        });
    add(
        "embedding",
        m ->
            floats(m, 6, 4)
                .getNDArrayInternal()
                .embedding(
                    m.create(new long[] {5, 0, 2, 2}, new Shape(2, 2)),
                    floats(m, 6, 4),
                    SparseFormat.DENSE));
    add(
        "dropout off",
        m -> floats(m, 6, 4).getNDArrayInternal().dropout(floats(m, 6, 4), 0.5f, false));
    add("globalAvgPool", m -> floats(m, 2, 3, 4, 5).getNDArrayInternal().globalAvgPool());
    add("globalMaxPool", m -> floats(m, 2, 3, 4).getNDArrayInternal().globalMaxPool());
    add(
        "normalize image",
        m ->
            floats(m, 3, 4, 5)
                .getNDArrayInternal()
                .normalize(new float[] {1, 2, 3}, new float[] {4, 5, 6}));
    add("toTensor", m -> numbers(m, DataType.UINT8, 4, 5, 3).getNDArrayInternal().toTensor());
    add("crop", m -> floats(m, 6, 5, 3).getNDArrayInternal().crop(1, 2, 3, 2));
  }

  private void windows() {
    Shape none = new Shape(0, 0);
    for (boolean ceil : new boolean[] {false, true}) {
      add(
          "maxPool " + ceil,
          m ->
              floats(m, 2, 3, 7, 6)
                  .getNDArrayInternal()
                  .maxPool(new Shape(3, 2), new Shape(2, 2), new Shape(1, 0), ceil));
      // DJL's PyTorch engine counts the padding whatever is asked for.
      add(
          "avgPool " + ceil,
          m ->
              floats(m, 2, 3, 7, 6)
                  .getNDArrayInternal()
                  .avgPool(new Shape(3, 2), new Shape(2, 3), new Shape(1, 1), ceil, true));
    }
    add(
        "maxPool of one axis",
        m ->
            floats(m, 2, 3, 7)
                .getNDArrayInternal()
                .maxPool(new Shape(2), new Shape(2), new Shape(0), false));
    add(
        "lpPool",
        m ->
            floats(m, 2, 3, 6, 6)
                .abs()
                .getNDArrayInternal()
                .lpPool(2, new Shape(2, 3), new Shape(2, 3), none, false));
    for (int groups : new int[] {1, 2}) {
      add(
          "convolution " + groups,
          m ->
              floats(m, 2, 4, 7, 6)
                  .getNDArrayInternal()
                  .convolution(
                      floats(m, 2, 4, 7, 6),
                      floats(m, 6, 4 / groups, 3, 2),
                      floats(m, 6),
                      new Shape(2, 1),
                      new Shape(1, 2),
                      new Shape(1, 2),
                      groups));
    }
    add(
        "convolution of one axis",
        m ->
            floats(m, 2, 4, 7)
                .getNDArrayInternal()
                .convolution(
                    floats(m, 2, 4, 7),
                    floats(m, 3, 4, 3),
                    null,
                    new Shape(1),
                    new Shape(0),
                    new Shape(1),
                    1));
    add(
        "convolution of three axes",
        m ->
            floats(m, 1, 2, 4, 5, 3)
                .getNDArrayInternal()
                .convolution(
                    floats(m, 1, 2, 4, 5, 3),
                    floats(m, 3, 2, 2, 2, 2),
                    floats(m, 3),
                    new Shape(1, 2, 1),
                    new Shape(0, 1, 0),
                    new Shape(1, 1, 1),
                    1));
    add(
        "convolution refused",
        m ->
            floats(m, 2, 4, 7)
                .getNDArrayInternal()
                .convolution(
                    floats(m, 2, 4, 7),
                    floats(m, 3, 5, 3),
                    null,
                    new Shape(1),
                    new Shape(0),
                    new Shape(1),
                    1));
    for (int variant = 0; variant < 6; variant++) {
      boolean decoupled = variant % 2 == 1;
      // None; one that limits some elements, with decay and without.
      float limit = variant < 2 ? -1 : 0.75f;
      float decay = variant < 4 ? 0.01f : 0;
      add(
          "adamUpdate %s limit %s decay %s".formatted(decoupled, limit, decay),
          m -> {
            NDArray weight = floats(m, 5);
            NDArray mean = floats(m, 5).mul(0.1f);
            NDArray square = floats(m, 5).abs();
            // PyTorch's engine limits gradients from above alone.
            NDArray gradient = limit < 0 ? floats(m, 5).add(0.5f) : floats(m, 5).add(0.5f).abs();
            weight
                .getNDArrayInternal()
                .adamUpdate(
                    new NDList(weight, gradient, mean, square),
                    new NDList(weight),
                    0.1f,
                    0.05f,
                    decay,
                    2f,
                    limit,
                    0.9f,
                    0.99f,
                    1e-6f,
                    true,
                    decoupled);
            return new NDList(weight, mean, square);
          });
    }
    add(
        "sgdUpdate",
        m -> {
          NDArray weight = floats(m, 5);
          NDArray gradient = floats(m, 5).mul(0.5f);
          NDArray state = floats(m, 5).mul(0.1f);
          weight.setRequiresGradient(false);
          weight
              .getNDArrayInternal()
              .sgdUpdate(
                  new NDList(weight, gradient, state),
                  new NDList(weight),
                  0.1f,
                  0.01f,
                  2f,
                  -1f,
                  0.9f,
                  true);
          return new NDList(weight, state);
        });
  }

  private void spectra() {
    for (int length : new int[] {4, 6, 9, 16}) {
      add("fft " + length, m -> floats(m, 3, 9).fft(length));
      add("fft 0 " + length, m -> floats(m, 9, 3).fft(length, 0));
      add("rfft " + length, m -> floats(m, 3, 9).rfft(length));
      add("ifft " + length, m -> floats(m, 3, 9).fft(9).ifft(length));
      add("irfft " + length, m -> floats(m, 3, 9).rfft(9).irfft(length));
    }
    add("fft2", m -> floats(m, 2, 6, 4).fft2(new long[] {6, 5}, new long[] {-2, -1}));
    add("ifft2", m -> floats(m, 2, 6, 4).ifft2(new long[] {6, 4}, new long[] {-2, -1}));
    add("real", m -> floats(m, 3, 4).fft(4).real());
    add("complex", m -> floats(m, 3, 4, 2).complex());
    add("conj", m -> floats(m, 3, 4, 2).complex().conj().real());
  }
}
