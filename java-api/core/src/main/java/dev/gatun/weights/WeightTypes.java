package dev.gatun.weights;

import dev.gatun.kernels.api.memory.Storage;
import java.util.Collection;
import java.util.List;
import java.util.Objects;
import java.util.Set;
import java.util.TreeSet;

/**
 * What the weights of linear layers are kept as: one storage for most, and a wider one for layers
 * that lose too much by it.
 *
 * @param storage of the layers that are not named
 * @param wider of those that are
 * @param widerLayers names of layers as the file has them, without {@code .weight}; a layer that is
 *     packed together with a named one, as queries are with keys and values, is kept as that
 * @param mapped whether weights that a file has in blocks, or as the storage's own floats, are
 *     multiplied by as they lie in the mapped file, on the processor, instead of being packed: the
 *     file stays mapped as long as the model is open. What layers give is the same to the bit
 */
public record WeightTypes(Storage storage, Storage wider, Set<String> widerLayers, boolean mapped) {
  /** Requires all, and copies the names. */
  public WeightTypes {
    Objects.requireNonNull(storage, "storage");
    Objects.requireNonNull(wider, "wider");
    widerLayers = Set.copyOf(widerLayers);
  }

  /**
   * {@return one storage for all, packed}
   *
   * @param storage of every layer
   */
  public static WeightTypes of(Storage storage) {
    return new WeightTypes(storage, storage, Set.of(), false);
  }

  /**
   * {@return the same with a wider storage for some layers}
   *
   * @param other what they are kept as
   * @param layers their names as the file has them, without {@code .weight}; they take the place of
   *     those named so far
   */
  public WeightTypes withWider(Storage other, Collection<String> layers) {
    return new WeightTypes(storage, other, Set.copyOf(layers), mapped);
  }

  /**
   * {@return the same with weights multiplied by as they lie in the file, or packed}
   *
   * @param inPlace whether they stay in the mapped file
   */
  public WeightTypes withMapped(boolean inPlace) {
    return new WeightTypes(storage, wider, widerLayers, inPlace);
  }

  /**
   * {@return the storage of layers that are packed together: the wider one where one of them is
   * named}
   *
   * @param layers their names as the file has them, without {@code .weight}
   */
  public Storage of(List<String> layers) {
    return layers.stream().anyMatch(widerLayers::contains) ? wider : storage;
  }

  /**
   * Requires that every named layer is one of the model's.
   *
   * @throws IllegalArgumentException naming those that are not
   */
  void requireKnown(Set<String> layers) {
    Set<String> unknown = new TreeSet<>(widerLayers);
    unknown.removeAll(layers);
    if (!unknown.isEmpty()) {
      throw new IllegalArgumentException(
          "layers to keep as %s: the model has no linear layers %s; it has %d, such as %s"
              .formatted(
                  wider,
                  String.join(", ", unknown),
                  layers.size(),
                  layers.stream().limit(3).toList()));
    }
  }
}
