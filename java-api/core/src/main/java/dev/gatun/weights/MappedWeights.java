package dev.gatun.weights;

import dev.gatun.files.Warnings;
import dev.gatun.kernels.api.memory.Storage;
import dev.gatun.tensor.Tensor;
import java.util.LinkedHashSet;
import java.util.Optional;
import java.util.Set;
import java.util.function.Consumer;
import java.util.stream.Collectors;

/** Which weights stay in the mapped file, where that was asked for, and which cannot. */
final class MappedWeights {
  private final TensorFile file;
  private final boolean asked;
  private final Consumer<AutoCloseable> owner;
  // What keeps the file mapped, where that can be; null while nothing needs it.
  private Optional<AutoCloseable> kept;
  private final Set<String> packed = new LinkedHashSet<>();
  private final Set<String> converted = new LinkedHashSet<>();

  /**
   * @param asked whether weights are to stay in the file
   * @param owner gets what keeps the file mapped
   */
  MappedWeights(TensorFile file, boolean asked, Consumer<AutoCloseable> owner) {
    this.file = file;
    this.asked = asked;
    this.owner = owner;
  }

  /**
   * Whether a weight is multiplied by where it lies in the file.
   *
   * @param storage what its floats are to be kept as
   */
  boolean has(StoredWeight weight, Tensor bias, Storage storage) {
    // A bias is in the model's order, which rows of a file are only brought into afterwards.
    boolean ordered = bias == null || !(weight instanceof Reordered);
    return ordered && WeightPacker.liesAs(weight, storage) && keepFile();
  }

  /**
   * Keeps the file mapped as long as what is made of it; false where that cannot or need not be.
   */
  boolean keepFile() {
    if (!asked) {
      return false;
    }
    if (kept == null) {
      kept = file.keepOpen();
      kept.ifPresent(owner);
    }
    return kept.isPresent();
  }

  /** Notes a weight that does not lie in the file as products read it. */
  void noteTurned(String name) {
    if (asked) {
      packed.add(name);
    }
  }

  /**
   * Notes a weight that is packed where it was to stay in the file.
   *
   * @param storage what its floats are kept as
   */
  void notePacked(String name, StoredWeight weight, Storage storage) {
    if (asked) {
      boolean same = weight.storage() instanceof Storage.Blocks || weight.storage().equals(storage);
      (same ? packed : converted).add(name);
    }
  }

  /** Tells what was noted in a warning. */
  void warn(String source) {
    warn(source, packed, "they cannot stay in the mapped file");
    warn(source, converted, "they are kept as other numbers than the mapped file has");
  }

  private static void warn(String source, Set<String> names, String why) {
    if (!names.isEmpty()) {
      Warnings.ignored(
          "%s: %d weights are packed, for %s: %s%s"
              .formatted(
                  source,
                  names.size(),
                  why,
                  names.stream().limit(8).collect(Collectors.joining(", ")),
                  names.size() > 8 ? ", ..." : ""));
    }
  }
}
