package dev.gatun.kernels.cpu;

import static dev.gatun.kernels.cpu.CpuMemory.segment;

import dev.gatun.bindings.cpu.CpuElementwise;
import dev.gatun.bindings.cpu.CpuIndexing;
import dev.gatun.bindings.cpu.CpuLibrary;
import dev.gatun.bindings.cpu.CpuReduce;
import dev.gatun.bindings.cpu.CpuRows;
import dev.gatun.kernels.api.call.KernelCall;
import dev.gatun.kernels.api.call.attention.DisentangledBias;
import dev.gatun.kernels.api.call.attention.RotaryCacheUpdate;
import dev.gatun.kernels.api.call.attention.RotaryEmbedding;
import dev.gatun.kernels.api.call.attention.ScaledDotProductAttention;
import dev.gatun.kernels.api.call.elementwise.Activate;
import dev.gatun.kernels.api.call.elementwise.Cast;
import dev.gatun.kernels.api.call.elementwise.Elementwise;
import dev.gatun.kernels.api.call.elementwise.GatedActivation;
import dev.gatun.kernels.api.call.experts.ExpertCombine;
import dev.gatun.kernels.api.call.experts.ExpertRouting;
import dev.gatun.kernels.api.call.experts.GroupedMatmul;
import dev.gatun.kernels.api.call.experts.GroupedQuantizedMatmul;
import dev.gatun.kernels.api.call.indexing.Copy;
import dev.gatun.kernels.api.call.indexing.Embedding;
import dev.gatun.kernels.api.call.indexing.IndexAdd;
import dev.gatun.kernels.api.call.indexing.IndexSelect;
import dev.gatun.kernels.api.call.indexing.ScatterRows;
import dev.gatun.kernels.api.call.loss.CrossEntropy;
import dev.gatun.kernels.api.call.matmul.BatchedMatmul;
import dev.gatun.kernels.api.call.matmul.Dequantize;
import dev.gatun.kernels.api.call.matmul.Matmul;
import dev.gatun.kernels.api.call.matmul.MatmulPack;
import dev.gatun.kernels.api.call.matmul.Quantize;
import dev.gatun.kernels.api.call.matmul.QuantizeTokens;
import dev.gatun.kernels.api.call.matmul.QuantizedMatmul;
import dev.gatun.kernels.api.call.matmul.QuantizedPack;
import dev.gatun.kernels.api.call.matmul.TokenCodes;
import dev.gatun.kernels.api.call.norm.L2Normalize;
import dev.gatun.kernels.api.call.norm.LayerNorm;
import dev.gatun.kernels.api.call.norm.RmsNorm;
import dev.gatun.kernels.api.call.norm.Softmax;
import dev.gatun.kernels.api.call.reduction.ArgMax;
import dev.gatun.kernels.api.call.reduction.Pool;
import dev.gatun.kernels.api.call.reduction.Reduce;
import dev.gatun.kernels.api.call.reduction.TopK;
import dev.gatun.kernels.api.device.Execution;
import dev.gatun.kernels.api.device.Kernels;
import dev.gatun.kernels.api.memory.Buffer;
import dev.gatun.kernels.api.memory.DType;
import dev.gatun.kernels.api.memory.Memory;
import dev.gatun.kernels.api.memory.Offsets;
import dev.gatun.kernels.api.memory.Operand;
import dev.gatun.kernels.formats.HostBlocks;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;

/**
 * Runs the calls by the native library; its enums are numbered as {@code gatun_cpu.h} numbers them.
 */
final class CpuKernels implements Kernels {
  private final Memory memory;
  private final AttentionCall attention;
  private final ExpertCall experts;

  CpuKernels(Memory memory) {
    this.memory = memory;
    this.attention = new AttentionCall(memory);
    this.experts = new ExpertCall(memory);
  }

  @Override
  public void run(ScaledDotProductAttention c) {
    run(c, () -> attention.run(c));
  }

  @Override
  public void run(MatmulPack c) {
    run(c, () -> MatmulCall.run(c));
  }

  @Override
  public void run(Matmul c) {
    run(c, () -> MatmulCall.run(c));
  }

  @Override
  public void run(Quantize c) {
    run(c, () -> HostBlocks.quantize(c.format(), c.weight(), c.blocks()));
  }

  @Override
  public void run(Dequantize c) {
    run(c, () -> HostBlocks.dequantize(c.format(), c.blocks(), c.weight()));
  }

  @Override
  public void run(QuantizedPack c) {
    run(c, () -> HostBlocks.pack(c.format(), c.inFeatures(), c.blocks(), c.packed()));
  }

  @Override
  public void run(QuantizeTokens c) {
    run(
        c,
        () ->
            CpuRows.quantizeTokens(
                address(c.x()),
                dtype(c.x().dtype()),
                c.x().stride(0),
                codes(c.codes()),
                c.x().size(0),
                c.x().size(1)));
  }

  @Override
  public void run(QuantizedMatmul c) {
    run(c, () -> QuantizedCall.run(c));
  }

  @Override
  public void run(Cast c) {
    run(
        c,
        () ->
            CpuLibrary.cast(
                address(c.x()),
                dtype(c.x().dtype()),
                address(c.y()),
                dtype(c.y().dtype()),
                c.x().count()));
  }

  @Override
  public void run(BatchedMatmul c) {
    run(
        c,
        () ->
            CpuLibrary.batchedMatmul(
                address(c.a()),
                c.a().strides(),
                address(c.b()),
                c.b().strides(),
                dtype(c.a().dtype()),
                address(c.c()),
                dtype(c.c().dtype()),
                c.a().size(0),
                c.a().size(1),
                c.b().size(1),
                c.a().size(2)));
  }

  @Override
  public void run(LayerNorm c) {
    run(
        c,
        () ->
            CpuRows.layerNorm(
                address(c.x()),
                address(c.residual()),
                address(c.weight()),
                address(c.bias()),
                address(c.y()),
                address(c.sum()),
                dtype(c.x().dtype()),
                dtype(parameters(c).dtype()),
                c.x().size(0),
                c.x().size(1),
                c.eps(),
                codes(c.codes())));
  }

  @Override
  public void run(RmsNorm c) {
    run(
        c,
        () ->
            CpuRows.rmsNorm(
                address(c.x()),
                address(c.residual()),
                address(c.weight()),
                address(c.y()),
                address(c.sum()),
                dtype(c.x().dtype()),
                dtype(c.weight().dtype()),
                c.x().size(0),
                c.x().size(1),
                c.shift(),
                c.eps(),
                codes(c.codes())));
  }

  @Override
  public void run(GatedActivation c) {
    run(
        c,
        () ->
            CpuRows.gatedActivation(
                address(c.gate()),
                c.gate().stride(0),
                address(c.up()),
                c.up().stride(0),
                address(c.y()),
                dtype(c.y().dtype()),
                c.y().size(0),
                c.y().size(1),
                c.activation().ordinal()));
  }

  @Override
  public void run(Activate c) {
    run(
        c,
        () ->
            CpuRows.activate(
                address(c.x()),
                address(c.y()),
                dtype(c.x().dtype()),
                c.x().count(),
                c.activation().ordinal()));
  }

  @Override
  public void run(Elementwise c) {
    run(
        c,
        () ->
            CpuElementwise.elementwise(
                address(c.a()),
                address(c.b()),
                address(c.y()),
                dtype(c.y().dtype()),
                c.op().ordinal(),
                layout(c.y(), c.a(), c.b(), c.y())));
  }

  @Override
  public void run(Softmax c) {
    run(
        c,
        () ->
            CpuRows.softmax(
                address(c.x()),
                address(c.y()),
                dtype(c.x().dtype()),
                c.x().size(0),
                c.x().size(1),
                c.log()));
  }

  @Override
  public void run(Embedding c) {
    run(
        c,
        () -> {
          inRange(c, "id", c.ids(), c.table().size(0), null);
          CpuRows.embedding(
              address(c.table()),
              dtype(c.table().dtype()),
              c.table().size(0),
              c.table().size(1),
              address(c.ids()),
              c.ids().size(0),
              address(c.y()),
              dtype(c.y().dtype()),
              c.accumulate());
        });
  }

  @Override
  public void run(ScatterRows c) {
    run(
        c,
        () -> {
          inRange(c, "id", c.ids(), c.y().size(0), null);
          CpuLibrary.scatterRows(
              address(c.x()),
              address(c.ids()),
              c.ids().size(0),
              address(c.y()),
              c.y().size(0),
              c.y().size(1) * c.y().dtype().bytes());
        });
  }

  @Override
  public void run(Pool c) {
    run(
        c,
        () -> {
          try (Buffer offsets = offsets(c.offsets())) {
            CpuRows.pool(
                address(c.x()),
                segment(offsets),
                c.offsets().sequences(),
                c.x().size(1),
                c.mode().ordinal(),
                address(c.y()),
                dtype(c.y().dtype()));
          }
        });
  }

  @Override
  public void run(L2Normalize c) {
    run(
        c,
        () ->
            CpuRows.l2Normalize(
                address(c.x()),
                address(c.y()),
                dtype(c.x().dtype()),
                c.x().size(0),
                c.x().size(1),
                c.eps()));
  }

  @Override
  public void run(RotaryEmbedding c) {
    run(c, () -> RotaryCall.run(c));
  }

  @Override
  public void run(RotaryCacheUpdate c) {
    run(c, () -> RotaryCall.run(c));
  }

  @Override
  public void run(DisentangledBias c) {
    run(
        c,
        () -> {
          try (Buffer offsets = offsets(c.offsets())) {
            CpuLibrary.disentangledBias(
                address(c.c2p()),
                address(c.p2c()),
                segment(offsets),
                address(c.positions()),
                c.offsets().sequences(),
                c.bias().size(1),
                c.offsets().tokens(),
                c.span(),
                c.buckets(),
                c.maxPosition(),
                c.scale(),
                address(c.bias()),
                c.bias().size(3));
          }
        });
  }

  @Override
  public void run(CrossEntropy c) {
    run(
        c,
        () -> {
          inRange(c, "target", c.targets(), c.logits().size(1), c.ignoreIndex());
          CpuRows.crossEntropy(
              address(c.logits()),
              dtype(c.logits().dtype()),
              address(c.targets()),
              c.logits().size(0),
              c.logits().size(1),
              c.ignoreIndex(),
              address(c.loss()));
        });
  }

  @Override
  public void run(Reduce c) {
    run(
        c,
        () ->
            CpuReduce.reduce(
                address(c.x()),
                dtype(c.x().dtype()),
                c.x().shape(),
                c.x().strides(),
                address(c.y()),
                dtype(c.y().dtype()),
                c.reduction().ordinal()));
  }

  @Override
  public void run(ArgMax c) {
    run(
        c,
        () ->
            CpuReduce.argmax(
                address(c.x()),
                dtype(c.x().dtype()),
                c.x().stride(0),
                c.x().size(0),
                c.x().size(1),
                address(c.y())));
  }

  @Override
  public void run(TopK c) {
    run(
        c,
        () ->
            CpuReduce.topk(
                address(c.x()),
                dtype(c.x().dtype()),
                c.x().stride(0),
                c.x().size(0),
                c.x().size(1),
                c.values().size(1),
                address(c.values()),
                address(c.indices())));
  }

  @Override
  public void run(Copy c) {
    run(
        c,
        () ->
            CpuIndexing.copy(
                address(c.x()),
                address(c.y()),
                c.y().dtype().bytes(),
                layout(c.y(), c.x(), c.y())));
  }

  @Override
  public void run(IndexSelect c) {
    run(
        c,
        () -> {
          inRange(c, "id", c.ids(), c.x().size(1), null);
          CpuIndexing.indexSelect(
              address(c.x()),
              c.x().size(0),
              c.x().size(1),
              c.x().size(2) * c.x().dtype().bytes(),
              address(c.ids()),
              c.ids().size(0),
              address(c.y()));
        });
  }

  @Override
  public void run(IndexAdd c) {
    run(
        c,
        () -> {
          inRange(c, "id", c.ids(), c.y().size(0), null);
          CpuIndexing.indexAdd(
              address(c.x()),
              dtype(c.x().dtype()),
              address(c.ids()),
              c.ids().size(0),
              address(c.y()),
              dtype(c.y().dtype()),
              c.y().size(0),
              c.y().size(1));
        });
  }

  @Override
  public void run(ExpertRouting c) {
    run(c, () -> experts.run(c));
  }

  @Override
  public void run(GroupedMatmul c) {
    run(c, () -> ExpertCall.run(c));
  }

  @Override
  public void run(GroupedQuantizedMatmul c) {
    run(c, () -> ExpertCall.run(c));
  }

  @Override
  public void run(ExpertCombine c) {
    run(c, () -> ExpertCall.run(c));
  }

  private void run(KernelCall call, Runnable body) {
    Execution.run(call, memory, body);
  }

  static MemorySegment address(Operand operand) {
    return operand == null
        ? MemorySegment.NULL
        : segment(operand.buffer())
            .asSlice(Math.min(operand.byteOffset(), operand.buffer().byteSize()));
  }

  private static final CpuRows.Codes NO_CODES =
      new CpuRows.Codes(MemorySegment.NULL, 0, MemorySegment.NULL, MemorySegment.NULL, false);

  private static CpuRows.Codes codes(TokenCodes c) {
    return c == null
        ? NO_CODES
        : new CpuRows.Codes(
            address(c.codes()),
            c.codes().stride(0),
            address(c.meaning().scales()),
            address(c.meaning().offsets()),
            c.calibrated());
  }

  /** An operand with the dtype of the weight and bias, where there is either. */
  private static Operand parameters(LayerNorm c) {
    return c.weight() != null ? c.weight() : c.bias() != null ? c.bias() : c.x();
  }

  /** A shape, then the strides of each of the operands that have it. */
  private static long[][] layout(Operand shaped, Operand... operands) {
    long[][] layout = new long[1 + operands.length][];
    layout[0] = shaped.shape();
    for (int i = 0; i < operands.length; i++) {
      layout[1 + i] = operands[i].strides();
    }
    return layout;
  }

  private Buffer offsets(Offsets offsets) {
    return ints(memory, offsets.values());
  }

  /** Numbers in native memory. */
  static Buffer ints(Memory memory, int[] values) {
    Buffer buffer = memory.allocate(4L * values.length);
    MemorySegment.copy(values, 0, segment(buffer), ValueLayout.JAVA_INT, 0, values.length);
    return buffer;
  }

  /** {@code gatun_dtype} of a floating-point type. */
  static int dtype(DType dtype) {
    return switch (dtype) {
      case F32 -> 0;
      case BF16 -> 1;
      case F16 -> 2;
      default ->
          throw new IllegalArgumentException(dtype + " is no floating-point type of kernels");
    };
  }

  private static void inRange(
      KernelCall call, String what, Operand ids, long limit, Long exception) {
    Execution.inRange(call, what, address(ids), ids.size(0), limit, exception);
  }
}
