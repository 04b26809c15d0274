package dev.gatun.weights;

import dev.gatun.kernels.api.memory.DType;
import java.lang.foreign.ValueLayout;
import java.util.Arrays;
import java.util.Locale;
import java.util.stream.IntStream;

/** The tensors of one quantised linear layer, checked as they are taken. */
final class PackedTensors {
  /** Input features of the smallest group that products take. */
  private static final int SMALLEST_GROUP = 32;

  /** Output features that one thread unpacks at a time: a multiple of the eight in a word. */
  private static final int ROWS = 64;

  private final TensorFile file;
  private final String module;
  private final int outFeatures;
  private final int inFeatures;
  private final int group;

  PackedTensors(TensorFile file, String module, long outFeatures, long inFeatures, int groupSize) {
    this.file = file;
    this.module = module;
    if (outFeatures * inFeatures > Integer.MAX_VALUE - 8 || outFeatures <= 0 || inFeatures <= 0) {
      throw error(
          "qweight", "is of [%d, %d], expected 1 to 2^31 - 9 elements", outFeatures, inFeatures);
    }
    this.outFeatures = (int) outFeatures;
    this.inFeatures = (int) inFeatures;
    requireMultiple("input", this.inFeatures, SMALLEST_GROUP);
    this.group = groupSize == -1 ? this.inFeatures : Math.min(groupSize, this.inFeatures);
    if (inFeatures % group != 0) {
      throw error(
          "qweight",
          "has %d input features, which the group size %d does not divide",
          inFeatures,
          group);
    }
  }

  /** Fails on a group size that products do not take. */
  static void checkGroup(String method, int size) {
    if (size != -1 && (size <= 0 || size % SMALLEST_GROUP != 0)) {
      throw new IllegalArgumentException(
          "%s in groups of %d, expected -1 or a multiple of %d"
              .formatted(method, size, SMALLEST_GROUP));
    }
  }

  int outFeatures() {
    return outFeatures;
  }

  int inFeatures() {
    return inFeatures;
  }

  /** Input features that share a scale. */
  int group() {
    return group;
  }

  int groups() {
    return inFeatures / group;
  }

  boolean has(String part) {
    return file.names().contains(module + "." + part);
  }

  void requireMultiple(String axis, int features, int of) {
    if (features % of != 0) {
      throw error("qweight", "has %d %s features, expected a multiple of %d", features, axis, of);
    }
  }

  /** Room for the codes. */
  byte[] codes() {
    return new byte[outFeatures * inFeatures];
  }

  /** Work on the output features from first to before last. */
  interface Rows {
    void run(int first, int last);
  }

  /** Runs a body for all output features, in parts, by several threads. */
  void eachRows(Rows body) {
    IntStream.range(0, Math.ceilDiv(outFeatures, ROWS))
        .parallel()
        .forEach(part -> body.run(part * ROWS, Math.min(outFeatures, (part + 1) * ROWS)));
  }

  /** A matrix of words. */
  interface Words {
    int get(int row, int column);
  }

  /** An I32 tensor of one or two axes. */
  Words words(String part, long... shape) {
    TensorFile.Entry entry = entry(part, shape);
    if (entry.dtype() != DType.I32) {
      throw error(part, "is %s, expected I32", entry.dtype());
    }
    var data = entry.data();
    long columns = shape[shape.length - 1];
    return (row, column) -> data.getAtIndex(ValueLayout.JAVA_INT_UNALIGNED, row * columns + column);
  }

  /** The scales as [out_features, groups]. */
  float[] scales() {
    TensorFile.Entry entry = entry("scales", groups(), outFeatures);
    var data = entry.data();
    float[] scales = new float[groups() * outFeatures];
    for (int g = 0; g < groups(); g++) {
      for (int n = 0; n < outFeatures; n++) {
        long at = (long) g * outFeatures + n;
        float scale =
            switch (entry.dtype()) {
              case F16 ->
                  Float.float16ToFloat(data.getAtIndex(ValueLayout.JAVA_SHORT_UNALIGNED, at));
              case BF16 ->
                  Float.intBitsToFloat(data.getAtIndex(ValueLayout.JAVA_SHORT_UNALIGNED, at) << 16);
              case F32 -> data.getAtIndex(ValueLayout.JAVA_FLOAT_UNALIGNED, at);
              default -> throw error("scales", "is %s, expected F16, BF16 or F32", entry.dtype());
            };
        if (!Float.isFinite(scale)) {
          throw error("scales", "has %s at [%d, %d], expected finite numbers", scale, g, n);
        }
        scales[n * groups() + g] = scale;
      }
    }
    return scales;
  }

  private TensorFile.Entry entry(String part, long... shape) {
    if (!has(part)) {
      String present =
          String.join(", ", file.names().stream().filter(n -> n.startsWith(module + ".")).toList());
      throw new WeightsException(
          "%s: no tensor '%s.%s', which the quantised layer needs; it has %s"
              .formatted(source(), module, part, present));
    }
    TensorFile.Entry entry = file.get(module + "." + part);
    if (!Arrays.equals(entry.shape(), shape)) {
      throw error(
          part,
          "has shape %s, expected %s of a layer with %d output and %d input features in groups of"
              + " %d",
          Arrays.toString(entry.shape()),
          Arrays.toString(shape),
          outFeatures,
          inFeatures,
          group);
    }
    return entry;
  }

  /** What is wrong with a tensor. */
  WeightsException error(String part, String message, Object... arguments) {
    return new WeightsException(
        "%s: tensor '%s.%s' %s"
            .formatted(source(), module, part, String.format(Locale.ROOT, message, arguments)));
  }

  /** The file of the layer's tensors. */
  private String source() {
    return file.names().stream()
        .filter(n -> n.startsWith(module + "."))
        .findFirst()
        .map(n -> file.get(n).source())
        .orElse("the weights");
  }
}
