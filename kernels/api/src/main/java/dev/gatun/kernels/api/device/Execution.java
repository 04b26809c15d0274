package dev.gatun.kernels.api.device;

import dev.gatun.kernels.api.call.KernelCall;
import dev.gatun.kernels.api.call.attention.ScaledDotProductAttention;
import dev.gatun.kernels.api.memory.Memory;
import dev.gatun.kernels.api.memory.Operand;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.Arrays;
import java.util.List;
import java.util.function.Consumer;

/** What every backend does around a kernel: keeping buffers alive, and checks of the data. */
public final class Execution {
  private Execution() {}

  /**
   * Runs a kernel's body while every buffer of its call is held. Where no output has an element
   * there is nothing to do, however long the other axes are, and the body is not run.
   *
   * @param call the call
   * @param memory the backend's memory, which every operand must be in
   * @param body the work
   * @throws IllegalArgumentException when an operand is in another memory
   * @throws IllegalStateException when a buffer is closed
   */
  public static void run(KernelCall call, Memory memory, Consumer<KernelCall> body) {
    List<Operand> inputs = call.inputs();
    List<Operand> outputs = call.outputs();
    int read = 0;
    int written = 0;
    try {
      for (; read < inputs.size(); read++) {
        acquire(call, inputs.get(read), memory);
      }
      for (; written < outputs.size(); written++) {
        acquire(call, outputs.get(written), memory);
      }
      if (!areEmpty(outputs)) {
        body.accept(call);
      }
    } catch (IllegalStateException e) {
      throw new IllegalStateException(call.kernel() + ": " + e.getMessage(), e);
    } finally {
      release(inputs, read);
      release(outputs, written);
    }
  }

  private static void acquire(KernelCall call, Operand operand, Memory memory) {
    if (operand.buffer().memory() != memory) {
      throw new IllegalArgumentException(
          "%s: %s is in the memory of another backend (%s)"
              .formatted(call.kernel(), operand, operand.buffer().memory().device()));
    }
    operand.buffer().acquire();
  }

  private static void release(List<Operand> operands, int held) {
    for (int i = 0; i < held; i++) {
      operands.get(i).buffer().release();
    }
  }

  private static boolean areEmpty(List<Operand> outputs) {
    for (Operand output : outputs) {
      if (!output.isEmpty()) {
        return false;
      }
    }
    return true;
  }

  /**
   * Requires indices to be below a limit.
   *
   * @param call the call that they belong to
   * @param what an index is, for the message
   * @param ids I64, {@code count} of them in host memory
   * @param limit the smallest index that is too large
   * @param exception an index that is fine nevertheless, or null
   * @param count how many indices there are
   * @throws IllegalArgumentException naming the index and its place
   */
  public static void inRange(
      KernelCall call, String what, MemorySegment ids, long count, long limit, Long exception) {
    for (long i = 0; i < count; i++) {
      long id = ids.getAtIndex(ValueLayout.JAVA_LONG_UNALIGNED, i);
      if ((id < 0 || id >= limit) && (exception == null || id != exception)) {
        throw new IllegalArgumentException(
            "%s: %s %d at %d is outside of 0 to %d"
                .formatted(call.kernel(), what, id, i, limit - 1));
      }
    }
  }

  /**
   * The same of I32 indices.
   *
   * @param least the smallest index
   * @param call the call that they belong to
   * @param what an index is, for the message
   * @param ids I32, {@code count} of them in host memory
   * @param count how many indices there are
   * @param limit the smallest index that is too large
   */
  public static void inRange(
      KernelCall call, String what, MemorySegment ids, long count, int least, long limit) {
    for (long i = 0; i < count; i++) {
      int id = ids.getAtIndex(ValueLayout.JAVA_INT_UNALIGNED, i);
      if (id < least || id >= limit) {
        throw new IllegalArgumentException(
            "%s: %s %d at %d is outside of %d to %d"
                .formatted(call.kernel(), what, id, i, least, limit - 1));
      }
    }
  }

  /**
   * Requires the offsets of a grouped product to be those of its places, and the rows up to the
   * last to be those of x.
   *
   * @param call the product
   * @param offsets I32, {@code experts + 1} of them in host memory
   * @param places the rows of y
   * @param rows I32 in host memory, or null
   * @param limit the rows of x
   * @param experts how many experts there are
   * @throws IllegalArgumentException naming the offset or row and its place
   */
  public static void grouped(
      KernelCall call,
      MemorySegment offsets,
      long experts,
      long places,
      MemorySegment rows,
      long limit) {
    int last = 0;
    for (long i = 0; i <= experts; i++) {
      int offset = offsets.getAtIndex(ValueLayout.JAVA_INT_UNALIGNED, i);
      if (offset < last || offset > places || i == 0 && offset != 0) {
        throw new IllegalArgumentException(
            "%s: offset %d at %d follows %d, expected offsets from 0 to %d that never fall"
                .formatted(call.kernel(), offset, i, last, places));
      }
      last = offset;
    }
    if (rows != null) {
      inRange(call, "row", rows, last, 0, limit);
    }
  }

  /**
   * Requires sequences to have all tokens.
   *
   * @param call the call that they belong to
   * @param offsets where each sequence begins, and behind the last where it ends
   * @param tokens how many tokens there are
   * @throws IllegalArgumentException where the last ends before the last token
   */
  public static void allTokens(KernelCall call, int[] offsets, int tokens) {
    int last = offsets.length - 1;
    if (offsets[last] != tokens) {
      throw new IllegalArgumentException(
          "%s: offset %d at %d, expected %d, for every token is of a sequence"
              .formatted(call.kernel(), offsets[last], last, tokens));
    }
  }

  /**
   * Requires indices to be distinct.
   *
   * @param call the call that they belong to
   * @param what an index is, for the message
   * @param ids I64, {@code count} of them in host memory
   * @param exception an index that may be there often, or null
   * @param count how many indices there are
   * @throws IllegalArgumentException naming the index and two of its places
   */
  public static void distinct(
      KernelCall call, String what, MemorySegment ids, long count, Long exception) {
    if (count > Integer.MAX_VALUE - 8) {
      throw new IllegalArgumentException(
          "%s: %d times a %s, expected fewer than 2^31 - 8".formatted(call.kernel(), count, what));
    }
    long[] sorted = new long[(int) count];
    for (int i = 0; i < sorted.length; i++) {
      sorted[i] = ids.getAtIndex(ValueLayout.JAVA_LONG_UNALIGNED, i);
    }
    long[] given = sorted.clone();
    Arrays.sort(sorted);
    for (int i = 1; i < sorted.length; i++) {
      if (sorted[i] == sorted[i - 1] && (exception == null || sorted[i] != exception)) {
        int first = place(given, sorted[i], 0);
        throw new IllegalArgumentException(
            "%s: %s %d at %d is also at %d, expected distinct ones"
                .formatted(
                    call.kernel(), what, sorted[i], place(given, sorted[i], first + 1), first));
      }
    }
  }

  private static int place(long[] values, long value, int from) {
    int at = from;
    while (values[at] != value) {
      at++;
    }
    return at;
  }

  /**
   * Requires every page in use to be one of the cache.
   *
   * @param call attention over a paged cache
   * @param table the block table's elements in host memory
   * @param lengths the keys in use of each sequence
   * @throws IllegalArgumentException naming the page, its sequence and its place
   */
  public static void pagesInRange(
      ScaledDotProductAttention call, MemorySegment table, int... lengths) {
    Operand blocks = call.keys().blockTable();
    long pages = call.key().size(0);
    long size = Math.max(1, call.key().size(1));
    for (int b = 0; b < call.batch(); b++) {
      for (long i = 0; i < Math.ceilDiv(lengths[b], size); i++) {
        int page = table.getAtIndex(ValueLayout.JAVA_INT_UNALIGNED, b * blocks.stride(0) + i);
        if (page < 0 || page >= pages) {
          throw new IllegalArgumentException(
              "%s: page %d at %d of sequence %d is outside of 0 to %d"
                  .formatted(call.kernel(), page, i, b, pages - 1));
        }
      }
    }
  }
}
