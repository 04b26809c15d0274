package dev.gatun.kernels.cuda;

import static dev.gatun.kernels.cuda.Declarations.DECODE_ROWS;
import static dev.gatun.kernels.cuda.Declarations.GENERAL_WARPS;
import static dev.gatun.kernels.cuda.Declarations.TILES_QUERIES;
import static dev.gatun.kernels.cuda.Declarations.TILES_SM90A_BOX;
import static dev.gatun.kernels.cuda.Declarations.TILES_SM90A_KEYS;
import static dev.gatun.kernels.cuda.Declarations.TILES_SM90A_QUERIES;

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
import dev.gatun.kernels.cuda.Declarations.Attention;
import dev.gatun.kernels.cuda.IndexChecks.Bound;
import dev.gatun.kernels.cuda.IndexChecks.Message;
import dev.gatun.kernels.cuda.Struct.LongField;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.util.stream.Stream;

/** Chooses the kernel of an attention call. */
final class CudaAttention {
  // Up to so many queries a sequence the reading of keys and values is all that counts.
  private static final int MOST_DECODED = 8;
  // A split of fewer keys than this costs more to join than it gains.
  private static final int LEAST_KEYS = 256;
  private static final long BLOCKS_A_MULTIPROCESSOR = 2;
  // Kernels count the tokens of a sequence in 32 bits, and add to such numbers.
  private static final long MOST_TOKENS = 1 << 30;

  private static final int HOPPER = 90;

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
      arguments.begin(Attention.STRUCT);
      operands(c, arguments);
      facts(c, checked, arguments);
      arguments.end();
      long heads = c.query().size(-2);
      if (onHopper) {
        launcher.launch(
            kernel("attention", c, size) + "_sm90a",
            Math.ceilDiv(c.queryLength(), TILES_SM90A_QUERIES),
            heads,
            c.batch(),
            arguments);
      } else if (size == 0) {
        long shared = 4L * GENERAL_WARPS * (c.query().size(-1) + c.value().size(-1));
        launcher.launch(
            keys.scales() == null ? "attention_general" : "attention_general_codes",
            Math.ceilDiv(c.queryLength(), GENERAL_WARPS),
            heads,
            c.batch(),
            sharedBytes(c, shared),
            arguments);
      } else {
        tensorCores(c, size, arguments);
      }
    }
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
        && c.queryLength() > TILES_SM90A_QUERIES / 2
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
        arguments.tensorMap(map(arena, operand));
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
        CudaMemory.address(operand),
        sizes,
        strides,
        new int[] {TILES_SM90A_BOX, 1, TILES_SM90A_KEYS, 1},
        TILES_SM90A_BOX * 2);
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
    String decode = kernel("attention_decode", c, size);
    boolean decoding =
        c.queryLength() <= MOST_DECODED && launcher.sharedBytes(decode) <= sharedMemoryLimit;
    long tiles =
        decoding
            ? Math.ceilDiv(c.queryLength() * (heads / kvHeads), DECODE_ROWS)
            : Math.ceilDiv(c.queryLength(), TILES_QUERIES);
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
        launcher.launch(decode, splits, kvHeads * tiles, c.batch(), arguments);
      } else {
        launcher.launch(
            kernel("attention", c, size),
            tiles * splits,
            heads,
            c.batch(),
            arguments.number(splits));
      }
      launcher.launch(
          "attention_combine", splits == 1 ? 0 : c.queryLength(), heads, c.batch(), 0, combine);
    }
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
    boolean aligned = (CudaMemory.address(operand)) % 16 == 0;
    for (int axis = 0; axis < operand.rank() - 1; axis++) {
      aligned &= operand.size(axis) <= 1 || operand.stride(axis) % 8 == 0;
    }
    return aligned;
  }

  /** What a call reads and writes. */
  static void operands(ScaledDotProductAttention c, Arguments arguments) {
    CacheScales scales = c.keys().scales();
    arguments
        .set(Attention.QUERY, c.query())
        .set(Attention.KEY, c.key())
        .set(Attention.VALUE, c.value())
        .set(Attention.OUTPUT, c.output())
        .set(Attention.LSE, c.lse())
        .set(Attention.WEIGHTS, c.weights())
        .set(Attention.KEY_MASK, c.mask().keys())
        .set(Attention.BIAS, c.scores().bias())
        .set(Attention.SLOPES, c.scores().slopes())
        .set(Attention.SINKS, c.scores().sinks())
        .set(Attention.KEY_SCALES, scales == null ? null : scales.keys())
        .set(Attention.VALUE_SCALES, scales == null ? null : scales.values());
    strides(Attention.QUERY_STRIDES, c.query(), arguments);
    strides(Attention.KEY_STRIDES, c.key(), arguments);
    strides(Attention.VALUE_STRIDES, c.value(), arguments);
    strides(Attention.OUTPUT_STRIDES, c.output(), arguments);
    for (int axis = 0; axis < 4; axis++) {
      long stride = c.scores().bias() == null ? 0 : c.biasStride(axis);
      arguments.set(Attention.BIAS_STRIDES, axis, stride);
    }
  }

  /**
   * What else a call says.
   *
   * @param checked the block table without bad pages, or null where the call's is used
   */
  static void facts(ScaledDotProductAttention c, Buffer checked, Arguments arguments) {
    AttentionKeys keys = c.keys();
    Operand table = keys.blockTable();
    float probability = c.dropout().probability();
    arguments
        .set(Attention.QUERY_OFFSETS, c.queryOffsets() == null ? null : c.queryOffsets().values())
        .set(Attention.KEY_OFFSETS, keys.offsets() == null ? null : keys.offsets().values())
        .set(Attention.KEY_LENGTHS, keys.lengths() == null ? null : keys.lengths().values())
        .set(
            Attention.BLOCK_TABLE,
            checked == null ? CudaMemory.address(table) : CudaMemory.address(checked))
        .set(Attention.BLOCK_TABLE_STRIDE, table == null ? 0 : table.stride(0))
        .set(Attention.PAGE_SIZE, table == null ? 1 : Math.max(1, c.key().size(1)))
        .set(Attention.ROOM, c.key().rank() == 4 ? c.key().size(1) : 0)
        .set(Attention.HEADS, c.query().size(-2))
        .set(Attention.KV_HEADS, Math.max(1, c.key().size(-2)))
        .set(Attention.QUERY_LENGTH, c.queryLength())
        .set(Attention.KEY_LENGTH, c.keyLength())
        .set(Attention.HEAD_SIZE, c.query().size(-1))
        .set(Attention.VALUE_HEAD_SIZE, c.value().size(-1))
        .set(Attention.WINDOW, c.mask().window())
        .set(Attention.SEED, c.dropout().seed())
        .set(Attention.CAUSAL, c.mask().causal().ordinal())
        .set(Attention.DTYPE, CudaKernels.dtype(c.query().dtype()))
        .set(Attention.SCALE, c.scores().scale())
        .set(Attention.SOFTCAP, c.scores().softcap())
        .set(Attention.KEPT, 1 - probability)
        .set(Attention.THRESHOLD, (int) (long) (probability * 0x1p32));
  }

  /** Batch or page, token and head strides; a ragged operand has no batch axis. */
  static void strides(LongField field, Operand operand, Arguments arguments) {
    arguments
        .set(field, 0, operand.rank() == 4 ? operand.stride(0) : 0)
        .set(field, 1, operand.stride(-3))
        .set(field, 2, operand.stride(-2));
  }
}
