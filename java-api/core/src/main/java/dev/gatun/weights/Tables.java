package dev.gatun.weights;

import dev.gatun.kernels.api.memory.DType;
import dev.gatun.nn.Embedding;
import dev.gatun.ops.Elementwise;
import dev.gatun.tensor.Tensor;
import java.util.IdentityHashMap;
import java.util.Map;

/** The embedding tables of a model that have no numbers yet, and where these are in the file. */
final class Tables {
  /**
   * The numbers of a table.
   *
   * @param name of the tensor
   * @param floats as they are placed; null where they are placed in blocks
   * @param blocks as they are placed; or null
   */
  record Source(String name, TensorFile.Entry floats, StoredWeight.Blocks blocks) {
    /** The same as the weight of an output layer. */
    StoredWeight weight(TensorFile file, Embedding table) {
      return file.stored(name)
          .orElseGet(
              () ->
                  new StoredWeight.Dense(
                      floats.data(), floats.dtype(), table.rows(), table.features()));
    }
  }

  private final Map<Embedding, Source> sources = new IdentityHashMap<>();

  Embedding add(Embedding table, Source source) {
    sources.put(table, source);
    return table;
  }

  /**
   * Where a table's numbers are.
   *
   * @throws IllegalArgumentException where it is none of these
   */
  Source of(Embedding table) {
    Source source = sources.get(table);
    if (source == null) {
      throw new IllegalArgumentException(
          "tied: the table is not of this file, or has an output layer already");
    }
    return source;
  }

  /** Whether there are some that have no numbers yet. */
  boolean areLeft() {
    return !sources.isEmpty();
  }

  /** Forgets a table that has its numbers. */
  void remove(Embedding table) {
    sources.remove(table);
  }

  /**
   * Gives all that are left a storage of their own.
   *
   * @param residual what the residual stream is
   * @param mapped whether what needs no change stays where it lies in the file
   */
  void place(DeviceCopies copies, DType residual, boolean mapped) {
    sources.forEach((table, source) -> place(table, source, copies, residual, mapped));
    sources.clear();
  }

  private static void place(
      Embedding table, Source source, DeviceCopies copies, DType residual, boolean mapped) {
    if (source.blocks != null) {
      Tensor blocks = mapped ? copies.mapped(source.blocks) : copies.copy(source.blocks);
      table.place(blocks, source.blocks.format());
    } else if (residual == DType.F32 || source.floats.dtype() == residual) {
      boolean lies = mapped && source.floats.dtype() != DType.F64;
      table.place(lies ? copies.mapped(source.floats) : copies.plain(source.floats));
    } else {
      try (Tensor wide = copies.wide(source.floats)) {
        table.place(Elementwise.cast(wide, residual));
      }
    }
  }
}
