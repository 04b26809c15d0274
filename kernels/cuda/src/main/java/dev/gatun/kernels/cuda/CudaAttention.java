package dev.gatun.kernels.cuda;

import dev.gatun.bindings.cuda.CudaTensorMap;
import dev.gatun.kernels.api.call.KernelCall;
import dev.gatun.kernels.api.call.attention.AttentionBackward;
import dev.gatun.kernels.api.call.attention.AttentionCall;
import dev.gatun.kernels.api.call.attention.AttentionKeys;
import dev.gatun.kernels.api.call.attention.CacheScales;
import dev.gatun.kernels.api.call.attention.DisentangledBias;
import dev.gatun.kernels.api.call.attention.RotaryCacheUpdate;
import dev.gatun.kernels.api.call.attention.RotaryEmbedding;
import dev.gatun.kernels.api.call.attention.ScaledDotProductAttention;
import dev.gatun.kernels.api.memory.Buffer;
import dev.gatun.kernels.api.memory.DType;
import dev.gatun.kernels.api.memory.Operand;
import dev.gatun.kernels.cuda.IndexChecks.Bound;
import dev.gatun.kernels.cuda.IndexChecks.Message;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.util.stream.Stream;

/** Chooses the kernel of an attention call. */
final class CudaAttention {
  private static final int WARPS = 4;
  private static final int QUERIES = 64;
  // Up to so many queries a sequence the reading of keys and values is all that counts.
  private static final int MOST_DECODED = 8;
  private static final int DECODE_ROWS = 16;
  private static final int DECODE_KEYS = 16;
  // A split of fewer keys than this costs more to join than it gains.
  private static final int LEAST_KEYS = 256;
  private static final long BLOCKS_A_MULTIPROCESSOR = 2;
  // Kernels count the tokens of a sequence in 32 bits, and add to such numbers.
  private static final long MOST_TOKENS = 1 << 30;

  // The kernels of compute capability 9.0: queries of a block, tokens and elements of the copy
  // engine's boxes, tiles of queries, and of two stages of keys and values, behind 1 KB of
  // barriers.
  private static final int HOPPER = 90;
  private static final int HOPPER_QUERIES = 128;
  private static final int HOPPER_TOKENS = 128;
  private static final int HOPPER_BOX = 64;
  private static final int HOPPER_TILES = 5;

  private final boolean hopper;
  private final Launcher launcher;
  private final IndexChecks checks;
  private final CudaMemory memory;
  private final int multiprocessors;
  private final int sharedMemoryLimit;
  private final CudaDisentangledBias disentangledBias;
  private final CudaRotary rotary;
  private final CudaAttentionGradients gradients;

  CudaAttention(Launcher launcher, CudaMemory memory, IndexChecks checks) {
    this.memory = memory;
    this.hopper = launcher.context().computeCapability() == HOPPER;
    this.multiprocessors = launcher.multiprocessors();
    this.sharedMemoryLimit = launcher.context().sharedMemoryLimit();
    this.launcher = launcher;
    this.checks = checks;
    this.disentangledBias = new CudaDisentangledBias(launcher);
    this.rotary = new CudaRotary(launcher, memory, checks);
    this.gradients = new CudaAttentionGradients(launcher, memory);
  }

  void run(AttentionCall call) {
    switch (call) {
      case ScaledDotProductAttention c -> attention(c);
      case AttentionBackward c -> gradients.run(c);
      case DisentangledBias c -> disentangledBias.run(c);
      case RotaryEmbedding c -> rotary.run(c);
      case RotaryCacheUpdate c -> rotary.run(c);
    }
  }

  private void attention(ScaledDotProductAttention c) {
    checkLength(c, "queries", c.queryLength());
    checkLength(c, "keys", c.keyLength());
    AttentionKeys keys = c.keys();
    try (Buffer checked = checkedPages(c)) {
      int size = tile(c);
      boolean onHopper = hopper && (size == 64 || size == 128) && fitsHopper(c);
      Arguments arguments = launcher.arguments();
      if (onHopper) {
        maps(c, arguments);
      }
      arguments.begin();
      operands(c, arguments);
      sequences(c, checked, arguments);
      sizes(c, arguments);
      long heads = c.query().size(-2);
      if (onHopper) {
        launcher.launch(
            kernel("attention", c, size) + "_sm90a",
            Math.ceilDiv(c.queryLength(), HOPPER_QUERIES),
            heads,
            c.batch(),
            1024 + HOPPER_TILES * HOPPER_TOKENS * 2 * size,
            arguments.end());
      } else if (size == 0) {
        long shared = 4L * WARPS * (c.query().size(-1) + c.value().size(-1));
        launcher.launch(
            keys.scales() == null ? "attention_general" : "attention_general_codes",
            Math.ceilDiv(c.queryLength(), WARPS),
            heads,
            c.batch(),
            sharedBytes(c, shared),
            arguments.end());
      } else {
        tensorCores(c, size, arguments.end());
      }
    }
  }

  /** Where sequences begin, and the pages of their keys: in the table that was checked, if any. */
  private static void sequences(ScaledDotProductAttention c, Buffer checked, Arguments arguments) {
    AttentionKeys keys = c.keys();
    arguments.operand(c.queryOffsets() == null ? null : c.queryOffsets().values());
    arguments.operand(keys.offsets() == null ? null : keys.offsets().values());
    arguments.operand(keys.lengths() == null ? null : keys.lengths().values());
    if (checked == null) {
      arguments.operand(keys.blockTable());
    } else {
      arguments.address(CudaMemory.address(checked));
    }
  }

  /** The same where there are no pages to check. */
  static void sequences(ScaledDotProductAttention c, Arguments arguments) {
    sequences(c, null, arguments);
  }

  static void checkLength(KernelCall c, String what, long length) {
    if (length > MOST_TOKENS) {
      throw new IllegalArgumentException(
          "%s: a sequence of %d %s, CUDA's kernels take up to %d"
              .formatted(c.kernel(), length, what, MOST_TOKENS));
    }
  }

  /**
   * The block table with no page in it that the cache has not; null where there is no table, or its
   * pages are known to be right.
   */
  private Buffer checkedPages(ScaledDotProductAttention c) {
    Operand table = c.keys().blockTable();
    if (table == null || table.isEmpty() || !c.keys().pages().isUnknown()) {
      return null;
    }
    long pages = c.key().size(0);
    long width = table.size(1);
    Buffer checked =
        memory.allocate(Integer.BYTES * (table.stride(0) * (table.size(0) - 1) + width));
    Bound bound =
        new Bound(
            new Message("page %1$d at %3$d of sequence %2$d is outside of 0 to " + (pages - 1)),
            false);
    Arguments arguments =
        launcher
            .arguments()
            .operand(table)
            .address(CudaMemory.address(checked))
            .operand(c.keys().lengths().values())
            .numbers(table.stride(0), width, Math.max(1, c.key().size(1)), pages);
    launcher.launch("checked_pages", table.size(0), 1, 1, 0, checks.report(arguments, c, bound));
    return checked;
  }

  /** Whether it has enough queries, and nothing that is added to scores or hides single keys. */
  private static boolean fitsHopper(ScaledDotProductAttention c) {
    boolean plain =
        c.scores().bias() == null
            && c.scores().slopes() == null
            && c.scores().softcap() == 0
            && c.mask().keys() == null
            && c.scores().scale() > 0
            && c.dropout().probability() == 0
            && !c.keys().isPaged();
    return plain
        && c.keys().scales() == null
        && c.queryLength() > HOPPER_QUERIES / 2
        && Stream.of(c.query(), c.key(), c.value()).allMatch(CudaAttention::isMapped);
  }

  /** Whether the copy engine can find its rows: none is empty, none is another's. */
  private static boolean isMapped(Operand operand) {
    boolean mapped = operand.count() > 0;
    for (int axis = 0; axis < operand.rank() - 1; axis++) {
      mapped &= operand.size(axis) == 1 || operand.stride(axis) > 0;
    }
    return mapped;
  }

  private static void maps(ScaledDotProductAttention c, Arguments arguments) {
    try (Arena arena = Arena.ofConfined()) {
      for (Operand operand : new Operand[] {c.query(), c.key(), c.value()}) {
        arguments.bytes(map(arena, operand));
      }
    }
  }

  /**
   * [batch, tokens, heads, head size], the last one innermost; a ragged operand is of one batch.
   */
  private static MemorySegment map(Arena arena, Operand operand) {
    boolean padded = operand.rank() == 4;
    long[] sizes = {
      operand.size(-1), operand.size(-2), operand.size(-3), padded ? operand.size(0) : 1
    };
    long[] strides = {operand.stride(-2), operand.stride(-3), operand.stride(0)};
    for (int i = 0; i < strides.length; i++) {
      // An axis of one element may have any stride; its own is that of an axis without gaps.
      long natural = i == 0 ? 2 * sizes[0] : strides[i - 1] * sizes[i];
      strides[i] = sizes[i + 1] == 1 ? natural : 2 * strides[i];
    }
    return CudaTensorMap.encode(
        arena,
        operand.dtype() == DType.BF16 ? CudaTensorMap.Element.BF16 : CudaTensorMap.Element.F16,
        CudaMemory.address(operand.buffer()) + operand.byteOffset(),
        sizes,
        strides,
        new int[] {HOPPER_BOX, 1, HOPPER_TOKENS, 1},
        HOPPER_BOX * 2);
  }

  private static String kernel(String name, ScaledDotProductAttention c, int size) {
    return "%s_%s_%d%s"
        .formatted(
            name,
            c.query().dtype() == DType.BF16 ? "bf16" : "f16",
            size,
            c.keys().scales() == null ? "" : "_codes");
  }

  /**
   * By blocks of 64 queries of a head, or of few queries and all heads that share their keys.
   * Splits the keys over blocks until these fill the device, and joins what they found.
   */
  private void tensorCores(ScaledDotProductAttention c, int size, Arguments arguments) {
    long heads = c.query().size(-2);
    long kvHeads = c.key().size(-2);
    boolean decoding = c.queryLength() <= MOST_DECODED && decodeBytes(size) <= sharedMemoryLimit;
    long tiles =
        decoding
            ? Math.ceilDiv(c.queryLength() * (heads / kvHeads), DECODE_ROWS)
            : Math.ceilDiv(c.queryLength(), QUERIES);
    long parts = decoding ? kvHeads : heads;
    long blocks = Math.max(1, tiles * parts * c.batch());
    long wanted = Math.ceilDiv(BLOCKS_A_MULTIPROCESSOR * multiprocessors, blocks);
    long splits = Math.clamp(wanted, 1, Math.max(1, Math.ceilDiv(c.keyLength(), LEAST_KEYS)));
    long rows = splits == 1 ? 0 : c.batch() * heads * c.queryLength() * splits;
    try (Buffer partial = memory.allocate(4 * rows * c.value().size(-1));
        Buffer stats = memory.allocate(8 * rows)) {
      arguments.address(CudaMemory.address(partial)).address(CudaMemory.address(stats));
      Arguments combine = launcher.arguments().copy(arguments).number(splits);
      if (decoding) {
        launcher.launch(
            kernel("attention_decode", c, size),
            splits,
            kvHeads * tiles,
            c.batch(),
            decodeBytes(size),
            arguments);
      } else {
        launcher.launch(
            kernel("attention", c, size),
            tiles * splits,
            heads,
            c.batch(),
            2 * (QUERIES + 2 * (size == 256 ? 32 : 64)) * (size + 8),
            arguments.number(splits));
      }
      launcher.launch(
          "attention_combine", splits == 1 ? 0 : c.queryLength(), heads, c.batch(), 0, combine);
    }
  }

  private static int decodeWarps(int size) {
    return size == 256 ? 2 : 4;
  }

  /** The queries, two stages of keys and values a warp, and a maximum and a total a row. */
  private static int decodeBytes(int size) {
    int row = 2 * (size + 8);
    int warp = 2 * 2 * DECODE_KEYS * row + 2 * 4 * DECODE_ROWS;
    return DECODE_ROWS * row + decodeWarps(size) * warp;
  }

  private int sharedBytes(ScaledDotProductAttention c, long bytes) {
    if (bytes > sharedMemoryLimit) {
      throw new IllegalArgumentException(
          "%s: head sizes %d and %d need %d bytes of shared memory, the device has %d"
              .formatted(
                  c.kernel(), c.query().size(-1), c.value().size(-1), bytes, sharedMemoryLimit));
    }
    return (int) bytes;
  }

  /** The head size of the tensor cores' kernel that takes a call, 0 for none. */
  private static int tile(ScaledDotProductAttention c) {
    long size = c.query().size(-1);
    long width = c.value().size(-1);
    long larger = Math.max(size, width);
    boolean fits =
        c.query().dtype() != DType.F32
            && c.weights() == null
            && size > 0
            && size % 8 == 0
            && width % 8 == 0
            && larger <= 256
            && Stream.of(c.query(), c.key(), c.value(), c.output())
                .allMatch(CudaAttention::aligned);
    return !fits ? 0 : larger <= 64 ? 64 : larger <= 128 ? 128 : 256;
  }

  private static boolean aligned(Operand operand) {
    boolean aligned = (CudaMemory.address(operand.buffer()) + operand.byteOffset()) % 16 == 0;
    for (int axis = 0; axis < operand.rank() - 1; axis++) {
      aligned &= operand.size(axis) <= 1 || operand.stride(axis) % 8 == 0;
    }
    return aligned;
  }

  static void operands(ScaledDotProductAttention c, Arguments arguments) {
    arguments.operand(c.query()).operand(c.key()).operand(c.value()).operand(c.output());
    arguments.operand(c.lse()).operand(c.weights()).operand(c.mask().keys());
    arguments.operand(c.scores().bias()).operand(c.scores().slopes()).operand(c.scores().sinks());
    CacheScales scales = c.keys().scales();
    arguments.operand(scales == null ? null : scales.keys());
    arguments.operand(scales == null ? null : scales.values());
  }

  static void sizes(ScaledDotProductAttention c, Arguments arguments) {
    strides(c.query(), arguments);
    strides(c.key(), arguments);
    strides(c.value(), arguments);
    strides(c.output(), arguments);
    for (int axis = 0; axis < 4; axis++) {
      arguments.number(c.scores().bias() == null ? 0 : c.biasStride(axis));
    }
    numbers(c, arguments);
  }

  /** What follows the strides. */
  static void numbers(ScaledDotProductAttention c, Arguments arguments) {
    Operand table = c.keys().blockTable();
    arguments.number(table == null ? 0 : table.stride(0));
    arguments.number(table == null ? 1 : Math.max(1, c.key().size(1)));
    arguments.number(c.key().rank() == 4 ? c.key().size(1) : 0);
    arguments.numbers(c.query().size(-2), Math.max(1, c.key().size(-2)));
    arguments.numbers(c.queryLength(), c.keyLength(), c.query().size(-1), c.value().size(-1));
    arguments.numbers(c.mask().window(), c.dropout().seed());
    arguments.integer(c.mask().causal().ordinal()).integer(CudaKernels.dtype(c.query().dtype()));
    arguments.real(c.scores().scale()).real(c.scores().softcap());
    float probability = c.dropout().probability();
    arguments.real(1 - probability).integer((int) (long) (probability * 0x1p32));
  }

  /** Batch or page, token and head strides; a ragged operand has no batch axis. */
  static void strides(Operand operand, Arguments arguments) {
    arguments.number(operand.rank() == 4 ? operand.stride(0) : 0);
    arguments.numbers(operand.stride(-3), operand.stride(-2));
  }
}
