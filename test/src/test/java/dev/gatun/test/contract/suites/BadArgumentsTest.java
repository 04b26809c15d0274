package dev.gatun.test.contract.suites;

import static dev.gatun.test.contract.frame.BadCall.IN;
import static dev.gatun.test.contract.frame.BadCall.X;
import static dev.gatun.test.contract.frame.BadCall.Y;
import static dev.gatun.test.contract.frame.BadCall.at;
import static dev.gatun.test.contract.frame.BadCall.bad;
import static dev.gatun.test.contract.frame.BadCall.ints;
import static dev.gatun.test.contract.frame.BadCall.of;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.gatun.kernels.api.call.KernelCall;
import dev.gatun.kernels.api.call.attention.AttentionKeys;
import dev.gatun.kernels.api.call.attention.AttentionMask;
import dev.gatun.kernels.api.call.attention.AttentionScores;
import dev.gatun.kernels.api.call.attention.Dropout;
import dev.gatun.kernels.api.call.attention.RotaryCacheUpdate;
import dev.gatun.kernels.api.call.attention.ScaledDotProductAttention;
import dev.gatun.kernels.api.call.elementwise.BinaryOp;
import dev.gatun.kernels.api.call.elementwise.Elementwise;
import dev.gatun.kernels.api.call.indexing.Copy;
import dev.gatun.kernels.api.call.indexing.Embedding;
import dev.gatun.kernels.api.call.indexing.IndexAdd;
import dev.gatun.kernels.api.call.indexing.IndexSelect;
import dev.gatun.kernels.api.call.indexing.PackedEmbedding;
import dev.gatun.kernels.api.call.norm.Softmax;
import dev.gatun.kernels.api.call.reduction.Pool;
import dev.gatun.kernels.api.call.reduction.PoolingMode;
import dev.gatun.kernels.api.device.Backend;
import dev.gatun.kernels.api.memory.Buffer;
import dev.gatun.kernels.api.memory.DType;
import dev.gatun.kernels.api.memory.Indices;
import dev.gatun.kernels.api.memory.Lengths;
import dev.gatun.kernels.api.memory.Offsets;
import dev.gatun.kernels.api.memory.Operand;
import dev.gatun.test.contract.cases.Cases;
import dev.gatun.test.contract.cases.Family;
import dev.gatun.test.contract.frame.BadCall;
import dev.gatun.test.contract.frame.Subjects;
import dev.gatun.test.contract.frame.Target;
import java.lang.foreign.MemorySegment;
import java.util.List;
import java.util.Set;
import java.util.TreeSet;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/** Each bad argument is refused before any native call, by a message with its numbers. */
final class BadArgumentsTest {
  private static final Backend CPU = Subjects.CPU;

  /** Kernels whose bad arguments have tests of their own. */
  private static final Set<String> ELSEWHERE =
      Set.of(
          "activation_backward",
          "adafactor_step",
          "attention_backward",
          "block_matmul",
          "cross_entropy_backward",
          "dequantize",
          "dropout",
          "expert_combine",
          "expert_routing",
          "gated_activation_backward",
          "global_norm",
          "grouped_matmul",
          "grouped_quantized_matmul",
          "optimizer_step",
          "quantize",
          "quantize_tokens",
          "quantized_matmul",
          "quantized_pack");

  /** Offsets of so many sequences. */
  private static Offsets offsets(int sequences, int tokens, int longest) {
    return new Offsets(ints(sequences + 1), tokens, longest);
  }

  /** What no kernel's cases have: of operands themselves, and of parts that kernels share. */
  private static List<BadCall> parts() {
    return List.of(
        bad(
            "operand F32 of shape [4, 100000], strides [100000, 1] at element 0 does not fit a"
                + " buffer of 65536 bytes",
            () -> new Softmax(of(IN, 4, 100_000), false, Y)),
        bad("does not fit a buffer", () -> new Softmax(of(IN, Long.MAX_VALUE / 2, 1), false, Y)),
        bad(
            "axis 0 is negative",
            () ->
                new Softmax(
                    new Operand(IN, 0, DType.F32, new long[] {-1, 8}, new long[] {8, 1}),
                    false,
                    Y)),
        bad(
            "offsets: 5 tokens, the longest sequence 6, expected 0 <= longest <= tokens",
            () -> new Pool(X, offsets(2, 5, 6), PoolingMode.MEAN, Y)),
        bad(
            "lengths: are F32[4, 8], expected I32 [rows]",
            () -> new Softmax(X, false, new Lengths(X, 3).values())),
        bad(
            "dropout: probability is 1.0, expected 0 to below 1",
            () -> new Pool(X, offsets(1, (int) new Dropout(1, 0).seed(), 0), PoolingMode.MEAN, Y)),
        bad(
            "operand F32 of shape [0, 8] at element -1: begins at no byte of a buffer",
            () -> new Softmax(at(IN, -1, 0, 8), false, Y)),
        bad(
            "operand F32 of shape [0, 8] at element 4611686018427387904: begins at no byte",
            () -> new Softmax(at(IN, 1L << 62, 0, 8), false, Y)),
        bad(
            "operand of shape [0, 4611686018427387904, 4]: has more elements than a long counts",
            () -> new Softmax(of(IN, 0, 1L << 62, 4), false, Y)));
  }

  static Stream<BadCall> calls() {
    return Stream.concat(parts().stream(), Cases.bad());
  }

  @ParameterizedTest(name = "{0}")
  @MethodSource("calls")
  void is_refused(BadCall call) {
    call.check();
  }

  @Test
  void every_kernel_has_a_bad_argument() {
    Set<String> without = new TreeSet<>();
    Cases.draws(Family.PLAIN, Target.HOST, 1)
        .forEach(draw -> without.add(draw.generator().name().replaceFirst("-.*", "")));
    without.removeAll(ELSEWHERE);
    calls().forEach(call -> without.remove(call.message().replaceFirst(":.*", "")));
    assertEquals(Set.of(), without, "kernels that have none below their cases, in badCalls()");
  }

  static Stream<Backend> backends() {
    return Stream.of(Subjects.CPU, Subjects.EXACT);
  }

  @ParameterizedTest
  @MethodSource("backends")
  void indices_outside_of_the_table_are_refused(Backend backend) {
    try (Buffer table = backend.memory().allocate(4 * 5 * 8);
        Buffer packed = backend.memory().allocate(4 * 256);
        Buffer y = backend.memory().allocate(4 * 3 * 8);
        Buffer three = backend.memory().allocate(8 * 3)) {
      for (long id : new long[] {-1, 5, Long.MIN_VALUE, Long.MAX_VALUE}) {
        backend.memory().write(MemorySegment.ofArray(new long[] {0, id, 1}), three, 0);
        Indices ids = Indices.unchecked(Operand.of(three, DType.I64, 3));
        for (KernelCall call :
            List.of(
                new Embedding(of(table, 5, 8), ids, false, of(y, 3, 8)),
                new PackedEmbedding(of(packed, 256), 5, ids, false, of(y, 3, 8)),
                new IndexSelect(of(table, 1, 5, 8), ids, of(y, 1, 3, 8)),
                new IndexAdd(of(y, 3, 8), ids, of(table, 5, 8)))) {
          assertEquals(
              "%s: id %d at 1 is outside of 0 to 4".formatted(call.kernel(), id),
              assertThrows(IllegalArgumentException.class, () -> runAndRead(backend, call, y))
                  .getMessage());
          // It is told once.
          backend.memory().read(y, 0, MemorySegment.ofArray(new byte[4]));
        }
      }
    }
  }

  /** A device may tell of an index when its results are read. */
  private static void runAndRead(Backend backend, KernelCall call, Buffer result) {
    backend.kernels().run(call);
    backend.memory().read(result, 0, MemorySegment.ofArray(new byte[4]));
  }

  @ParameterizedTest
  @MethodSource("backends")
  void slots_of_two_tokens_and_outside_of_the_cache_are_refused(Backend backend) {
    try (Buffer in = backend.memory().allocate(4 * 256);
        Buffer ids = backend.memory().allocate(8 * 8);
        Buffer out = backend.memory().allocate(4 * 256)) {
      long[][] slots = {{5, -1, -1, 5}, {0, -2, 1, 2}, {0, 6, 1, 2}};
      String[] messages = {
        "slot 5 at 3 is also at 0, expected distinct ones",
        "slot -2 at 1 is outside of 0 to 5",
        "slot 6 at 1 is outside of 0 to 5"
      };
      for (int i = 0; i < slots.length; i++) {
        backend.memory().write(MemorySegment.ofArray(new long[4]), ids, 0);
        backend.memory().write(MemorySegment.ofArray(slots[i]), ids, 32);
        backend.memory().write(MemorySegment.ofArray(new float[256]), out, 0);
        Operand table = at(in, 128, 1, 1);
        RotaryCacheUpdate call =
            new RotaryCacheUpdate(
                of(in, 4, 6),
                table,
                table,
                Indices.unchecked(Operand.of(ids, DType.I64, 4)),
                false,
                Indices.unchecked(new Operand(ids, 4, DType.I64, new long[] {4}, new long[] {1})),
                of(out, 4, 1, 2),
                at(out, 64, 2, 3, 1, 2),
                at(out, 128, 2, 3, 1, 2),
                null);
        assertEquals(
            "rotary_cache_update: " + messages[i],
            assertThrows(IllegalArgumentException.class, () -> runAndRead(backend, call, out))
                .getMessage());
      }
    }
  }

  @ParameterizedTest
  @MethodSource("backends")
  void pages_outside_of_the_cache_are_refused(Backend backend) {
    try (Buffer in = backend.memory().allocate(4 * 256);
        Buffer pages = backend.memory().allocate(4 * 6);
        Buffer lengths = backend.memory().allocate(4 * 2);
        Buffer out = backend.memory().allocate(4 * 16)) {
      backend.memory().write(MemorySegment.ofArray(new float[256]), in, 0);
      backend.memory().write(MemorySegment.ofArray(new int[] {0, 1, 2, 3, 9, 0}), pages, 0);
      backend.memory().write(MemorySegment.ofArray(new int[] {6, 3}), lengths, 0);
      Operand table = new Operand(pages, 0, DType.I32, new long[] {2, 3}, new long[] {3, 1});
      ScaledDotProductAttention call =
          new ScaledDotProductAttention(
              of(in, 2, 1, 1, 8),
              at(in, 64, 3, 2, 1, 8),
              at(in, 64, 3, 2, 1, 8),
              of(out, 2, 1, 1, 8),
              null,
              AttentionKeys.paged(
                  Indices.unchecked(table), new Lengths(Operand.of(lengths, DType.I32, 2), 6)),
              AttentionScores.scaled(1),
              AttentionMask.NONE,
              Dropout.NONE,
              null,
              null);
      assertEquals(
          "scaled_dot_product_attention: page 3 at 0 of sequence 1 is outside of 0 to 2",
          assertThrows(IllegalArgumentException.class, () -> runAndRead(backend, call, out))
              .getMessage());
    }
  }

  @ParameterizedTest
  @MethodSource("backends")
  @Timeout(10)
  void no_elements_are_no_work(Backend backend) {
    try (Buffer none = backend.memory().allocate(0);
        Buffer other = backend.memory().allocate(0)) {
      Operand x = of(none, 1L << 60, 0);
      Operand y = of(other, 1L << 60, 0);
      backend.kernels().run(new Elementwise(x, x, BinaryOp.ADD, y));
      backend.kernels().run(new Copy(x, y));
      backend.kernels().run(new Softmax(x, false, y));
    }
  }

  @ParameterizedTest
  @MethodSource("backends")
  void closed_buffers_are_refused(Backend backend) {
    Buffer x = backend.memory().allocate(128);
    Buffer y = backend.memory().allocate(128);
    Softmax call = new Softmax(of(x, 4, 8), false, of(y, 4, 8));
    x.close();
    x.close();
    assertEquals(
        "softmax: buffer of 128 bytes is closed",
        assertThrows(IllegalStateException.class, () -> backend.kernels().run(call)).getMessage());
    y.close();
    assertEquals(
        "buffer of 128 bytes is closed",
        assertThrows(IllegalStateException.class, y::acquire).getMessage());
  }

  @Test
  void operands_of_another_backend_are_refused() {
    try (Buffer x = Subjects.EXACT.memory().allocate(128);
        Buffer y = CPU.memory().allocate(128)) {
      String message =
          assertThrows(
                  IllegalArgumentException.class,
                  () -> new Softmax(of(x, 4, 8), false, of(y, 4, 8)))
              .getMessage();
      assertEquals(
          "softmax: input F32[4, 8] is on cpu, the output on cpu: move one with to(device)",
          message);
    }
  }

  @Test
  void memory_that_is_not_there_is_an_error_with_what_is_held() {
    try (Buffer held = CPU.memory().allocate(1000)) {
      String message =
          assertThrows(OutOfMemoryError.class, () -> CPU.memory().allocate(1L << 60)).getMessage();
      assertTrue(
          message.startsWith(
              "allocate: no %d bytes of native memory; %d bytes are held by tensors"
                  .formatted(1L << 60, CPU.memory().allocatedBytes())),
          message);
      assertEquals(1000, held.byteSize());
    }
    assertThrows(IllegalArgumentException.class, () -> CPU.memory().allocate(-1));
  }
}
