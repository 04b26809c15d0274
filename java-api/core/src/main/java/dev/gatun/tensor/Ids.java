package dev.gatun.tensor;

import dev.gatun.kernels.api.memory.DType;
import dev.gatun.kernels.api.memory.Indices;
import dev.gatun.kernels.api.memory.Operand;
import java.lang.foreign.MemorySegment;
import java.lang.ref.Reference;

/**
 * An I64 tensor of indices with a proven bound: each is below it and none is negative. The host
 * looks at them once, where they become a tensor; ops that take them compare the bound with the
 * length of the axis that they are indices of, and never wait for the device.
 *
 * <p>Work that was captured reads what is in them when it is replayed: {@link #write} puts others
 * there, which are held to the same bound.
 */
public final class Ids implements AutoCloseable {
  /** Stands for no index, where that may be. */
  public static final long NONE = -1;

  private final Tensor values;
  private final long below;
  private final long least;

  private Ids(Tensor values, long below, long least) {
    this.values = values;
    this.below = below;
    this.least = least;
  }

  /**
   * {@return indices from the host}
   *
   * @param what an index is, for messages, such as {@code input_ids}
   * @param below what all must be less than
   * @param device where it is
   * @param ids the numbers
   * @throws IllegalArgumentException naming the first that is negative or not below, and its place
   */
  public static Ids of(Device device, String what, long below, long... ids) {
    check(what, 0, below, ids);
    return new Ids(Tensor.of(device, ids, ids.length), below, 0);
  }

  /**
   * {@return the same, among which {@link #NONE} may be: for ops that say what it means to them}
   *
   * @param device where it is
   * @param what an id is, for messages
   * @param below the smallest number that is too large
   * @param ids the numbers
   */
  public static Ids orNone(Device device, String what, long below, long... ids) {
    check(what, NONE, below, ids);
    return new Ids(Tensor.of(device, ids, ids.length), below, NONE);
  }

  /**
   * {@return indices that lie below a bound by the way they were made, as those of an argmax}
   *
   * @param values I64 [count] without gaps
   * @param below what whoever made them promises
   */
  public static Ids known(Tensor values, long below) {
    if (values.dtype() != DType.I64 || values.rank() != 1 || !values.operand().isContiguous()) {
      throw new IllegalArgumentException(
          "ids: are %s, expected I64 [count] without gaps".formatted(values));
    }
    return new Ids(values, below, 0);
  }

  /**
   * {@return indices that nobody has looked at, such as a program's own on a device: each call that
   * takes them checks them first, and may wait for the device to do so}
   *
   * @param values I64 or I32
   */
  public static Ids unchecked(Tensor values) {
    return new Ids(values, Indices.UNKNOWN, NONE);
  }

  /** {@return the same with an owner of its memory of its own, as {@link Tensor#share}} */
  public Ids share() {
    return new Ids(values.share(), below, least);
  }

  private static void check(String what, long least, long below, long... ids) {
    for (int i = 0; i < ids.length; i++) {
      if (ids[i] < least || ids[i] >= below) {
        throw new IllegalArgumentException(
            "%s: %d at %d is outside of %d to %d".formatted(what, ids[i], i, least, below - 1));
      }
    }
  }

  /**
   * Puts other indices in the place of the first ones, ahead of all that is asked of the device
   * later; those behind stay.
   *
   * @param ids the numbers
   * @throws IllegalArgumentException for more than there is room for, and for one that is not below
   *     the bound
   */
  public void write(long... ids) {
    if (ids.length > values.count()) {
      throw new IllegalArgumentException(
          "ids: %d indices, the tensor has room for %d".formatted(ids.length, values.count()));
    }
    check("ids", least, below == Indices.UNKNOWN ? Long.MAX_VALUE : below, ids);
    Operand operand = values.operand();
    values
        .device()
        .memory()
        .write(MemorySegment.ofArray(ids), operand.buffer(), operand.byteOffset());
    Reference.reachabilityFence(values);
  }

  /** {@return how many there are} */
  public int count() {
    return (int) values.count();
  }

  /** {@return what all are less than; -1 where nobody has looked at them} */
  public long below() {
    return below;
  }

  /** {@return the device that it is on} */
  public Device device() {
    return values.device();
  }

  /** {@return the indices, I64 [count]} */
  public Tensor values() {
    return values;
  }

  /** {@return what kernels take} */
  public Indices indices() {
    return new Indices(values.operand(), below);
  }

  @Override
  public void close() {
    values.close();
  }

  @Override
  public String toString() {
    return "%s below %d".formatted(values, below);
  }
}
