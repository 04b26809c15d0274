package dev.gatun.test.contract.suites;

import static dev.gatun.test.contract.frame.BadCall.IN;
import static dev.gatun.test.contract.frame.BadCall.OUT;
import static dev.gatun.test.contract.frame.BadCall.VAST;
import static dev.gatun.test.contract.frame.BadCall.X;
import static dev.gatun.test.contract.frame.BadCall.Y;
import static dev.gatun.test.contract.frame.BadCall.at;
import static dev.gatun.test.contract.frame.BadCall.ints;
import static dev.gatun.test.contract.frame.BadCall.of;
import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertDoesNotThrow;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNotEquals;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertSame;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.junit.jupiter.params.provider.Arguments.arguments;

import dev.gatun.kernels.api.call.norm.Softmax;
import dev.gatun.kernels.api.device.Execution;
import dev.gatun.kernels.api.memory.BlockFormat;
import dev.gatun.kernels.api.memory.Buffer;
import dev.gatun.kernels.api.memory.DType;
import dev.gatun.kernels.api.memory.Indices;
import dev.gatun.kernels.api.memory.KernelDType;
import dev.gatun.kernels.api.memory.Lengths;
import dev.gatun.kernels.api.memory.Memory;
import dev.gatun.kernels.api.memory.Offsets;
import dev.gatun.kernels.api.memory.Operand;
import dev.gatun.kernels.api.memory.PackedLayout;
import java.lang.foreign.MemorySegment;
import java.util.List;
import java.util.function.Supplier;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;

/** What calls are made of, at both sides of what is taken: operands, indices, offsets, formats. */
final class MemoryArgumentsTest {
  private static final Softmax CALL = new Softmax(X, false, Y);

  private static Arguments bad(String message, Supplier<?> making) {
    return arguments(message, making);
  }

  private static Operand strided(long offset, long[] shape, long... strides) {
    return new Operand(IN, offset, DType.F32, shape, strides);
  }

  private static Operand gaps() {
    return new Operand(IN, 0, DType.I32, new long[] {3}, new long[] {2});
  }

  private static MemorySegment host(int... numbers) {
    return MemorySegment.ofArray(numbers);
  }

  private static MemorySegment host(long... numbers) {
    return MemorySegment.ofArray(numbers);
  }

  /** Two sequences of a softmax, of 4 tokens and the longest of 3. */
  private static int[] checked(int... numbers) {
    return new Offsets(ints(3), 4, 3).check("softmax", host(numbers));
  }

  private static int[] inUse(int... numbers) {
    return new Lengths(ints(2), 4).check("softmax", host(numbers));
  }

  private static Supplier<?> distinct(Long exception, long... ids) {
    return () -> {
      Execution.distinct(CALL, "slot", host(ids), ids.length, exception);
      return ids;
    };
  }

  static Stream<Arguments> numbers() {
    String never = ", expected offsets from 0 to 4 that never fall";
    return Stream.of(
        bad("offsets: are null, expected I32 [sequences + 1]", () -> new Offsets(null, 0, 0)),
        bad(
            "offsets: are I64[3], expected I32 [sequences + 1]",
            () -> new Offsets(Operand.of(IN, DType.I64, 3), 0, 0)),
        bad(
            "offsets: are I32[1, 3], expected I32 [sequences + 1]",
            () -> new Offsets(Operand.of(IN, DType.I32, 1, 3), 0, 0)),
        bad(
            "offsets: are I32[0] with stride 1, expected at least one number, without gaps",
            () -> new Offsets(ints(0), 0, 0)),
        bad(
            "offsets: are I32[2147483649] with stride 1, expected at least one number, without"
                + " gaps",
            () -> new Offsets(Operand.of(VAST, DType.I32, (1L << 31) + 1), 0, 0)),
        bad(
            "offsets: are I32[3] with stride 2, expected at least one number, without gaps",
            () -> new Offsets(gaps(), 0, 0)),
        bad(
            "offsets: -1 tokens, the longest sequence -2, expected 0 <= longest <= tokens",
            () -> new Offsets(ints(3), -1, -2)),
        bad(
            "offsets: 4 tokens, the longest sequence -1, expected 0 <= longest <= tokens",
            () -> new Offsets(ints(3), 4, -1)),
        bad(
            "offsets: 4 tokens, the longest sequence 5, expected 0 <= longest <= tokens",
            () -> new Offsets(ints(3), 4, 5)),
        bad(
            "offsets: length -1 at 1 of [3, -1], expected lengths from 0 on with a sum below 2^31",
            () -> Offsets.ofLengths(3, -1)),
        bad(
            "offsets: length 1 at 2 of [2147483646, 1, 1], expected lengths from 0 on with a sum"
                + " below 2^31",
            () -> Offsets.ofLengths(Integer.MAX_VALUE - 1, 1, 1)),
        bad("softmax: offset 1 at 0, expected 0", () -> checked(1, 2, 3)),
        bad("softmax: offset 2 at 2 follows 3" + never, () -> checked(0, 3, 2)),
        bad("softmax: offset 5 at 2 follows 3" + never, () -> checked(0, 3, 5)),
        bad(
            "softmax: offset 4 at 1 ends a sequence of 4 tokens, expected at most 3",
            () -> checked(0, 4, 4)),
        bad("lengths: are null, expected I32 [rows]", () -> new Lengths(null, 0)),
        bad("lengths: are F32[4, 8], expected I32 [rows]", () -> new Lengths(X, 0)),
        bad(
            "lengths: are I32[1, 3], expected I32 [rows]",
            () -> new Lengths(Operand.of(IN, DType.I32, 1, 3), 0)),
        bad("lengths: have stride 2, expected no gaps", () -> new Lengths(gaps(), 0)),
        bad("lengths: the longest is -1, expected 0 or more", () -> new Lengths(ints(3), -1)),
        bad("softmax: length -1 at 0 is outside of 0 to 4", () -> inUse(-1, 4)),
        bad("softmax: length 5 at 1 is outside of 0 to 4", () -> inUse(0, 5)),
        bad(
            "indices: the bound is -2, expected 0 or more, or -1 for unknown",
            () -> new Indices(ints(3), -2)),
        bad(
            "softmax: offset 3 at 2, expected 4, for every token is of a sequence",
            () -> {
              Execution.allTokens(CALL, new int[] {0, 2, 3}, 4);
              return 4;
            }),
        bad(
            "softmax: 2147483640 times a slot, expected fewer than 2^31 - 8",
            () -> {
              Execution.distinct(CALL, "slot", MemorySegment.NULL, Integer.MAX_VALUE - 7L, null);
              return 0;
            }),
        bad(
            "softmax: slot 7 at 4 is also at 1, expected distinct ones",
            distinct(null, 3, 7, -1, 9, 7)),
        bad(
            "softmax: slot -1 at 2 is also at 0, expected distinct ones",
            distinct(null, -1, 3, -1)),
        bad(
            "softmax: slot 3 at 3 is also at 1, expected distinct ones",
            distinct(-1L, -1, 3, -1, 3)));
  }

  static Stream<Arguments> formats() {
    String groups = ", expected 4, 5, 6 or 8 bits in groups of a multiple of ";
    return Stream.of(
        bad("packed codes: scales is missing", () -> new PackedLayout(8, 32, null)),
        bad("packed codes of 7 bits in groups of 32" + groups + 16, () -> layout(7, 32)),
        bad("packed codes of 4 bits in groups of 0" + groups + 16, () -> layout(4, 0)),
        bad("packed codes of 6 bits in groups of 0" + groups + 16, () -> layout(6, 0)),
        bad("packed codes of 5 bits in groups of 48" + groups + 32, () -> layout(5, 48)),
        bad("packed codes of 8 bits in groups of -16" + groups + 16, () -> layout(8, -16)),
        bad("packed codes of 8 bits in groups of 24" + groups + 16, () -> layout(8, 24)),
        bad(
            "packed codes in groups of 48 that share a scale, expected groups that divide 256",
            () -> new PackedLayout(4, 48, PackedLayout.Scales.F16_BYTE)),
        bad(
            "packed codes in groups of 0 that share a scale, expected groups that divide 256",
            () -> new PackedLayout(8, 0, PackedLayout.Scales.F16_BYTE_MIN)),
        bad(
            "packed codes of 8 bits with zero points, expected 4 bits",
            () -> new PackedLayout(8, 32, PackedLayout.Scales.F16_ZERO)),
        bad(
            "F64 is no type of kernels, expected one of [F32, BF16, F16, I64, I32, I8, U8]",
            () -> KernelDType.number(DType.F64)),
        bad(
            "BOOL is no floating-point type of kernels, expected F32, BF16 or F16",
            () -> KernelDType.floating(DType.BOOL)),
        bad(
            "I64 is no floating-point type of kernels, expected F32, BF16 or F16",
            () -> KernelDType.floating(DType.I64)),
        bad("buffer of -1 bytes: must not be negative", () -> new Counted(-1)),
        bad(
            "operand of shape [4, 8] has 1 strides, expected one an axis",
            () -> strided(0, new long[] {4, 8}, 8)),
        bad("operand F32[4, 8] cannot be expanded to [4, 9]", () -> X.expand(4, 9)),
        bad("operand F32[4, 8] cannot be expanded to [8]", () -> X.expand(8)));
  }

  private static PackedLayout layout(int bits, int group) {
    return new PackedLayout(bits, group, PackedLayout.Scales.F32);
  }

  @ParameterizedTest(name = "{0}")
  @MethodSource({"numbers", "formats"})
  void is_refused(String message, Supplier<?> making) {
    assertEquals(message, assertThrows(IllegalArgumentException.class, making::get).getMessage());
  }

  @Test
  void offsets_and_lengths_at_their_limits_are_taken() {
    assertArrayEquals(new int[] {0}, Offsets.ofLengths());
    assertArrayEquals(
        new int[] {0, Integer.MAX_VALUE, Integer.MAX_VALUE},
        Offsets.ofLengths(Integer.MAX_VALUE, 0));
    assertEquals(0, new Offsets(ints(1), 0, 0).sequences());
    assertEquals(
        Integer.MAX_VALUE, new Offsets(Operand.of(VAST, DType.I32, 1L << 31), 5, 5).sequences());
    assertArrayEquals(new int[] {0, 3, 4}, checked(0, 3, 4));
    assertArrayEquals(new int[] {0, 0, 0}, checked(0, 0, 0));
    assertArrayEquals(new int[] {0, 4}, inUse(0, 4));
    assertEquals(0, new Indices(ints(3), 0).below());
    assertTrue(new Indices(ints(3), Indices.UNKNOWN).isUnknown());
    assertNull(new Indices(null, -2).values());
    assertDoesNotThrow(() -> Execution.allTokens(CALL, new int[] {0, 2, 4}, 4));
    assertDoesNotThrow(distinct(-1L, -1, 3, -1, 4)::get);
    assertDoesNotThrow(distinct(null)::get);
  }

  @Test
  void formats_of_the_same_kind_and_group_are_equal() {
    BlockFormat format = BlockFormat.int8(32);
    assertEquals(BlockFormat.int8(32), format);
    assertNotEquals(BlockFormat.int8(64), format);
    assertNotEquals(BlockFormat.int4(32), format);
    assertFalse(format.equals("INT8:32"));
    assertFalse(format.equals(null));
    assertEquals(0, layout(8, 0).group());
    assertEquals(16, layout(4, 16).group());
    assertEquals(4, new PackedLayout(4, 16, PackedLayout.Scales.F16_ZERO).bits());
  }

  @Test
  void types_of_kernels_have_the_numbers_of_their_order() {
    assertEquals(6, KernelDType.number(DType.U8));
    assertEquals(0, KernelDType.floating(DType.F32));
    assertEquals(2, KernelDType.floating(DType.F16));
  }

  @Test
  void a_view_is_repeated_along_axes_that_it_lacks() {
    Operand row = of(IN, 1, 8);
    assertFalse(row.expands(8));
    assertFalse(row.expands(4, 9));
    assertTrue(row.expands(2, 4, 8));
    assertTrue(of(IN).expands());
    assertArrayEquals(new long[] {0, 0, 1}, row.expand(2, 4, 8).strides());
    assertSame(row, row.expand(1, 8));
  }

  @Test
  void views_that_share_memory_overlap_but_for_other_columns_of_rows() {
    Operand left = strided(0, new long[] {4, 3}, 8, 1);
    assertFalse(left.overlaps(strided(3, new long[] {4, 5}, 8, 1)));
    assertFalse(strided(3, new long[] {4, 5}, 8, 1).overlaps(left));
    assertTrue(left.overlaps(strided(2, new long[] {4, 3}, 8, 1)));
    assertTrue(strided(2, new long[] {4, 3}, 8, 1).overlaps(left));
    assertTrue(left.overlaps(of(IN, 32)));
    assertTrue(of(IN, 32).overlaps(left));
    assertFalse(left.overlaps(at(IN, 27, 8)));
    assertFalse(left.overlaps(of(OUT, 32)));
    assertFalse(left.overlaps(of(IN, 0, 8)));
    assertFalse(of(IN, 0, 8).overlaps(left));
    // Repeated rows have no length, and one row needs none.
    assertTrue(strided(0, new long[] {4, 3}, 0, 1).overlaps(strided(2, new long[] {4, 3}, 0, 1)));
    assertTrue(strided(0, new long[] {1, 3}, 8, 1).overlaps(strided(2, new long[] {4, 3}, 8, 1)));
    // Columns that go on in the next row.
    assertTrue(strided(6, new long[] {4, 3}, 8, 1).overlaps(strided(1, new long[] {4, 3}, 8, 1)));
    assertTrue(strided(1, new long[] {4, 3}, 8, 1).overlaps(strided(6, new long[] {4, 3}, 8, 1)));
    assertTrue(left.overlaps(Operand.of(IN, DType.I32, 4, 8)));
  }

  @Test
  void a_view_is_the_same_where_all_of_it_is() {
    Operand view = strided(0, new long[] {4, 3}, 8, 1);
    assertTrue(view.isSameView(strided(0, new long[] {4, 3}, 8, 1)));
    assertFalse(
        view.isSameView(new Operand(OUT, 0, DType.F32, new long[] {4, 3}, new long[] {8, 1})));
    assertFalse(view.isSameView(strided(1, new long[] {4, 3}, 8, 1)));
    assertFalse(
        view.isSameView(new Operand(IN, 0, DType.I32, new long[] {4, 3}, new long[] {8, 1})));
    assertFalse(view.isSameView(strided(0, new long[] {3, 3}, 8, 1)));
    assertFalse(view.isSameView(strided(0, new long[] {4, 3}, 9, 1)));
  }

  /** Counts how often it is given back. */
  private static final class Counted extends Buffer {
    private int freed;

    Counted(long bytes) {
      super(bytes);
    }

    @Override
    public Memory memory() {
      return IN.memory();
    }

    @Override
    protected void free() {
      freed++;
    }
  }

  @Test
  void a_block_is_given_back_once_by_its_last_owner_and_user() {
    Counted block = new Counted(0);
    assertEquals(0, block.byteSize());
    assertFalse(block.isShared());
    block.share();
    assertTrue(block.isShared());
    block.close();
    assertFalse(block.isShared());
    assertFalse(block.isClosed());
    block.acquire();
    block.close();
    assertTrue(block.isClosed());
    assertFalse(block.isShared());
    assertEquals(0, block.freed);
    block.release();
    assertEquals(1, block.freed);
    block.close();
    assertEquals(1, block.freed);
    assertEquals(
        "buffer of 0 bytes is closed",
        assertThrows(IllegalStateException.class, block::share).getMessage());
  }

  @Test
  void owners_and_users_of_many_threads_are_all_counted() throws InterruptedException {
    Counted block = new Counted(0);
    Runnable holding =
        () -> {
          for (int i = 0; i < 100_000; i++) {
            block.share();
            block.acquire();
            block.close();
            block.release();
          }
        };
    List<Thread> threads = Stream.generate(() -> new Thread(holding)).limit(4).toList();
    threads.forEach(Thread::start);
    for (Thread thread : threads) {
      thread.join();
    }
    assertFalse(block.isShared());
    assertEquals(0, block.freed);
    block.close();
    assertEquals(1, block.freed);
  }
}
