package dev.gatun.kernels.api.memory;

import java.util.Objects;

/** What an element is, in files and in memory: a number of its own, or part of a block. */
public sealed interface Storage {
  /** Numbers of IEEE 754 binary32. */
  Storage F32 = new Dense(DType.F32);

  /** Numbers of bfloat16. */
  Storage BF16 = new Dense(DType.BF16);

  /** Numbers of IEEE 754 binary16. */
  Storage F16 = new Dense(DType.F16);

  /** Eight bits an element, one scale a row. */
  Storage INT8 = new Blocks(BlockFormat.INT8);

  /**
   * {@return storage as numbers of a dtype}
   *
   * @param dtype the numbers' type
   */
  static Storage of(DType dtype) {
    return new Dense(dtype);
  }

  /**
   * {@return storage in blocks of a format}
   *
   * @param format the blocks' format
   */
  static Storage of(BlockFormat format) {
    return new Blocks(format);
  }

  /**
   * {@return the bytes of a row of so many elements}
   *
   * @param elements how many
   */
  long rowBytes(long elements);

  /**
   * Each element is a number of a dtype.
   *
   * @param dtype the numbers' type
   */
  record Dense(DType dtype) implements Storage {
    /**
     * Checks the arguments.
     *
     * @throws IllegalArgumentException naming the argument that does not fit, and what would
     */
    public Dense {
      Objects.requireNonNull(dtype, "dtype");
    }

    @Override
    public long rowBytes(long elements) {
      return Math.multiplyExact(elements, dtype.bytes());
    }

    @Override
    public String toString() {
      return dtype.toString();
    }
  }

  /**
   * Neighbours on the last axis share a block with its scales.
   *
   * @param format the blocks' format
   */
  record Blocks(BlockFormat format) implements Storage {
    /**
     * Checks the arguments.
     *
     * @throws IllegalArgumentException naming the argument that does not fit, and what would
     */
    public Blocks {
      Objects.requireNonNull(format, "format");
    }

    @Override
    public long rowBytes(long elements) {
      return format.rowBytes(elements);
    }

    @Override
    public String toString() {
      return format.toString();
    }
  }
}
