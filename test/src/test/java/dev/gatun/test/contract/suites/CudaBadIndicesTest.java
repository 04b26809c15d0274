package dev.gatun.test.contract.suites;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;

import dev.gatun.kernels.api.call.KernelCall;
import dev.gatun.kernels.api.call.attention.CacheScales;
import dev.gatun.kernels.api.call.attention.RotaryCacheUpdate;
import dev.gatun.kernels.api.call.attention.RotaryEmbedding;
import dev.gatun.kernels.api.call.indexing.Embedding;
import dev.gatun.kernels.api.call.indexing.IndexAdd;
import dev.gatun.kernels.api.call.indexing.IndexSelect;
import dev.gatun.kernels.api.call.indexing.PackedEmbedding;
import dev.gatun.kernels.api.call.indexing.ScatterRows;
import dev.gatun.kernels.api.call.loss.CrossEntropy;
import dev.gatun.kernels.api.call.matmul.MatmulPack;
import dev.gatun.kernels.api.device.Backend;
import dev.gatun.kernels.api.memory.Buffer;
import dev.gatun.kernels.api.memory.DType;
import dev.gatun.kernels.api.memory.Indices;
import dev.gatun.kernels.api.memory.Operand;
import dev.gatun.test.contract.frame.Subjects;
import dev.gatun.test.emulator.Emulator;
import dev.gatun.test.emulator.Emulator.Policy;
import java.lang.foreign.MemorySegment;
import java.util.Arrays;
import java.util.Random;
import java.util.stream.IntStream;
import java.util.stream.LongStream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;
import org.junit.jupiter.params.provider.ValueSource;

/**
 * Indices of which many are outside of their tables, which the host does not see: kernels use none
 * of those and all others, and the first one is told, whichever block comes to it first.
 */
final class CudaBadIndicesTest {
  private static final Backend CUDA = Emulator.open();
  private static final int LIMIT = 80;
  private static final int COUNT = 70;
  private static final int COLUMNS = 4;
  private static final float UNWRITTEN = -7;

  @BeforeAll
  static void isAskedFor() {
    Subjects.assumeBackend("cuda");
  }

  @AfterEach
  void restore() {
    Emulator.set(Policy.ROUND_ROBIN, 1, false, false);
    assertEquals(0, CUDA.memory().allocatedBytes(), "memory is given back");
  }

  /** A kernel that finds rows by indices, or puts them there. */
  private enum Kernel {
    EMBEDDING("embedding: id"),
    PACKED_EMBEDDING("packed_embedding: id"),
    INDEX_SELECT("index_select: id"),
    SCATTER_ROWS("scatter_rows: id"),
    INDEX_ADD("index_add: id"),
    CROSS_ENTROPY("cross_entropy: target"),
    ROTARY_EMBEDDING("rotary_embedding: position");

    private final String message;

    Kernel(String message) {
      this.message = message;
    }

    /** Whether rows go to where the indices say. */
    boolean scatters() {
      return this == SCATTER_ROWS || this == INDEX_ADD;
    }

    /** Numbers that it reads for so many indices, those of a table or of each index. */
    float[] input(long... ids) {
      int rows = this == CROSS_ENTROPY || scatters() || this == ROTARY_EMBEDDING ? ids.length : 0;
      float[] x = new float[rows == 0 ? packedCount() : rows * columns()];
      for (int i = 0; i < x.length; i++) {
        // Of an index, not of its place.
        x[i] = rows == 0 ? i : (float) (ids[i / columns()] % 100 + i % columns());
      }
      return x;
    }

    private static int packedCount() {
      return (int) MatmulPack.packedCount(DType.F32, LIMIT, COLUMNS);
    }

    private int columns() {
      return this == CROSS_ENTROPY ? LIMIT : COLUMNS;
    }

    int outputCount(int count) {
      return this == CROSS_ENTROPY ? count : scatters() ? LIMIT * COLUMNS : count * COLUMNS;
    }

    KernelCall call(Buffer x, Buffer angles, Indices ids, int count, Buffer y) {
      return switch (this) {
        case EMBEDDING -> new Embedding(of(x, LIMIT, COLUMNS), ids, false, of(y, count, COLUMNS));
        case PACKED_EMBEDDING ->
            new PackedEmbedding(of(x, packedCount()), LIMIT, ids, false, of(y, count, COLUMNS));
        case INDEX_SELECT ->
            new IndexSelect(of(x, 1, LIMIT, COLUMNS), ids, of(y, 1, count, COLUMNS));
        case SCATTER_ROWS -> new ScatterRows(of(x, count, COLUMNS), ids, of(y, LIMIT, COLUMNS));
        case INDEX_ADD -> new IndexAdd(of(x, count, COLUMNS), ids, of(y, LIMIT, COLUMNS));
        case CROSS_ENTROPY -> new CrossEntropy(of(x, count, LIMIT), ids, -100, of(y, count));
        case ROTARY_EMBEDDING ->
            new RotaryEmbedding(
                of(x, count, 1, COLUMNS),
                of(angles, LIMIT, 1),
                of(angles, LIMIT, 1),
                ids,
                false,
                of(y, count, 1, COLUMNS));
      };
    }

    private static Operand of(Buffer buffer, long... shape) {
      return Operand.of(buffer, DType.F32, shape);
    }

    /** What is at the output after a call with indices of a bound. */
    float[] run(Backend backend, long below, long... ids) {
      float[] result = new float[outputCount(ids.length)];
      Arrays.fill(result, UNWRITTEN);
      float[] angles = counted(LIMIT);
      try (Buffer x = copied(backend, MemorySegment.ofArray(input(ids)));
          Buffer table = copied(backend, MemorySegment.ofArray(angles));
          Buffer at = copied(backend, MemorySegment.ofArray(ids));
          Buffer y = copied(backend, MemorySegment.ofArray(result))) {
        Indices indices = new Indices(Operand.of(at, DType.I64, ids.length), below);
        backend.kernels().run(call(x, table, indices, ids.length, y));
        if (below == Indices.UNKNOWN) {
          int first =
              IntStream.range(0, ids.length).filter(i -> isBad(ids[i])).findFirst().orElse(-1);
          if (first >= 0) {
            assertEquals(
                "%s %d at %d is outside of 0 to %d"
                    .formatted(message, ids[first], first, LIMIT - 1),
                assertThrows(
                        IllegalArgumentException.class, () -> backend.memory().read(y, 0, bytes(1)))
                    .getMessage());
          }
        }
        backend.memory().read(y, 0, MemorySegment.ofArray(result));
      }
      return result;
    }
  }

  /** 1, 2, 3 and so on. */
  private static float[] counted(int count) {
    float[] numbers = new float[count];
    for (int i = 0; i < count; i++) {
      numbers[i] = 1 + i;
    }
    return numbers;
  }

  private static MemorySegment bytes(int count) {
    return MemorySegment.ofArray(new byte[count]);
  }

  private static Buffer copied(Backend backend, MemorySegment values) {
    Buffer buffer = backend.memory().allocate(values.byteSize());
    backend.memory().write(values, buffer, 0);
    return buffer;
  }

  private static boolean isBad(long id) {
    return id < 0 || id >= LIMIT;
  }

  /** Distinct indices; about half of them are none, from the first on or from later. */
  private static long[] ids(long seed) {
    Random random = new Random(seed);
    long[] ids = LongStream.range(0, LIMIT).toArray();
    for (int i = LIMIT - 1; i > 0; i--) {
      int other = random.nextInt(i + 1);
      long id = ids[i];
      ids[i] = ids[other];
      ids[other] = id;
    }
    ids = Arrays.copyOf(ids, COUNT);
    long[] bad = {LIMIT, -2, 1L << 32, Long.MAX_VALUE, Long.MIN_VALUE};
    for (int i = (int) seed % 4; i < COUNT; i++) {
      if (random.nextBoolean()) {
        ids[i] = bad[random.nextInt(bad.length)];
      }
    }
    return ids;
  }

  /** What the reference makes of the indices that are some, and nothing of the others. */
  private static float[] expected(Kernel kernel, long... ids) {
    long[] good = Arrays.stream(ids).filter(id -> !isBad(id)).toArray();
    float[] made = kernel.run(Subjects.EXACT, LIMIT, good);
    if (kernel.scatters()) {
      return made;
    }
    int columns = kernel.outputCount(1);
    float[] all = new float[ids.length * columns];
    Arrays.fill(all, UNWRITTEN);
    int next = 0;
    for (int i = 0; i < ids.length; i++) {
      if (!isBad(ids[i])) {
        System.arraycopy(made, columns * next++, all, columns * i, columns);
      }
    }
    return all;
  }

  @ParameterizedTest
  @EnumSource
  void the_first_one_is_told_and_none_is_used(Kernel kernel) {
    for (Policy policy : Policy.values()) {
      for (int seed = 0; seed < 3; seed++) {
        Emulator.set(policy, seed, false, seed == 1);
        long[] ids = ids(seed);
        assertArrayEquals(
            expected(kernel, ids), kernel.run(CUDA, Indices.UNKNOWN, ids), 1e-4f, policy.name());
      }
    }
  }

  /** Somebody vouches for them, and is wrong: nobody is told, and still none is used. */
  @ParameterizedTest
  @EnumSource
  void a_promise_that_is_broken_leads_nowhere_else(Kernel kernel) {
    long[] ids = ids(3);
    assertArrayEquals(expected(kernel, ids), kernel.run(CUDA, LIMIT, ids), 1e-4f);
  }

  private static final int TOKENS = 300;
  private static final int ROOM = 110;
  private static final int SLOTS = 3 * ROOM;
  private static final int SIZE = 2;

  /** A query's and a key's and a value's head of each token, and where they go. */
  private record Update(long[] positions, long[] slots, boolean coded, boolean isPromised) {
    static Update fine(boolean coded) {
      long[] slots = LongStream.range(0, TOKENS).map(i -> (i * 7 + 3) % SLOTS).toArray();
      return new Update(new long[TOKENS], slots, coded, false);
    }

    Update promised() {
      return new Update(positions, slots, coded, true);
    }

    private Indices indices(Buffer values, long below) {
      return new Indices(
          Operand.of(values, DType.I64, TOKENS), isPromised ? below : Indices.UNKNOWN);
    }

    /** The queries, the keys and the values, of codes their bytes. */
    byte[][] run(String message) {
      float[] x = counted(TOKENS * 3 * SIZE);
      float[] one = new float[LIMIT];
      Arrays.fill(one, 1);
      int bytes = SLOTS * SIZE * (coded ? 1 : Float.BYTES);
      byte[][] result = {new byte[TOKENS * SIZE * Float.BYTES], new byte[bytes], new byte[bytes]};
      try (Buffer qkv = copied(CUDA, MemorySegment.ofArray(x));
          Buffer cosine = copied(CUDA, MemorySegment.ofArray(one));
          Buffer sine = copied(CUDA, MemorySegment.ofArray(new float[LIMIT]));
          Buffer at = copied(CUDA, MemorySegment.ofArray(positions));
          Buffer to = copied(CUDA, MemorySegment.ofArray(slots));
          Buffer query = copied(CUDA, MemorySegment.ofArray(result[0]));
          Buffer keys = copied(CUDA, MemorySegment.ofArray(result[1]));
          Buffer values = copied(CUDA, MemorySegment.ofArray(result[2]));
          Buffer keyScales = copied(CUDA, bytes(4 * SLOTS));
          Buffer valueScales = copied(CUDA, bytes(4 * SLOTS))) {
        DType dtype = coded ? DType.I8 : DType.F32;
        CUDA.kernels()
            .run(
                new RotaryCacheUpdate(
                    Operand.of(qkv, DType.F32, TOKENS, 3 * SIZE),
                    Operand.of(cosine, DType.F32, LIMIT, 1),
                    Operand.of(sine, DType.F32, LIMIT, 1),
                    indices(at, LIMIT),
                    false,
                    indices(to, SLOTS),
                    Operand.of(query, DType.F32, TOKENS, 1, SIZE),
                    Operand.of(keys, dtype, 3, ROOM, 1, SIZE),
                    Operand.of(values, dtype, 3, ROOM, 1, SIZE),
                    coded
                        ? new CacheScales(
                            Operand.of(keyScales, DType.F32, 3, ROOM, 1),
                            Operand.of(valueScales, DType.F32, 3, ROOM, 1))
                        : null));
        if (message != null) {
          assertEquals(
              "rotary_cache_update: " + message,
              assertThrows(
                      IllegalArgumentException.class, () -> CUDA.memory().read(query, 0, bytes(1)))
                  .getMessage());
        }
        CUDA.memory().read(query, 0, MemorySegment.ofArray(result[0]));
        CUDA.memory().read(keys, 0, MemorySegment.ofArray(result[1]));
        CUDA.memory().read(values, 0, MemorySegment.ofArray(result[2]));
      }
      return result;
    }

    void checkNothing(String message) {
      for (Policy policy : Policy.values()) {
        Emulator.set(policy, 5, false, policy == Policy.RANDOM);
        for (byte[] of : run(message)) {
          assertArrayEquals(new byte[of.length], of, message + " by " + policy);
        }
      }
    }
  }

  /** More slots than a block compares: of every kind of mistake the first one is told. */
  @ParameterizedTest
  @ValueSource(booleans = {false, true})
  void an_update_with_a_bad_index_writes_nothing(boolean coded) {
    Update twice = Update.fine(coded);
    twice.slots[290] = twice.slots[3];
    twice.slots[280] = twice.slots[3];
    twice.slots[270] = twice.slots[260];
    twice.slots[299] = twice.slots[298];
    twice.checkNothing(
        "slot %d at 270 is also at 260, expected distinct ones".formatted(twice.slots[260]));
    Update far = Update.fine(coded);
    far.slots[290] = far.slots[3];
    far.checkNothing("slot %d at 290 is also at 3, expected distinct ones".formatted(far.slots[3]));
    Update outside = Update.fine(coded);
    outside.slots[257] = SLOTS;
    outside.slots[70] = -2;
    outside.slots[299] = 1L << 40;
    outside.slots[9] = outside.slots[8];
    outside.checkNothing("slot -2 at 70 is outside of 0 to " + (SLOTS - 1));
    Update late = Update.fine(coded);
    late.positions[266] = LIMIT;
    late.positions[267] = -1;
    late.slots[0] = SLOTS;
    late.slots[2] = late.slots[1];
    late.checkNothing("position %d at 266 is outside of 0 to %d".formatted(LIMIT, LIMIT - 1));
  }

  /** What has no slot, or one that is promised to be none, leaves the others theirs. */
  @ParameterizedTest
  @ValueSource(booleans = {false, true})
  void an_update_by_a_broken_promise_leads_nowhere_else(boolean coded) {
    Update bad = Update.fine(coded).promised();
    bad.positions[7] = LIMIT;
    bad.positions[8] = Long.MIN_VALUE;
    bad.slots[9] = SLOTS;
    bad.slots[10] = -1;
    bad.slots[11] = Long.MAX_VALUE;
    byte[][] fine = Update.fine(coded).run(null);
    byte[][] got = bad.run(null);
    int row = SIZE * Float.BYTES;
    int head = SIZE * (coded ? 1 : Float.BYTES);
    for (int token : new int[] {7, 8}) {
      Arrays.fill(fine[0], token * row, (token + 1) * row, (byte) 0);
    }
    long[] slots = Update.fine(coded).slots;
    for (int token = 7; token < 12; token++) {
      int at = (int) slots[token] * head;
      Arrays.fill(fine[1], at, at + head, (byte) 0);
      Arrays.fill(fine[2], at, at + head, (byte) 0);
    }
    for (int i = 0; i < fine.length; i++) {
      assertArrayEquals(fine[i], got[i], "part " + i);
    }
  }

  /** Of two calls the first is told, though the other's bad index is at an earlier place. */
  @Test
  void the_first_call_is_told() {
    for (Policy policy : Policy.values()) {
      Emulator.set(policy, 1, false, true);
      try (Buffer table = copied(CUDA, MemorySegment.ofArray(counted(6)));
          Buffer late = copied(CUDA, MemorySegment.ofArray(new long[] {0, 1, 7}));
          Buffer early = copied(CUDA, MemorySegment.ofArray(new long[] {9, 1, 0}));
          Buffer y = copied(CUDA, bytes(24))) {
        for (Buffer ids : new Buffer[] {late, early}) {
          // A table of fewer rows, so that these are calls of two kinds.
          Operand rows = Operand.of(table, DType.F32, ids == late ? 3 : 2, 2);
          Indices indices = Indices.unchecked(Operand.of(ids, DType.I64, 3));
          CUDA.kernels().run(new Embedding(rows, indices, false, Operand.of(y, DType.F32, 3, 2)));
        }
        assertEquals(
            "embedding: id 7 at 2 is outside of 0 to 2",
            assertThrows(IllegalArgumentException.class, () -> CUDA.memory().read(y, 0, bytes(1)))
                .getMessage());
      }
    }
  }

  /** A fault that was told is over: the next call has none. */
  @Test
  void what_was_told_is_forgotten() {
    long[] ids = ids(0);
    Kernel.EMBEDDING.run(CUDA, Indices.UNKNOWN, ids);
    long[] good = Arrays.stream(ids).filter(id -> !isBad(id)).toArray();
    assertArrayEquals(
        expected(Kernel.EMBEDDING, good), Kernel.EMBEDDING.run(CUDA, Indices.UNKNOWN, good));
  }
}
