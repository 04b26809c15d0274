package dev.gatun.weights;

import dev.gatun.kernels.api.call.elementwise.Activation;
import dev.gatun.kernels.api.call.matmul.MatmulPack;
import dev.gatun.kernels.api.memory.BlockFormat;
import dev.gatun.kernels.api.memory.DType;
import dev.gatun.kernels.api.memory.Storage;
import dev.gatun.nn.BlockLinear;
import dev.gatun.nn.Compute;
import dev.gatun.nn.ExpertsLinear;
import dev.gatun.nn.Linear;
import dev.gatun.nn.PackedExperts;
import dev.gatun.nn.ReorderedLinear;
import dev.gatun.ops.Packing;
import dev.gatun.tensor.Device;
import dev.gatun.tensor.Ids;
import dev.gatun.tensor.Tensor;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.util.List;
import java.util.function.LongUnaryOperator;
import java.util.function.UnaryOperator;
import java.util.stream.LongStream;

/**
 * Packs stored weights some rows at a time: each part is read from the file, or where it is mapped
 * and then its pages are given back to the system before the next one is read. So neither the heap
 * nor the device holds more of a weight than what is packed and a part.
 */
final class WeightPacker {
  private final FileParts parts;
  private final Device device;
  private final Storage storage;
  private final Compute compute;

  /**
   * @param parts that files are read by
   * @param storage what floats become
   */
  WeightPacker(FileParts parts, Device device, Storage storage, Compute compute) {
    this.parts = parts;
    this.device = device;
    this.storage = storage;
    this.compute = compute;
  }

  /** What floats become. */
  Storage storage() {
    return storage;
  }

  /** Whether weights that are side by side can be one. */
  static boolean join(List<StoredWeight> weights) {
    return switch (inOrder(weights.getFirst())) {
      case StoredWeight.Dense _ ->
          weights.stream().allMatch(w -> inOrder(w) instanceof StoredWeight.Dense);
      case StoredWeight.Blocks first ->
          weights.stream()
              .allMatch(
                  w ->
                      inOrder(w) instanceof StoredWeight.Blocks b
                          && b.format().equals(first.format()));
      case WidenedBlocks first ->
          weights.stream()
              .allMatch(w -> inOrder(w) instanceof WidenedBlocks b && b.format() == first.format());
      case Mxfp4Weight _ -> weights.stream().allMatch(Mxfp4Weight.class::isInstance);
      case Reordered _ -> throw new IllegalStateException("rows in an order that is not known");
      case QuantizedWeight _ ->
          weights.stream().allMatch(w -> w instanceof QuantizedWeight)
              && QuantizedWeight.joins(quantized(weights));
    };
  }

  /** A weight with its rows as they lie in the file. */
  private static StoredWeight inOrder(StoredWeight weight) {
    StoredWeight w = weight;
    while (w instanceof Reordered moved) {
      w = moved.weight();
    }
    return w;
  }

  /** Whether the weights of experts can be one after another in one packed weight. */
  static boolean joinExperts(List<List<StoredWeight>> experts) {
    List<StoredWeight> all = experts.stream().flatMap(List::stream).toList();
    return join(all) && !(all.getFirst() instanceof QuantizedWeight w && w.order() != null);
  }

  private static List<QuantizedWeight> quantized(List<StoredWeight> weights) {
    return weights.stream().map(QuantizedWeight.class::cast).toList();
  }

  /**
   * Weights with the same input as one layer, their output features one after another.
   *
   * @param weights that {@link #join}
   * @param bias F32 [out_features of all], owned from now on; or null
   */
  Linear linear(List<StoredWeight> weights, Tensor bias, Activation activation) {
    Storage read = read(weights);
    Storage kept = read instanceof Storage.Dense ? storage : read;
    long out = weights.stream().mapToLong(StoredWeight::outFeatures).sum();
    long in = weights.getFirst().inFeatures();
    long[] order = weights.getFirst() instanceof QuantizedWeight w ? w.order() : null;
    Tensor packed = Packing.allocate(device, kept, out, in);
    try {
      pack(weights, read, kept, packed, out, in, false);
      Tensor places = order == null ? null : Tensor.of(device, order, in);
      return Linear.packed(
          packed,
          kept,
          out,
          places,
          bias,
          activation,
          compute.activations(),
          compute.between(storage));
    } catch (RuntimeException | Error e) {
      packed.close();
      throw e;
    }
  }

  /**
   * Whether a weight can be multiplied by where it lies in the file: blocks, and floats that are
   * kept as they are.
   *
   * @param kept what floats become
   */
  static boolean liesAs(StoredWeight weight, Storage kept) {
    return switch (inOrder(weight)) {
      case StoredWeight.Blocks _ -> true;
      case StoredWeight.Dense dense -> dense.isStoredAs(kept);
      default -> false;
    };
  }

  /**
   * A layer whose weight stays where it lies in the file.
   *
   * @param weight that {@link #liesAs} what floats become
   * @param bias F32 [out_features] in the order of the file's rows, owned from now on; or null
   */
  Linear mapped(StoredWeight weight, Tensor bias, Activation activation) {
    if (weight instanceof Reordered(StoredWeight rows, LongUnaryOperator order)) {
      long[] places = LongStream.range(0, weight.outFeatures()).map(order).toArray();
      Ids ids = Ids.of(device, "order", places.length, places);
      return new ReorderedLinear(mapped(rows, bias, activation), ids);
    }
    if (weight instanceof StoredWeight.Dense dense) {
      Tensor floats = new DeviceCopies(device, parts).mapped(dense);
      return Linear.inRows(floats, bias, activation, compute.between(storage));
    }
    StoredWeight.Blocks blocks = (StoredWeight.Blocks) weight;
    return new BlockLinear(
        new DeviceCopies(device, parts).mapped(blocks),
        blocks.format(),
        compute.activations(),
        bias,
        activation,
        compute.between(storage));
  }

  /**
   * The weights of each expert as one, their output features one after another, and the experts'
   * one after another.
   *
   * @param experts that {@link #joinExperts}, of the same shapes
   * @param bias F32 [experts, out_features], its owner's; or null
   */
  ExpertsLinear experts(List<List<StoredWeight>> experts, Tensor bias) {
    Storage read = read(experts.stream().flatMap(List::stream).toList());
    Storage kept = read instanceof Storage.Dense ? storage : read;
    long out = experts.getFirst().stream().mapToLong(StoredWeight::outFeatures).sum();
    long in = experts.getFirst().getFirst().inFeatures();
    Tensor packed = Packing.allocateExperts(device, kept, experts.size(), out, in);
    try {
      long each = packed.count() / experts.size();
      for (int e = 0; e < experts.size(); e++) {
        Tensor place = packed.slice(0, e * each, (e + 1) * each);
        pack(experts.get(e), read, kept, place, out, in, true);
      }
      return new PackedExperts(
          packed, bias, kept, compute.activations(), out, compute.between(storage));
    } catch (RuntimeException | Error e) {
      packed.close();
      throw e;
    }
  }

  /**
   * The same of experts whose weights have their input features as rows.
   *
   * @param experts each [in_features, out_features], as the file has it
   * @param rows gives a tensor of an expert as [out_features, in_features] without gaps, in a new
   *     one
   * @param bias F32 [experts, out_features], its owner's; or null
   */
  ExpertsLinear transposedExperts(
      List<StoredWeight> experts, UnaryOperator<Tensor> rows, Tensor bias) {
    StoredWeight first = experts.getFirst();
    long in = first.outFeatures();
    long out = first.inFeatures();
    DType dtype = ((Storage.Dense) first.storage()).dtype();
    Tensor packed = Packing.allocateExperts(device, storage, experts.size(), out, in);
    try (Arena arena = Arena.ofShared()) {
      long each = packed.count() / experts.size();
      MemorySegment room =
          first.isStoredAs(first.storage())
              ? MemorySegment.NULL
              : arena.allocate(in * first.storage().rowBytes(out), 64);
      for (int e = 0; e < experts.size(); e++) {
        MemorySegment data = experts.get(e).rows(first.storage(), 0, in, room);
        try (Tensor stored = Tensor.adopt(device, dtype, data, in, out);
            Tensor weight = rows.apply(stored)) {
          Packing.packOfExpert(weight, storage, packed.slice(0, e * each, (e + 1) * each), 0);
        }
        FileParts.release(data);
      }
      return new PackedExperts(
          packed, bias, storage, compute.activations(), out, compute.between(storage));
    } catch (RuntimeException | Error e) {
      packed.close();
      throw e;
    }
  }

  /** What the rows of all are read as: of floats of several dtypes F32, which holds them all. */
  private static Storage read(List<StoredWeight> weights) {
    if (weights.getFirst() instanceof QuantizedWeight) {
      return Storage.of(QuantizedWeight.format(quantized(weights)));
    }
    Storage first = weights.getFirst().storage();
    return weights.stream().allMatch(w -> w.storage().equals(first)) ? first : Storage.F32;
  }

  private void pack(
      List<StoredWeight> weights,
      Storage read,
      Storage kept,
      Tensor packed,
      long out,
      long in,
      boolean ofExpert) {
    long rowBytes = Math.max(1, read.rowBytes(in));
    long rows = Math.max(1, FileParts.BYTES / rowBytes / MatmulPack.PANEL) * MatmulPack.PANEL;
    // A library's packed rows of an odd length have no place of their own: one part is all.
    rows = in % 2 == 0 ? Math.min(rows, out) : out;
    try (Arena arena = Arena.ofShared()) {
      MemorySegment room = null;
      for (long first = 0, last; first < out; first = last) {
        last = in % 2 == 0 ? end(weights, first, Math.min(out, first + rows)) : out;
        MemorySegment part = whole(weights, read, first, last, MemorySegment.NULL);
        if (part == null) {
          room = room == null ? arena.allocate(Math.min(rows, out) * rowBytes, 64) : room;
          part = whole(weights, read, first, last, room);
        }
        if (part == null) {
          part = gathered(weights, read, first, last, room);
        }
        pack(part, read, kept, packed, first, last - first, in, ofExpert);
      }
    }
  }

  /**
   * Where a part that begins at a row of all ends: where its weight does, so that its rows are read
   * where they lie; at whole panels, of which one alone may be of several weights.
   */
  private static long end(List<StoredWeight> weights, long first, long last) {
    long border = 0;
    for (StoredWeight w : weights) {
      border += w.outFeatures();
      if (border > first) {
        break;
      }
    }
    if (border >= last) {
      return last;
    }
    long panels = border / MatmulPack.PANEL * MatmulPack.PANEL;
    return panels > first ? panels : Math.min(last, first + MatmulPack.PANEL);
  }

  /**
   * The rows of one weight that some rows of all are.
   *
   * @param room for them; without, only rows that lie in the file as they are read
   * @return null where they are of several weights, or there is no room
   */
  private static MemorySegment whole(
      List<StoredWeight> weights, Storage read, long first, long last, MemorySegment room) {
    long begin = 0;
    for (StoredWeight w : weights) {
      long end = begin + w.outFeatures();
      if (first >= begin && last <= end) {
        return w.isStoredAs(read) || room.byteSize() > 0
            ? w.rows(read, first - begin, last - begin, room)
            : null;
      }
      begin = end;
    }
    return null;
  }

  /** Rows of several weights, one after another. */
  private static MemorySegment gathered(
      List<StoredWeight> weights, Storage read, long first, long last, MemorySegment room) {
    long rowBytes = read.rowBytes(weights.getFirst().inFeatures());
    long begin = 0;
    for (StoredWeight w : weights) {
      long from = Math.max(first, begin);
      long to = Math.min(last, begin + w.outFeatures());
      if (from < to) {
        MemorySegment place = room.asSlice((from - first) * rowBytes, (to - from) * rowBytes);
        MemorySegment rows = w.rows(read, from - begin, to - begin, place);
        if (rows.address() != place.address()) {
          FileParts.copy(rows, place);
        }
      }
      begin += w.outFeatures();
    }
    return room.asSlice(0, (last - first) * rowBytes);
  }

  private void pack(
      MemorySegment stored,
      Storage read,
      Storage kept,
      Tensor packed,
      long first,
      long count,
      long in,
      boolean ofExpert) {
    MemorySegment rows = parts.read(stored);
    switch (read) {
      case Storage.Dense(DType dtype) -> {
        try (Tensor part = Tensor.adopt(device, dtype, rows, count, in)) {
          if (ofExpert) {
            Packing.packOfExpert(part, kept, packed, first);
          } else {
            Packing.pack(part, kept, packed, first);
          }
        }
      }
      case Storage.Blocks(BlockFormat format) -> {
        try (Tensor part = Tensor.adopt(device, DType.U8, rows, count, format.rowBytes(in))) {
          Packing.packBlocks(part, format, in, packed, first);
        }
      }
    }
    FileParts.release(rows);
  }
}
