package dev.gatun.bindings.cpu;

import dev.gatun.bindings.generated.cpu.gatun_attention;
import java.lang.foreign.MemorySegment;

/**
 * The arguments of attention: the fields of {@code gatun_attention}, whose meaning the header
 * gives. What is not set is null or 0.
 */
public final class CpuAttention {
  public MemorySegment query = MemorySegment.NULL;
  public MemorySegment key = MemorySegment.NULL;
  public MemorySegment value = MemorySegment.NULL;
  public MemorySegment output = MemorySegment.NULL;
  public MemorySegment lse = MemorySegment.NULL;
  public MemorySegment weights = MemorySegment.NULL;
  public MemorySegment queryOffsets = MemorySegment.NULL;
  public MemorySegment keyOffsets = MemorySegment.NULL;
  public MemorySegment keyLengths = MemorySegment.NULL;
  public MemorySegment blockTable = MemorySegment.NULL;
  public MemorySegment keyMask = MemorySegment.NULL;
  public MemorySegment bias = MemorySegment.NULL;
  public MemorySegment alibi = MemorySegment.NULL;
  public MemorySegment sinks = MemorySegment.NULL;
  public MemorySegment keyScales = MemorySegment.NULL;
  public MemorySegment valueScales = MemorySegment.NULL;
  public final long[] queryStrides = new long[3];
  public final long[] keyStrides = new long[3];
  public final long[] valueStrides = new long[3];
  public final long[] outputStrides = new long[3];
  public final long[] biasStrides = new long[4];
  public long batch;
  public long heads;
  public long kvHeads;
  public long queryLength;
  public long keyLength;
  public long headSize;
  public long valueHeadSize;
  public long blockTableStride;
  public long pageSize;
  public long room;
  public long window;
  public long seed;
  public float scale;
  public float softcap;
  public float dropout;
  public int causal;
  public int dtype;

  /** Writes all of it to native memory. */
  void write(MemorySegment args) {
    gatun_attention.query(args, query);
    gatun_attention.key(args, key);
    gatun_attention.value(args, value);
    gatun_attention.output(args, output);
    gatun_attention.lse(args, lse);
    gatun_attention.weights(args, weights);
    gatun_attention.query_offsets(args, queryOffsets);
    gatun_attention.key_offsets(args, keyOffsets);
    gatun_attention.key_lengths(args, keyLengths);
    gatun_attention.block_table(args, blockTable);
    gatun_attention.key_mask(args, keyMask);
    gatun_attention.bias(args, bias);
    gatun_attention.alibi(args, alibi);
    gatun_attention.sinks(args, sinks);
    gatun_attention.key_scales(args, keyScales);
    gatun_attention.value_scales(args, valueScales);
    for (int i = 0; i < 3; i++) {
      gatun_attention.query_strides(args, i, queryStrides[i]);
    }
    for (int i = 0; i < 3; i++) {
      gatun_attention.key_strides(args, i, keyStrides[i]);
    }
    for (int i = 0; i < 3; i++) {
      gatun_attention.value_strides(args, i, valueStrides[i]);
    }
    for (int i = 0; i < 3; i++) {
      gatun_attention.output_strides(args, i, outputStrides[i]);
    }
    for (int i = 0; i < 4; i++) {
      gatun_attention.bias_strides(args, i, biasStrides[i]);
    }
    gatun_attention.batch(args, batch);
    gatun_attention.heads(args, heads);
    gatun_attention.kv_heads(args, kvHeads);
    gatun_attention.query_length(args, queryLength);
    gatun_attention.key_length(args, keyLength);
    gatun_attention.head_size(args, headSize);
    gatun_attention.value_head_size(args, valueHeadSize);
    gatun_attention.block_table_stride(args, blockTableStride);
    gatun_attention.page_size(args, pageSize);
    gatun_attention.room(args, room);
    gatun_attention.window(args, window);
    gatun_attention.seed(args, seed);
    gatun_attention.scale(args, scale);
    gatun_attention.softcap(args, softcap);
    gatun_attention.dropout(args, dropout);
    gatun_attention.causal(args, causal);
    gatun_attention.dtype(args, dtype);
  }
}
