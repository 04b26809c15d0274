package dev.gatun.test.contract.suites;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.gatun.kernels.api.call.KernelCall;
import dev.gatun.kernels.api.call.attention.AttentionKeys;
import dev.gatun.kernels.api.call.attention.AttentionMask;
import dev.gatun.kernels.api.call.attention.AttentionScores;
import dev.gatun.kernels.api.call.attention.CacheScales;
import dev.gatun.kernels.api.call.attention.Causal;
import dev.gatun.kernels.api.call.attention.DisentangledBias;
import dev.gatun.kernels.api.call.attention.Dropout;
import dev.gatun.kernels.api.call.attention.RotaryCacheUpdate;
import dev.gatun.kernels.api.call.attention.RotaryEmbedding;
import dev.gatun.kernels.api.call.attention.ScaledDotProductAttention;
import dev.gatun.kernels.api.call.elementwise.Activate;
import dev.gatun.kernels.api.call.elementwise.Activation;
import dev.gatun.kernels.api.call.elementwise.BinaryOp;
import dev.gatun.kernels.api.call.elementwise.Compare;
import dev.gatun.kernels.api.call.elementwise.Comparison;
import dev.gatun.kernels.api.call.elementwise.Elementwise;
import dev.gatun.kernels.api.call.elementwise.GatedActivation;
import dev.gatun.kernels.api.call.elementwise.Unary;
import dev.gatun.kernels.api.call.elementwise.UnaryOp;
import dev.gatun.kernels.api.call.elementwise.Where;
import dev.gatun.kernels.api.call.indexing.Copy;
import dev.gatun.kernels.api.call.indexing.Embedding;
import dev.gatun.kernels.api.call.indexing.IndexAdd;
import dev.gatun.kernels.api.call.indexing.IndexSelect;
import dev.gatun.kernels.api.call.indexing.PackedEmbedding;
import dev.gatun.kernels.api.call.indexing.ScatterRows;
import dev.gatun.kernels.api.call.loss.CrossEntropy;
import dev.gatun.kernels.api.call.matmul.ActivationCodes;
import dev.gatun.kernels.api.call.matmul.BatchedMatmul;
import dev.gatun.kernels.api.call.matmul.Matmul;
import dev.gatun.kernels.api.call.matmul.MatmulPack;
import dev.gatun.kernels.api.call.matmul.TokenCodes;
import dev.gatun.kernels.api.call.norm.L2Normalize;
import dev.gatun.kernels.api.call.norm.LayerNorm;
import dev.gatun.kernels.api.call.norm.RmsNorm;
import dev.gatun.kernels.api.call.norm.Softmax;
import dev.gatun.kernels.api.call.reduction.ArgMax;
import dev.gatun.kernels.api.call.reduction.Pool;
import dev.gatun.kernels.api.call.reduction.PoolingMode;
import dev.gatun.kernels.api.call.reduction.Reduce;
import dev.gatun.kernels.api.call.reduction.Reduction;
import dev.gatun.kernels.api.call.reduction.Sample;
import dev.gatun.kernels.api.call.reduction.Scan;
import dev.gatun.kernels.api.call.reduction.ScanOp;
import dev.gatun.kernels.api.call.reduction.TopK;
import dev.gatun.kernels.api.device.Backend;
import dev.gatun.kernels.api.memory.Buffer;
import dev.gatun.kernels.api.memory.DType;
import dev.gatun.kernels.api.memory.Indices;
import dev.gatun.kernels.api.memory.Lengths;
import dev.gatun.kernels.api.memory.Offsets;
import dev.gatun.kernels.api.memory.Operand;
import dev.gatun.test.contract.frame.Subjects;
import java.lang.foreign.MemorySegment;
import java.util.List;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;

/** Each bad argument is refused before any native call, by a message with its numbers. */
final class BadArgumentsTest {
  private static final Backend CPU = Subjects.CPU;
  private static final Buffer BUFFER = CPU.memory().allocate(1 << 16);
  private static final Buffer OTHER = CPU.memory().allocate(1 << 16);
  private static final Operand Y = of(OTHER, 4, 8);
  private static final Operand X = of(BUFFER, 4, 8);
  private static final Operand FLAGS = Operand.of(OTHER, DType.BOOL, 4, 8);

  @AfterAll
  static void close() {
    BUFFER.close();
    OTHER.close();
  }

  /** Codes at the begin of what Y lies in. */
  private static TokenCodes codes(long rows, long columns) {
    Operand scales = new Operand(OTHER, 1024, DType.F32, new long[] {rows}, new long[] {1});
    return new TokenCodes(
        Operand.of(OTHER, DType.I8, rows, columns), new ActivationCodes(scales, null), false);
  }

  private static final long[] OVERLAPPING = {64, 4, 8, 1};

  /** What makes a call. */
  private interface Making {
    KernelCall make();
  }

  private static Operand of(Buffer buffer, long... shape) {
    return Operand.of(buffer, DType.F32, shape);
  }

  private static Indices ids(long count) {
    return Indices.unchecked(numbers(count));
  }

  private static Operand numbers(long count) {
    return new Operand(BUFFER, 1 << 12, DType.I64, new long[] {count}, new long[] {1});
  }

  /** Offsets of so many sequences. */
  private static Offsets offsets(int sequences, int tokens, int longest) {
    return new Offsets(ints(sequences + 1), tokens, longest);
  }

  private static Lengths lengths(int rows, int longest) {
    return new Lengths(ints(rows), longest);
  }

  private static Operand ints(long count) {
    return new Operand(BUFFER, 1 << 13, DType.I32, new long[] {count}, new long[] {1});
  }

  private static Operand at(Buffer buffer, long offset, long... shape) {
    return new Operand(buffer, offset, DType.F32, shape, Operand.rowMajor(shape));
  }

  private static ScaledDotProductAttention attention(
      Operand query, Operand key, Operand mask, Operand bias, float scale) {
    return new ScaledDotProductAttention(
        query,
        key,
        key,
        of(OTHER, 1, 4, 2, 8),
        null,
        AttentionKeys.PADDED,
        AttentionScores.scaled(scale, bias),
        AttentionMask.of(mask),
        Dropout.NONE,
        null,
        null);
  }

  static Stream<Arguments> calls() {
    Operand query = of(BUFFER, 1, 4, 2, 8);
    Operand key = at(BUFFER, 64, 1, 5, 2, 8);
    return Stream.of(
        bad(
            "operand F32 of shape [4, 100000], strides [100000, 1] at element 0 does not fit a"
                + " buffer of 65536 bytes",
            () -> new Softmax(of(BUFFER, 4, 100_000), false, Y)),
        bad(
            "does not fit a buffer",
            () -> new Softmax(of(BUFFER, Long.MAX_VALUE / 2, 1), false, Y)),
        bad(
            "axis 0 is negative",
            () ->
                new Softmax(
                    new Operand(BUFFER, 0, DType.F32, new long[] {-1, 8}, new long[] {8, 1}),
                    false,
                    Y)),
        bad("softmax: x is missing", () -> new Softmax(null, false, Y)),
        bad(
            "softmax: x is I64[4, 8], expected F32",
            () -> new Softmax(Operand.of(BUFFER, DType.I64, 4, 8), false, Y)),
        bad("softmax: x is F32[8], expected 2 axes", () -> new Softmax(of(BUFFER, 8), false, Y)),
        bad(
            "softmax: y is F32[4, 8], expected shape [4, 9]",
            () -> new Softmax(of(BUFFER, 4, 9), false, Y)),
        bad(
            "softmax: x F32[4, 8] has strides [9, 1], expected row-major without gaps",
            () ->
                new Softmax(
                    new Operand(BUFFER, 0, DType.F32, new long[] {4, 8}, new long[] {9, 1}),
                    false,
                    Y)),
        bad(
            "softmax: output F32[4, 8] overlaps input F32[4, 8] in memory",
            () -> new Softmax(X, false, at(BUFFER, 8, 4, 8))),
        bad("activation: activation is missing", () -> new Activate(X, null, Y)),
        bad("unary: op is missing", () -> new Unary(X, null, Y)),
        bad(
            "unary: y is I64[4, 8], expected F32, BF16 or F16",
            () -> new Unary(X, UnaryOp.EXP, Operand.of(OTHER, DType.I64, 4, 8))),
        bad(
            "unary: x is BF16[4, 8], expected F32",
            () -> new Unary(Operand.of(BUFFER, DType.BF16, 4, 8), UnaryOp.EXP, Y)),
        bad(
            "unary: x is F32[3, 8], cannot be broadcast to y F32[4, 8]",
            () -> new Unary(at(BUFFER, 64, 3, 8), UnaryOp.EXP, Y)),
        bad("compare: comparison is missing", () -> new Compare(X, X, null, FLAGS)),
        bad("compare: y is F32[4, 8], expected BOOL", () -> new Compare(X, X, Comparison.LESS, Y)),
        bad("where: condition is F32[4, 8], expected BOOL or U8", () -> new Where(X, X, X, Y)),
        bad(
            "where: b is F32[3, 8], cannot be broadcast to y F32[4, 8]",
            () -> new Where(FLAGS, X, at(BUFFER, 64, 3, 8), Y)),
        bad(
            "scan: op is missing",
            () -> new Scan(at(BUFFER, 0, 1, 4, 8), null, at(OTHER, 0, 1, 4, 8))),
        bad(
            "scan: y is F32[4, 8], expected 3 axes",
            () -> new Scan(at(BUFFER, 0, 1, 4, 8), ScanOp.SUM, Y)),
        bad("elementwise: op is missing", () -> new Elementwise(X, X, null, Y)),
        bad("elementwise: a is missing", () -> new Elementwise(null, X, BinaryOp.ADD, Y)),
        bad(
            "elementwise: y is I64[4, 8], expected F32, BF16 or F16",
            () -> new Elementwise(X, X, BinaryOp.ADD, Operand.of(OTHER, DType.I64, 4, 8))),
        bad(
            "elementwise: b is BF16[4, 8], expected F32",
            () -> new Elementwise(X, Operand.of(BUFFER, DType.BF16, 4, 8), BinaryOp.ADD, Y)),
        bad(
            "elementwise: b is F32[3, 8], cannot be broadcast to y F32[4, 8]",
            () -> new Elementwise(X, at(BUFFER, 64, 3, 8), BinaryOp.ADD, Y)),
        bad(
            "elementwise: a is F32[1, 4, 8], cannot be broadcast to y F32[4, 8]",
            () -> new Elementwise(of(BUFFER, 1, 4, 8), X, BinaryOp.ADD, Y)),
        bad(
            "elementwise: y is F32[1, 1, 1, 1, 1, 1, 1], expected at most 6 axes",
            () -> new Elementwise(X, X, BinaryOp.ADD, of(OTHER, 1, 1, 1, 1, 1, 1, 1))),
        bad(
            "elementwise: y F32[4, 8] has strides [0, 1], expected no two elements at one place",
            () ->
                new Elementwise(
                    X,
                    X,
                    BinaryOp.ADD,
                    new Operand(OTHER, 0, DType.F32, new long[] {4, 8}, new long[] {0, 1}))),
        bad(
            "elementwise: output F32[4, 8] overlaps input F32[4, 8] in memory",
            () -> new Elementwise(X, at(BUFFER, 8, 4, 8), BinaryOp.ADD, X)),
        bad(
            "layer_norm: eps is -1.0, expected 0 or more",
            () -> new LayerNorm(X, null, null, null, -1, Y, null)),
        bad("layer_norm: y is missing", () -> new LayerNorm(X, null, null, null, 0, null, null)),
        bad(
            "layer_norm: codes is I8[4, 7], expected shape [4, 8]",
            () -> new LayerNorm(X, null, null, null, 0, Y, null, codes(4, 7))),
        bad(
            "layer_norm: outputs F32[4, 8] and I8[4, 8] overlap in memory",
            () -> new LayerNorm(X, null, null, null, 0, Y, null, codes(4, 8))),
        bad(
            "rms_norm: codes is I8[5, 8], expected shape [4, 8]",
            () -> new RmsNorm(X, null, of(BUFFER, 8), 0, 0, Y, null, codes(5, 8))),
        bad(
            "layer_norm: eps is NaN, expected 0 or more",
            () -> new LayerNorm(X, null, null, null, Float.NaN, Y, null)),
        bad(
            "layer_norm: weight is F32[9], expected shape [8]",
            () -> new LayerNorm(X, null, at(BUFFER, 64, 9), null, 0, Y, null)),
        bad(
            "layer_norm: outputs F32[4, 8] and F32[4, 8] overlap in memory",
            () -> new LayerNorm(X, null, null, null, 0, Y, Y)),
        bad(
            "layer_norm: weight is F16[8], expected F32 or BF16",
            () -> {
              Operand x = Operand.of(BUFFER, DType.BF16, 4, 8);
              Operand weight = Operand.of(BUFFER, DType.F16, 8);
              return new LayerNorm(
                  x, null, weight, null, 0, Operand.of(OTHER, DType.BF16, 4, 8), null);
            }),
        bad(
            "layer_norm: y is F32[4, 8], expected BF16",
            () ->
                new LayerNorm(Operand.of(BUFFER, DType.BF16, 4, 8), null, null, null, 0, Y, null)),
        bad(
            "layer_norm: bias is F32[8], expected BF16 as the weight",
            () -> {
              Operand x = Operand.of(BUFFER, DType.BF16, 4, 8);
              Operand weight = Operand.of(BUFFER, DType.BF16, 8);
              return new LayerNorm(
                  x, null, weight, of(BUFFER, 8), 0, Operand.of(OTHER, DType.BF16, 4, 8), null);
            }),
        bad(
            "rms_norm: residual is F32[4, 8], expected F16",
            () -> {
              Operand x = Operand.of(BUFFER, DType.F16, 4, 8);
              Operand y = Operand.of(OTHER, DType.F16, 4, 8);
              return new RmsNorm(x, X, of(BUFFER, 8), 0, 0, y, null);
            }),
        bad(
            "gated_activation: up is BF16[4, 8], expected F32",
            () -> new GatedActivation(X, Operand.of(BUFFER, DType.BF16, 4, 8), Activation.SILU, Y)),
        bad(
            "embedding: y is BF16[3, 8], expected F32",
            () -> new Embedding(X, ids(3), false, Operand.of(OTHER, DType.BF16, 3, 8))),
        bad(
            "packed_embedding: packed is F32[4, 8], expected 1 axes",
            () -> new PackedEmbedding(X, 4, ids(3), false, of(OTHER, 3, 8))),
        bad(
            "packed_embedding: packed is F32[255], expected shape [256]",
            () -> new PackedEmbedding(of(BUFFER, 255), 32, ids(3), false, of(OTHER, 3, 8))),
        bad(
            "packed_embedding: rows is -1, expected 0 or more",
            () -> new PackedEmbedding(of(BUFFER, 256), -1, ids(3), false, of(OTHER, 3, 8))),
        bad(
            "packed_embedding: y is F32[4, 8], expected shape [3, 8]",
            () -> new PackedEmbedding(of(BUFFER, 256), 32, ids(3), false, Y)),
        bad("l2_normalize: eps is -0.5", () -> new L2Normalize(X, -0.5f, Y)),
        bad(
            "matmul: packed is F32[8], expected shape [256]",
            () -> new Matmul(X, at(BUFFER, 64, 8), null, Activation.NONE, Y)),
        bad(
            "matmul: y F32[4, 8] has overlapping rows, stride 4",
            () ->
                new Matmul(
                    X,
                    at(BUFFER, 64, 256),
                    null,
                    Activation.NONE,
                    new Operand(OTHER, 0, DType.F32, new long[] {4, 8}, new long[] {4, 1}))),
        bad(
            "batched_matmul: b is F32[2, 3, 5], expected shape [2, 3, 4]",
            () ->
                new BatchedMatmul(
                    of(BUFFER, 2, 3, 4), at(BUFFER, 64, 2, 3, 5), of(OTHER, 2, 3, 3))),
        bad(
            "embedding: y is F32[4, 8], expected shape [3, 8]",
            () -> new Embedding(X, ids(3), false, Y)),
        bad("scatter_rows: ids is I64[3], expected shape [4]", () -> new ScatterRows(X, ids(3), Y)),
        bad(
            "pool: x is F32[4, 8], expected shape [5, 8]",
            () -> new Pool(X, offsets(2, 5, 3), PoolingMode.MEAN, of(OTHER, 2, 8))),
        bad("reduce: x is F32[4, 8], expected 3 axes", () -> new Reduce(X, Reduction.SUM, Y)),
        bad(
            "reduce: y is F32[4, 8], expected shape [4, 2]",
            () -> new Reduce(of(BUFFER, 4, 8, 2), Reduction.SUM, Y)),
        bad(
            "reduce: y is F16[4, 2], expected F32 or BF16",
            () ->
                new Reduce(
                    Operand.of(BUFFER, DType.BF16, 4, 8, 2),
                    Reduction.SUM,
                    Operand.of(OTHER, DType.F16, 4, 2))),
        bad(
            "reduce: x is F32[4, 0, 2], there is no MEAN of nothing",
            () -> new Reduce(of(BUFFER, 4, 0, 2), Reduction.MEAN, of(OTHER, 4, 2))),
        bad("reduce: reduction is missing", () -> new Reduce(of(BUFFER, 4, 8, 2), null, Y)),
        bad(
            "argmax: x is F32[4, 0], expected at least one column",
            () -> new ArgMax(of(BUFFER, 4, 0), Operand.of(OTHER, DType.I64, 4))),
        bad("argmax: y is F32[4], expected I64", () -> new ArgMax(X, of(OTHER, 4))),
        bad(
            "sample: x is F32[4, 0], expected 1 to 4194304 columns",
            () -> new Sample(of(BUFFER, 4, 0), of(OTHER, 4), numbers(16), numbers(4))),
        bad(
            "sample: settings is I64[16], expected 2 axes",
            () -> new Sample(X, of(OTHER, 4), numbers(16), numbers(4))),
        bad(
            "topk: k is 9, expected 0 to the columns of x F32[4, 8]",
            () -> new TopK(X, of(OTHER, 4, 9), numbers(4))),
        bad(
            "topk: indices is I64[4], expected 2 axes",
            () -> new TopK(X, of(OTHER, 4, 3), numbers(4))),
        bad(
            "topk: values is BF16[4, 3], expected F32",
            () -> new TopK(X, Operand.of(OTHER, DType.BF16, 4, 3), numbers(4))),
        bad("copy: y is F32[4, 8], expected shape [8, 4]", () -> new Copy(of(BUFFER, 8, 4), Y)),
        bad(
            "copy: y is F32[4, 8], expected I32",
            () -> new Copy(Operand.of(BUFFER, DType.I32, 4, 8), Y)),
        bad("copy: x is missing", () -> new Copy(null, Y)),
        bad("copy: output F32[4, 8] overlaps input", () -> new Copy(X, X)),
        bad(
            "index_select: y is F32[2, 4, 8], expected shape [2, 3, 8]",
            () -> new IndexSelect(of(BUFFER, 2, 5, 8), ids(3), of(OTHER, 2, 4, 8))),
        bad("index_select: x is missing", () -> new IndexSelect(null, ids(3), Y)),
        bad("index_add: ids is I64[3], expected shape [4]", () -> new IndexAdd(X, ids(3), Y)),
        bad(
            "index_add: y is F32[4, 8], expected shape [4, 7]",
            () -> new IndexAdd(of(BUFFER, 4, 7), ids(4), Y)),
        bad(
            "offsets: 5 tokens, the longest sequence 6, expected 0 <= longest <= tokens",
            () -> new Pool(X, offsets(2, 5, 6), PoolingMode.MEAN, Y)),
        bad(
            "lengths: are F32[4, 8], expected I32 [rows]",
            () -> new Softmax(X, false, new Lengths(X, 3).values())),
        bad(
            "rotary_embedding: cosine F32[5, 5] has more pairs than the heads of x F32[4, 1, 8]",
            () -> {
              Operand table = at(BUFFER, 64, 5, 5);
              return new RotaryEmbedding(
                  of(BUFFER, 4, 1, 8), table, table, ids(4), false, of(OTHER, 4, 1, 8));
            }),
        bad(
            "rotary_embedding: y is F32[4, 1, 8], expected BF16",
            () -> {
              Operand table = at(BUFFER, 64, 5, 4);
              Operand x = Operand.of(BUFFER, DType.BF16, 4, 1, 8);
              return new RotaryEmbedding(x, table, table, ids(4), false, of(OTHER, 4, 1, 8));
            }),
        bad(
            "rotary_embedding: cosine is BF16[5, 4], expected F32",
            () -> {
              Operand table = Operand.of(OTHER, DType.BF16, 5, 4);
              Operand x = Operand.of(BUFFER, DType.BF16, 4, 1, 8);
              return new RotaryEmbedding(x, table, table, ids(4), false, x);
            }),
        bad(
            "rotary_cache_update: qkv is F32[4, 31], expected shape [4, 32]",
            () -> update(of(BUFFER, 4, 31), ids(4), cache(3, 5, 1, 8))),
        bad(
            "rotary_cache_update: query is F32[4, 2, 8], expected shape [3, 2, 8]",
            () -> update(of(BUFFER, 3, 32), ids(4), cache(3, 5, 1, 8))),
        bad(
            "rotary_cache_update: slots is I64[3], expected shape [4]",
            () -> update(of(BUFFER, 4, 32), ids(3), cache(3, 5, 1, 8))),
        bad(
            "rotary_cache_update: slots is missing",
            () -> update(of(BUFFER, 4, 32), null, cache(3, 5, 1, 8))),
        bad(
            "rotary_cache_update: qkv is F32[4, 32], expected shape [4, 48]",
            () -> update(of(BUFFER, 4, 32), ids(4), cache(3, 5, 2, 8))),
        bad(
            "rotary_cache_update: key cache is F32[3, 5, 1, 7], expected shape [3, 5, 1, 8]",
            () -> update(of(BUFFER, 4, 32), ids(4), cache(3, 5, 1, 7))),
        bad(
            "rotary_cache_update: outputs F32[4, 2, 8] and F32[3, 5, 1, 8] overlap in memory",
            () -> update(of(BUFFER, 4, 32), ids(4), of(OTHER, 3, 5, 1, 8))),
        bad(
            "rotary_cache_update: key cache F32[3, 5, 1, 8] has strides [8, 8, 8, 1], expected no"
                + " two elements at one place",
            () ->
                update(
                    of(BUFFER, 4, 32),
                    ids(4),
                    new Operand(
                        OTHER, 200, DType.F32, new long[] {3, 5, 1, 8}, new long[] {8, 8, 8, 1}))),
        bad(
            "disentangled_bias: c2p and p2c are both missing",
            () ->
                new DisentangledBias(
                    null, null, offsets(1, 2, 2), numbers(2), 4, 0, 8, 1, of(OTHER, 1, 1, 2, 2))),
        bad(
            "disentangled_bias: span 4, buckets 1, max position 8",
            () ->
                new DisentangledBias(
                    null, null, offsets(1, 2, 2), numbers(2), 4, 1, 8, 1, of(OTHER, 1, 1, 2, 2))),
        bad(
            "cross_entropy: logits is I64[4, 8], expected F32, BF16 or F16",
            () ->
                new CrossEntropy(Operand.of(BUFFER, DType.I64, 4, 8), ids(4), -100, of(OTHER, 4))),
        bad(
            "cross_entropy: loss is BF16[4], expected F32",
            () -> new CrossEntropy(X, ids(4), -100, Operand.of(OTHER, DType.BF16, 4))),
        bad(
            "cross_entropy: loss is F32[4, 8], expected 1 axes",
            () -> new CrossEntropy(X, ids(4), -100, Y)),
        bad(
            "attention scores: scale is NaN, expected a finite number",
            () -> attention(query, key, null, null, Float.NaN)),
        bad(
            "query F32[1, 4, 2, 8] has 2 heads, not a multiple of key F32[1, 5, 3, 8]",
            () -> attention(query, at(BUFFER, 64, 1, 5, 3, 8), null, null, 1)),
        bad(
            "key is F32[1, 5, 2, 9], expected shape [1, 5, 2, 8]",
            () -> attention(query, at(BUFFER, 64, 1, 5, 2, 9), null, null, 1)),
        bad(
            "bias is F32[1, 2, 3, 5], expected [1, 2, 4, 5] or 1 on an axis",
            () -> attention(query, key, null, at(BUFFER, 900, 1, 2, 3, 5), 1)),
        bad(
            "key mask is F32[1, 5], expected U8",
            () -> attention(query, key, at(BUFFER, 900, 1, 5), null, 1)),
        bad(
            "attention mask: window is -1, expected 0 or more",
            () -> with(AttentionKeys.PADDED, new AttentionMask(Causal.NONE, -1, null))),
        bad(
            "attention scores: softcap is -2.0, expected 0 or a positive number",
            () -> scores(new AttentionScores(1, -2, null, null, null))),
        bad(
            "dropout: probability is 1.0, expected 0 to below 1",
            () -> new Pool(X, offsets(1, (int) new Dropout(1, 0).seed(), 0), PoolingMode.MEAN, Y)),
        bad(
            "output F32[1, 4, 2, 8] has strides [64, 4, 8, 1], expected no two elements at one"
                + " place",
            () -> into(new Operand(OTHER, 0, DType.F32, new long[] {1, 4, 2, 8}, OVERLAPPING))),
        bad(
            "operand F32 of shape [0, 8] at element -1: begins at no byte of a buffer",
            () -> new Softmax(at(BUFFER, -1, 0, 8), false, Y)),
        bad(
            "operand F32 of shape [0, 8] at element 4611686018427387904: begins at no byte",
            () -> new Softmax(at(BUFFER, 1L << 62, 0, 8), false, Y)),
        bad(
            "operand of shape [0, 4611686018427387904, 4]: has more elements than a long counts",
            () -> new Softmax(of(BUFFER, 0, 1L << 62, 4), false, Y)),
        bad(
            "matmul_pack: the packed form of weight F32[4294967296, 2147483647] has more elements",
            () ->
                new MatmulPack(
                    new Operand(
                        BUFFER, 0, DType.F32, new long[] {1L << 32, (1L << 31) - 1}, new long[2]),
                    Operand.of(OTHER, DType.BF16, 8))),
        bad(
            "matmul: the packed weight of x F32[0, 4611686018427387904] has more elements",
            () ->
                new Matmul(
                    of(BUFFER, 0, 1L << 62), X, null, Activation.NONE, of(OTHER, 0, 1L << 40))),
        bad(
            "2 key lengths, expected 1",
            () -> with(AttentionKeys.padded(lengths(2, 4)), AttentionMask.NONE)),
        bad(
            "key length 6, the keys have room for 5",
            () -> with(AttentionKeys.padded(lengths(1, 6)), AttentionMask.NONE)),
        bad(
            "lengths: the longest is -6, expected 0 or more",
            () -> with(AttentionKeys.padded(lengths(1, -6)), AttentionMask.NONE)),
        bad(
            "key is F32[1, 5, 2, 8], expected I8",
            () -> with(AttentionKeys.PADDED.withScales(scales(1, 5, 2)), AttentionMask.NONE)),
        bad(
            "key is I8[1, 5, 2, 8], expected F32",
            () -> attention(query, codes(1, 5, 2, 8), null, null, 1)),
        bad(
            "key scales is F32[1, 5, 1], expected shape [1, 5, 2]",
            () ->
                new ScaledDotProductAttention(
                    query,
                    codes(1, 5, 2, 8),
                    codes(1, 5, 2, 8),
                    of(OTHER, 1, 4, 2, 8),
                    null,
                    AttentionKeys.PADDED.withScales(scales(1, 5, 1)),
                    AttentionScores.scaled(1),
                    AttentionMask.NONE,
                    Dropout.NONE,
                    null,
                    null)),
        bad(
            "attention keys: a block table needs the lengths",
            () -> with(new AttentionKeys(null, null, Indices.unchecked(X)), AttentionMask.NONE)),
        bad(
            "key is F32[1, 5, 2, 8], expected 3 axes",
            () -> with(AttentionKeys.ragged(offsets(1, 5, 5)), AttentionMask.NONE)));
  }

  private static Operand codes(long... shape) {
    return new Operand(BUFFER, 0, DType.I8, shape, Operand.rowMajor(shape));
  }

  private static CacheScales scales(long... shape) {
    return new CacheScales(at(BUFFER, 900, shape), at(BUFFER, 900, shape));
  }

  private static Operand cache(long... shape) {
    return at(OTHER, 200, shape);
  }

  private static KernelCall update(Operand qkv, Indices slots, Operand keyCache) {
    Operand table = at(BUFFER, 256, 5, 4);
    Operand query = of(OTHER, 4, 2, 8);
    Operand values = at(OTHER, 1000, keyCache.shape());
    return new RotaryCacheUpdate(
        qkv, table, table, ids(qkv.size(0)), false, slots, query, keyCache, values, null);
  }

  private static KernelCall with(AttentionKeys keys, AttentionMask mask) {
    return new ScaledDotProductAttention(
        of(BUFFER, 1, 4, 2, 8),
        at(BUFFER, 64, 1, 5, 2, 8),
        at(BUFFER, 64, 1, 5, 2, 8),
        of(OTHER, 1, 4, 2, 8),
        null,
        keys,
        AttentionScores.scaled(1),
        mask,
        Dropout.NONE,
        null,
        null);
  }

  private static KernelCall into(Operand output) {
    Operand query = of(BUFFER, 1, 4, 2, 8);
    return ScaledDotProductAttention.of(query, query, query, output, 1);
  }

  private static KernelCall scores(AttentionScores scores) {
    Operand query = of(BUFFER, 1, 4, 2, 8);
    return new ScaledDotProductAttention(
        query,
        query,
        query,
        of(OTHER, 1, 4, 2, 8),
        null,
        AttentionKeys.PADDED,
        scores,
        AttentionMask.NONE,
        Dropout.NONE,
        null,
        null);
  }

  private static Arguments bad(String message, Making making) {
    return Arguments.of(message, making);
  }

  @ParameterizedTest(name = "{0}")
  @MethodSource("calls")
  void is_refused(String message, Making making) {
    String got = assertThrows(IllegalArgumentException.class, making::make).getMessage();
    assertTrue(got.contains(message), () -> got + "\nshould contain: " + message);
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
