package dev.gatun.weights;

import dev.gatun.files.Warnings;
import dev.gatun.kernels.api.memory.DType;
import dev.gatun.kernels.api.memory.Storage;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.util.Arrays;
import java.util.Collection;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.TreeSet;
import java.util.function.Predicate;
import java.util.stream.Collectors;

/** What a model takes of a file by name: which of it was taken, and what the file lacks. */
final class TakenTensors {
  /** After as many, the first few are named and no more are looked for. */
  private static final int MOST_MISSING = 16;

  /** Elements of the largest weight that zeros stand in for. */
  private static final long MOST_ZEROS = 1 << 24;

  private final TensorFile file;
  private final String source;
  private final Set<String> taken = new TreeSet<>();
  private final Set<String> missing = new LinkedHashSet<>();

  TakenTensors(TensorFile file, String source) {
    this.file = file;
    this.source = source;
  }

  void take(Collection<String> names) {
    taken.addAll(names);
  }

  /** A tensor of floats of this shape, or zeros in the place of a missing one. */
  TensorFile.Entry floats(String name, long... shape) {
    if (!file.names().contains(name)) {
      return standIn(name, shape);
    }
    TensorFile.Entry entry = file.get(name);
    if (!Arrays.equals(entry.shape(), shape)) {
      throw new IllegalArgumentException(
          "%s: tensor '%s' has shape %s, %s says %s"
              .formatted(
                  entry.source(),
                  entry.name(),
                  Arrays.toString(entry.shape()),
                  file.settings(),
                  Arrays.toString(shape)));
    }
    if (!Numbers.isFloat(entry.dtype())) {
      throw new IllegalArgumentException(
          "%s: tensor '%s' is %s, expected a floating-point type"
              .formatted(entry.source(), entry.name(), entry.dtype()));
    }
    taken.add(entry.name());
    return entry;
  }

  /** A weight that the file has in blocks or in another order, which is taken then; else empty. */
  Optional<StoredWeight> stored(String name, long out, long in) {
    if (!file.names().contains(name)) {
      return Optional.empty();
    }
    Optional<StoredWeight> weight = file.stored(name);
    weight.ifPresent(
        w -> {
          if (w.outFeatures() != out || w.inFeatures() != in) {
            throw new IllegalArgumentException(
                "%s: tensor '%s' has shape [%d, %d], %s says [%d, %d]"
                    .formatted(
                        source,
                        file.told(name),
                        w.outFeatures(),
                        w.inFeatures(),
                        file.settings(),
                        out,
                        in));
          }
          taken.add(name);
        });
    return weight;
  }

  /** Whether a tensor is in blocks. */
  boolean isBlocks(String name) {
    return file.names().contains(name)
        && file.stored(name).filter(w -> w.storage() instanceof Storage.Blocks).isPresent();
  }

  /** Zeros for a missing weight, so that what else is missing can be told too, within limits. */
  private TensorFile.Entry standIn(String name, long... shape) {
    missing.add(name);
    long count = 1;
    for (long axis : shape) {
      count = count > MOST_ZEROS ? count : count * Math.min(axis, MOST_ZEROS + 1);
    }
    if (missing.size() == MOST_MISSING || count > MOST_ZEROS) {
      requireNoneMissing();
    }
    MemorySegment zeros = Arena.ofAuto().allocate(count * Float.BYTES, Float.BYTES);
    return new TensorFile.Entry(name, DType.F32, shape, zeros, "a missing tensor");
  }

  /**
   * Ends what was asked for.
   *
   * @throws WeightsException naming what the file lacks of it
   */
  void requireNoneMissing() {
    if (missing.size() == 1) {
      file.get(missing.iterator().next());
    }
    if (!missing.isEmpty()) {
      throw new WeightsException(
          "%s: no tensors %s%s, which the model that %s names has; the file has %d, such"
                  .formatted(
                      source,
                      missing.stream().map(file::told).collect(Collectors.joining(", ")),
                      missing.size() == MOST_MISSING ? " and perhaps more" : "",
                      file.settings(),
                      file.names().size())
              + " as "
              + file.names().stream().limit(3).map(file::told).toList());
    }
  }

  /**
   * The names of the tensors that nobody took; those of no head are told in a warning.
   *
   * @throws WeightsException naming what the file lacks, and what to do where all of it is a head's
   */
  List<String> unused(Predicate<String> ofOtherHeads) {
    if (missing.size() > 1 && missing.stream().allMatch(ofOtherHeads)) {
      throw new WeightsException(
          "%s: no tensors %s, all of the head that is asked for: Head.BASE loads a model without one"
              .formatted(
                  source, missing.stream().map(file::told).collect(Collectors.joining(", "))));
    }
    requireNoneMissing();
    List<String> unused = file.names().stream().filter(n -> !taken.contains(n)).toList();
    List<String> left = unused.stream().filter(n -> !ofOtherHeads.test(n)).toList();
    if (!left.isEmpty()) {
      Warnings.ignored(
          "%s: %d tensors belong to no part of the model that %s names: %s%s"
              .formatted(
                  source,
                  left.size(),
                  file.settings(),
                  left.stream().limit(8).map(file::told).collect(Collectors.joining(", ")),
                  left.size() > 8 ? ", ..." : ""));
    }
    return unused;
  }
}
