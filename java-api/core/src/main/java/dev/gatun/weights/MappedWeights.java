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

  /**
   * @param asked whether weights in blocks are to stay in the file
   * @param owner gets what keeps the file mapped
   */
  MappedWeights(TensorFile file, boolean asked, Consumer<AutoCloseable> owner) {
    this.file = file;
    this.asked = asked;
    this.owner = owner;
  }

  /** Whether a weight is multiplied by where it lies in the file. */
  boolean has(StoredWeight weight, Tensor bias) {
    // A bias is in the model's order, which rows of a file are only brought into afterwards.
    boolean ordered = bias == null || !(weight instanceof Reordered);
    return ordered && WeightPacker.liesInBlocks(weight) && keepFile();
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

  /** Notes a weight in blocks that is packed where it was to stay in the file. */
  void notePacked(String name, StoredWeight weight) {
    if (asked && weight.storage() instanceof Storage.Blocks) {
      packed.add(name);
    }
  }

  /** Tells what was noted in a warning. */
  void warn(String source) {
    if (!packed.isEmpty()) {
      Warnings.ignored(
          "%s: %d weights in blocks are packed, for they cannot stay in the mapped file: %s%s"
              .formatted(
                  source,
                  packed.size(),
                  packed.stream().limit(8).collect(Collectors.joining(", ")),
                  packed.size() > 8 ? ", ..." : ""));
    }
  }
}
