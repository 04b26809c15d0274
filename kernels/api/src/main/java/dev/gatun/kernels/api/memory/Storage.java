package dev.gatun.kernels.api.memory;

import java.util.Objects;

/** What an element is, in files and in memory: a number of its own, or part of a block. */
public sealed interface Storage {
  /** The bytes of a row of so many elements. */
  long rowBytes(long elements);

  /** Each element is a number of a dtype. */
  record Dense(DType dtype) implements Storage {
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

  /** Neighbours on the last axis share a block with its scales. */
  record Blocks(BlockFormat format) implements Storage {
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
