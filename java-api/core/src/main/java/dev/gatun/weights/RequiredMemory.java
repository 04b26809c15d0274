package dev.gatun.weights;

import dev.gatun.kernels.api.memory.Storage;
import dev.gatun.tensor.Device;
import java.util.Set;

/** What a file's weights take at least, so that a model that cannot fit is refused at once. */
final class RequiredMemory {
  private static final Set<String> FLOATS = Set.of("F64", "F32", "F16", "BF16");
  private static final double GIGABYTE = 1e9;

  /** A length that all blocks divide. */
  private static final int ROW = 4096;

  private RequiredMemory() {}

  /**
   * Requires that a device has room for the weights of a file.
   *
   * @param source where the file is, for messages
   * @throws WeightsException where it has not
   */
  static void check(TensorFile file, String source, Device device, WeightTypes types) {
    long least = least(file, types);
    long free = device.memory().freeBytes();
    if (least > free) {
      throw new WeightsException(
          ("%s: its weights take at least %.1f GB as %s, and %s has %.1f GB free; close what is not"
                  + " needed, load the weights as a narrower type, as INT8 or INT4, or take a"
                  + " smaller model")
              .formatted(
                  source, least / GIGABYTE, types.storage(), device.name(), free / GIGABYTE));
    }
  }

  /**
   * Of weights of floats the lesser of what they take in the file and as the type of linear layers:
   * which of them are tables only the model knows. What stays in the mapped file takes none.
   */
  private static long least(TensorFile file, WeightTypes types) {
    double bytes = 0;
    for (String name : file.names()) {
      TensorFile.Info info;
      try {
        info = file.info(name);
      } catch (WeightsException e) {
        // Told where the model asks for it.
        continue;
      }
      double least = info.bytes();
      boolean same = info.type().equals(types.storage().toString());
      if (types.mapped() && (same || !FLOATS.contains(info.type()))) {
        continue;
      }
      if (info.shape().length > 1 && FLOATS.contains(info.type())) {
        least =
            Math.min(
                least, info.elements() * Math.min(bytes(types.storage()), bytes(types.wider())));
      }
      bytes += least;
    }
    return (long) bytes;
  }

  /** Of an element. */
  private static double bytes(Storage storage) {
    return storage.rowBytes(ROW) / (double) ROW;
  }
}
