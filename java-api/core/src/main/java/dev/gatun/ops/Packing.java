package dev.gatun.ops;

import dev.gatun.autograd.Tape;
import dev.gatun.kernels.api.call.matmul.MatmulPack;
import dev.gatun.kernels.api.call.matmul.Quantize;
import dev.gatun.kernels.api.call.matmul.QuantizedPack;
import dev.gatun.kernels.api.device.Kernels;
import dev.gatun.kernels.api.memory.BlockFormat;
import dev.gatun.kernels.api.memory.DType;
import dev.gatun.kernels.api.memory.Storage;
import dev.gatun.tensor.Device;
import dev.gatun.tensor.Tensor;

/**
 * Lays weights [out_features, in_features] out for products, whole or some rows at a time: a packed
 * weight is a sequence of panels of {@link MatmulPack#PANEL} output features, so rows from a
 * multiple of that on have a place of their own in it.
 */
public final class Packing {
  private Packing() {}

  /**
   * A packed weight with undefined contents.
   *
   * @param device where it is
   * @param storage how its elements are kept
   * @param outFeatures rows of the weight
   * @param inFeatures elements of a row; a multiple of the format's block where storage is in
   *     blocks
   * @return of the storage's dtype and one axis; of blocks U8
   * @throws IllegalArgumentException when the format's block does not divide in_features, or the
   *     elements are more than a long counts
   */
  public static Tensor allocate(Device device, Storage storage, long outFeatures, long inFeatures) {
    return Tensor.empty(device, dtype(storage), count(device, storage, outFeatures, inFeatures));
  }

  /**
   * The packed weights of experts, one after another, with undefined contents.
   *
   * @param device where they are
   * @param storage how their elements are kept
   * @param experts how many there are
   * @param outFeatures rows of an expert's weight
   * @param inFeatures elements of a row; a multiple of the format's block where storage is in
   *     blocks
   * @return of the storage's dtype and one axis; of blocks U8
   * @throws IllegalArgumentException when the format's block does not divide in_features, or the
   *     elements of one are more than a long counts
   * @throws ArithmeticException when the elements of all are more than a long counts
   */
  public static Tensor allocateExperts(
      Device device, Storage storage, long experts, long outFeatures, long inFeatures) {
    long all = Math.multiplyExact(experts, count(device, storage, outFeatures, inFeatures));
    return Tensor.empty(device, dtype(storage), all);
  }

  /**
   * A weight of floats as it is kept: packed, and quantised where that is in blocks.
   *
   * @param weight F32, BF16 or F16 [out_features, in_features], any strides
   * @param storage how its elements are kept
   * @return the packed weight, as {@link #allocate} has it
   * @throws UnsupportedOperationException when a tape tracks the weight
   */
  public static Tensor pack(Tensor weight, Storage storage) {
    Calls.axes("pack", "weight", weight, 2);
    Tape.refuse("pack", weight);
    return Calls.run(
        allocate(weight.device(), storage, weight.size(0), weight.size(1)),
        (k, packed) -> pack(k, weight, storage, packed),
        weight);
  }

  /**
   * Packs some rows of a weight of floats into their place.
   *
   * @param rows F32, BF16 or F16 [rows, in_features]
   * @param storage of the packed weight
   * @param packed of the whole weight
   * @param first the output feature of the first row, a multiple of {@link MatmulPack#PANEL}
   * @throws IllegalArgumentException when first is no such multiple
   * @throws UnsupportedOperationException when a tape tracks the rows
   */
  public static void pack(Tensor rows, Storage storage, Tensor packed, long first) {
    Tape.refuse("pack", rows);
    pack(rows.device().kernels(), rows, storage, place(packed, storage, first, rows, rows.size(1)));
    Calls.fence(rows, packed);
  }

  /**
   * The same in an expert's weight, which devices may lay out in another way than one of all
   * tokens.
   *
   * @param rows F32, BF16 or F16 [rows, in_features]; without gaps where they become blocks
   * @param storage of the packed weight
   * @param packed of the whole expert
   * @param first the output feature of the first row, a multiple of {@link MatmulPack#PANEL}
   * @throws IllegalArgumentException when first is no such multiple
   * @throws UnsupportedOperationException when a tape tracks the rows
   */
  public static void packOfExpert(Tensor rows, Storage storage, Tensor packed, long first) {
    Tape.refuse("pack", rows);
    long in = rows.size(1);
    Tensor place = place(packed, storage, first, rows, in);
    Tensor read = rows;
    if (storage instanceof Storage.Dense) {
      long[] strides = {0, rows.operand().stride(0), rows.operand().stride(1)};
      read = rows.strided(0, new long[] {1, rows.size(0), in}, strides);
    }
    pack(rows.device().kernels(), read, storage, place);
    Calls.fence(rows, packed);
  }

  /**
   * Packs some rows of blocks into their place.
   *
   * @param blocks U8 [rows, row_bytes]
   * @param format of the blocks
   * @param inFeatures elements of a row
   * @param packed of the whole weight
   * @param first the output feature of the first row, a multiple of {@link MatmulPack#PANEL}
   * @throws IllegalArgumentException when first is no such multiple
   */
  public static void packBlocks(
      Tensor blocks, BlockFormat format, long inFeatures, Tensor packed, long first) {
    Tensor place = place(packed, Storage.of(format), first, blocks, inFeatures);
    Kernels kernels = blocks.device().kernels();
    kernels.run(
        new QuantizedPack(
            format, kernels.layout(format), inFeatures, blocks.operand(), place.operand()));
    Calls.fence(blocks, packed);
  }

  private static Tensor place(
      Tensor packed, Storage storage, long first, Tensor rows, long inFeatures) {
    if (first % MatmulPack.PANEL != 0) {
      throw new IllegalArgumentException(
          "pack: rows from %d on, expected a multiple of %d".formatted(first, MatmulPack.PANEL));
    }
    Device device = packed.device();
    long begin = count(device, storage, first, inFeatures);
    return packed.slice(0, begin, begin + count(device, storage, rows.size(0), inFeatures));
  }

  private static void pack(Kernels kernels, Tensor weight, Storage storage, Tensor packed) {
    switch (storage) {
      case Storage.Dense _ -> kernels.run(new MatmulPack(weight.operand(), packed.operand()));
      case Storage.Blocks(BlockFormat format) -> {
        long bytes = format.rowBytes(weight.size(1));
        try (Tensor blocks = Tensor.empty(weight.device(), DType.U8, weight.size(0), bytes)) {
          kernels.run(new Quantize(weight.operand(), format, blocks.operand()));
          kernels.run(
              new QuantizedPack(
                  format,
                  kernels.layout(format),
                  weight.size(1),
                  blocks.operand(),
                  packed.operand()));
        }
      }
    }
  }

  private static DType dtype(Storage storage) {
    return switch (storage) {
      case Storage.Dense(DType dtype) -> dtype;
      case Storage.Blocks _ -> DType.U8;
    };
  }

  /** Elements of a packed weight; of blocks its bytes. */
  private static long count(Device device, Storage storage, long outFeatures, long inFeatures) {
    try {
      return switch (storage) {
        case Storage.Dense(DType dtype) -> MatmulPack.packedCount(dtype, outFeatures, inFeatures);
        case Storage.Blocks(BlockFormat format) -> {
          format.rowBytes(inFeatures);
          yield device.kernels().layout(format).packedBytes(outFeatures, inFeatures);
        }
      };
    } catch (ArithmeticException e) {
      throw new IllegalArgumentException(
          "pack: a weight [%d, %d] has more elements than a long counts"
              .formatted(outFeatures, inFeatures),
          e);
    }
  }
}
