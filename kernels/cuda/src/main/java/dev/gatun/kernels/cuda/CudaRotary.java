package dev.gatun.kernels.cuda;

import static dev.gatun.kernels.cuda.CudaKernels.dtype;

import dev.gatun.kernels.api.call.attention.RotaryCacheUpdate;
import dev.gatun.kernels.api.call.attention.RotaryEmbedding;
import dev.gatun.kernels.api.memory.Buffer;
import dev.gatun.kernels.api.memory.Operand;
import dev.gatun.kernels.cuda.Declarations.CacheUpdate;
import dev.gatun.kernels.cuda.IndexChecks.Bound;
import dev.gatun.kernels.cuda.IndexChecks.Message;

/** Rotary position embedding, alone and with the write into a cache. */
final class CudaRotary {
  private static final int WARP = 32;

  private final Launcher launcher;
  private final CudaMemory memory;
  private final IndexChecks checks;

  CudaRotary(Launcher launcher, CudaMemory memory, IndexChecks checks) {
    this.launcher = launcher;
    this.memory = memory;
    this.checks = checks;
  }

  void run(RotaryEmbedding c) {
    Operand x = c.x();
    Operand y = c.y();
    int lanes = Vectors.lanes(x);
    boolean wide =
        arePieces(c.interleaved(), lanes, c.cosine(), c.sine(), x.size(2))
            && Vectors.haveAlignedRows(x)
            && Vectors.haveAlignedRows(y);
    Arguments arguments =
        launcher
            .arguments()
            .operand(x)
            .operand(c.cosine())
            .operand(c.sine())
            .operand(c.positions().values())
            .operand(y)
            .integer(dtype(x.dtype()))
            .integer(c.interleaved() ? 1 : 0)
            .integer(wide ? 1 : 0)
            .numbers(x.stride(0), y.stride(0), x.size(1), x.size(2))
            .numbers(c.cosine().size(1), c.cosine().size(0));
    launcher.launch(
        "rotary_embedding",
        x.size(0),
        1,
        1,
        0,
        checks.report(arguments, c, Bound.below("position", c.positions(), c.cosine().size(0))));
  }

  void run(RotaryCacheUpdate c) {
    Operand qkv = c.qkv();
    Operand query = c.query();
    Operand key = c.keyCache();
    Operand value = c.valueCache();
    Bound[] bounds = {
      Bound.below("position", c.positions(), c.cosine().size(0)),
      Bound.below("slot", c.slots(), c.slotCount()),
      new Bound(
          new Message("slot %d at %d is also at %d, expected distinct ones"),
          !c.slots().isUnknown())
    };
    // What is recorded was run before.
    boolean known = launcher.isRecording() || !c.positions().isUnknown() && !c.slots().isUnknown();
    try (Buffer bad = known ? null : memory.allocate(Integer.BYTES)) {
      if (bad != null) {
        lookAtIndices(c, CudaMemory.address(bad), bounds);
      }
      Arguments arguments =
          launcher
              .arguments()
              .begin(CacheUpdate.STRUCT)
              .set(CacheUpdate.QKV, qkv)
              .set(CacheUpdate.QUERY, query)
              .set(CacheUpdate.KEY_CACHE, key)
              .set(CacheUpdate.VALUE_CACHE, value)
              .set(CacheUpdate.KEY_ROW, key.stride(0))
              .set(CacheUpdate.KEY_PLACE, key.stride(1))
              .set(CacheUpdate.KEY_HEAD, key.stride(2))
              .set(CacheUpdate.VALUE_ROW, value.stride(0))
              .set(CacheUpdate.VALUE_PLACE, value.stride(1))
              .set(CacheUpdate.VALUE_HEAD, value.stride(2))
              .set(CacheUpdate.QKV_STRIDE, qkv.stride(0))
              .set(CacheUpdate.QUERY_STRIDE, query.stride(0))
              .set(CacheUpdate.HEADS, query.size(1))
              .set(CacheUpdate.KV_HEADS, key.size(2))
              .set(CacheUpdate.HEAD_SIZE, query.size(2))
              .set(CacheUpdate.ROOM, key.size(1))
              .end();
      if (c.scales() != null) {
        arguments.operand(c.scales().keys()).operand(c.scales().values());
      }
      arguments
          .operand(c.cosine())
          .operand(c.sine())
          .operand(c.positions().values())
          .operand(c.slots().values())
          .address(bad == null ? 0 : CudaMemory.address(bad))
          .integer(dtype(qkv.dtype()))
          .integer(c.interleaved() ? 1 : 0);
      if (c.scales() == null) {
        arguments.integer(isWide(c) ? 1 : 0);
      }
      arguments.numbers(c.cosine().size(1), c.cosine().size(0), c.slotCount());
      launcher.launch(
          c.scales() == null ? "rotary_cache_update" : "rotary_cache_update_codes",
          qkv.size(0),
          1,
          1,
          c.scales() == null ? 0 : sharedBytes(c),
          checks.report(arguments, c, bounds));
    }
  }

  /** Whether all of it is cut into pieces of 16 bytes. */
  private static boolean isWide(RotaryCacheUpdate c) {
    return arePieces(
            c.interleaved(), Vectors.lanes(c.qkv()), c.cosine(), c.sine(), c.query().size(2))
        && Vectors.haveAlignedRows(c.qkv())
        && Vectors.haveAlignedRows(c.query())
        && Vectors.haveAlignedHeads(c.keyCache())
        && Vectors.haveAlignedHeads(c.valueCache());
  }

  /** A head's numbers for each warp. */
  private int sharedBytes(RotaryCacheUpdate c) {
    long warps = launcher.threads("rotary_cache_update_codes") / WARP;
    long bytes = Float.BYTES * warps * c.query().size(2);
    if (bytes > launcher.context().sharedMemoryLimit()) {
      throw new IllegalArgumentException(
          "%s: a head size of %d needs %d bytes of shared memory, the device has %d"
              .formatted(
                  c.kernel(), c.query().size(2), bytes, launcher.context().sharedMemoryLimit()));
    }
    return (int) bytes;
  }

  /** Before anything is written. */
  private void lookAtIndices(RotaryCacheUpdate c, long bad, Bound[] bounds) {
    launcher.stream().fill(bad, 0, Integer.BYTES);
    long tokens = c.slots().values().size(0);
    long blocks = Math.ceilDiv(tokens, (long) launcher.threads("rotary_cache_indices"));
    Arguments arguments =
        launcher
            .arguments()
            .operand(c.positions().values())
            .operand(c.slots().values())
            .number(tokens)
            .address(bad)
            .numbers(c.cosine().size(0), c.slotCount());
    launcher.launch("rotary_cache_indices", blocks, blocks, 1, checks.report(arguments, c, bounds));
  }

  /** Whether heads and their pairs are cut into pieces of 16 bytes, and their angles with them. */
  private static boolean arePieces(
      boolean interleaved, int lanes, Operand cosine, Operand sine, long headSize) {
    long pairs = cosine.size(1);
    return headSize % lanes == 0
        && (interleaved ? 2 * pairs : pairs) % lanes == 0
        && Vectors.areAligned(cosine, sine);
  }
}
