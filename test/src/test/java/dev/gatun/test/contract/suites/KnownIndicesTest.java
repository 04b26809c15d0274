package dev.gatun.test.contract.suites;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;

import dev.gatun.kernels.api.call.attention.AttentionKeys;
import dev.gatun.kernels.api.call.attention.AttentionMask;
import dev.gatun.kernels.api.call.attention.AttentionScores;
import dev.gatun.kernels.api.call.attention.Dropout;
import dev.gatun.kernels.api.call.attention.RotaryCacheUpdate;
import dev.gatun.kernels.api.call.attention.ScaledDotProductAttention;
import dev.gatun.kernels.api.device.Backend;
import dev.gatun.kernels.api.memory.Buffer;
import dev.gatun.kernels.api.memory.DType;
import dev.gatun.kernels.api.memory.Indices;
import dev.gatun.kernels.api.memory.Lengths;
import dev.gatun.kernels.api.memory.Operand;
import dev.gatun.test.contract.frame.Subjects;
import dev.gatun.test.emulator.Emulator;
import java.lang.foreign.MemorySegment;
import java.util.stream.Stream;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/** Pages and slots whose bound is known: they are taken as they are, and lead to the same. */
final class KnownIndicesTest {
  static Stream<Backend> backends() {
    return Stream.of(Subjects.EXACT, Subjects.CPU, Emulator.open());
  }

  private static Buffer of(Backend backend, MemorySegment values) {
    Buffer buffer = backend.memory().allocate(values.byteSize());
    backend.memory().write(values, buffer, 0);
    return buffer;
  }

  private static Buffer floats(Backend backend, float... values) {
    return of(backend, MemorySegment.ofArray(values));
  }

  private static float[] read(Backend backend, Buffer buffer) {
    float[] values = new float[(int) buffer.byteSize() / 4];
    backend.memory().read(buffer, 0, MemorySegment.ofArray(values));
    return values;
  }

  @ParameterizedTest
  @MethodSource("backends")
  void values_come_from_the_pages(Backend backend) {
    // Three pages of one token each, with queries of 0: the mean of a sequence's values.
    try (Buffer query = floats(backend, 0, 0);
        Buffer keys = floats(backend, 1, 3, 8);
        Buffer pages = of(backend, MemorySegment.ofArray(new int[] {2, 0, 1, 1}));
        Buffer lengths = of(backend, MemorySegment.ofArray(new int[] {2, 1}));
        Buffer output = floats(backend, 7, 7)) {
      Operand cache = Operand.of(keys, DType.F32, 3, 1, 1, 1);
      backend
          .kernels()
          .run(
              new ScaledDotProductAttention(
                  Operand.of(query, DType.F32, 2, 1, 1, 1),
                  cache,
                  cache,
                  Operand.of(output, DType.F32, 2, 1, 1, 1),
                  null,
                  AttentionKeys.paged(
                      new Indices(Operand.of(pages, DType.I32, 2, 2), 3),
                      new Lengths(Operand.of(lengths, DType.I32, 2), 2)),
                  AttentionScores.scaled(1),
                  AttentionMask.NONE,
                  Dropout.NONE,
                  null,
                  null));
      assertArrayEquals(new float[] {4.5f, 3}, read(backend, output));
    }
  }

  @ParameterizedTest
  @MethodSource("backends")
  void keys_and_values_go_to_the_slots(Backend backend) {
    // A quarter turn of a head of two elements.
    try (Buffer qkv = floats(backend, 1, 2, 3, 4, 5, 6);
        Buffer cosine = floats(backend, 0);
        Buffer sine = floats(backend, 1);
        Buffer position = of(backend, MemorySegment.ofArray(new long[] {0}));
        Buffer slot = of(backend, MemorySegment.ofArray(new long[] {2}));
        Buffer query = floats(backend, 7, 7);
        Buffer keys = floats(backend, 7, 7, 7, 7, 7, 7);
        Buffer values = floats(backend, 7, 7, 7, 7, 7, 7)) {
      backend
          .kernels()
          .run(
              new RotaryCacheUpdate(
                  Operand.of(qkv, DType.F32, 1, 6),
                  Operand.of(cosine, DType.F32, 1, 1),
                  Operand.of(sine, DType.F32, 1, 1),
                  new Indices(Operand.of(position, DType.I64, 1), 1),
                  false,
                  new Indices(Operand.of(slot, DType.I64, 1), 3),
                  Operand.of(query, DType.F32, 1, 1, 2),
                  Operand.of(keys, DType.F32, 1, 3, 1, 2),
                  Operand.of(values, DType.F32, 1, 3, 1, 2),
                  null));
      assertArrayEquals(new float[] {-2, 1}, read(backend, query));
      assertArrayEquals(new float[] {7, 7, 7, 7, -4, 3}, read(backend, keys));
      assertArrayEquals(new float[] {7, 7, 7, 7, 5, 6}, read(backend, values));
    }
  }
}
