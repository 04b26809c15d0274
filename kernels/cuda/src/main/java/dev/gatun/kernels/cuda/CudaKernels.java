package dev.gatun.kernels.cuda;

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
import dev.gatun.kernels.api.memory.Operand;
import dev.gatun.kernels.cuda.IndexChecks.Bound;

/**
 * Submits the calls to a device's stream. A call returns before its kernel ran, and a kernel that
 * fails or meets a bad index makes a later call fail.
 */
final class CudaKernels implements Kernels {
  // Of top-k over a row, before counting ranks is faster.
  private static final int MOST_PASSES = 32;

  private final CudaMemory memory;
  private final Launcher launcher;
  private final Uploads uploads;
  private final IndexChecks checks;
  private final CudaAttention attention;
  private final CudaMatmul matmul;
  private final CudaRows rows;
  private final CudaRotary rotary;
  private final CudaElementwise elementwise;
  private final CudaQuantized quantized;
  private final CudaTokens tokens;
  private final CudaQuantizedMatmul quantizedMatmul;
  private final CudaExperts experts;
  private final CudaQuantizedExperts quantizedExperts;

  CudaKernels(CudaMemory memory, Launcher launcher, LibraryMatmul library) {
    this.memory = memory;
    this.launcher = launcher;
    this.uploads = new Uploads(memory);
    this.checks = memory.checks();
    this.attention = new CudaAttention(launcher, memory, uploads, checks);
    this.matmul = new CudaMatmul(launcher, memory, library);
    this.rows = new CudaRows(launcher);
    this.rotary = new CudaRotary(launcher, memory, checks);
    this.elementwise = new CudaElementwise(launcher);
    this.quantized = new CudaQuantized(launcher, memory);
    this.tokens = new CudaTokens(launcher);
    this.quantizedMatmul = new CudaQuantizedMatmul(launcher, memory, tokens);
    this.experts = new CudaExperts(launcher, memory, uploads);
    this.quantizedExperts = new CudaQuantizedExperts(launcher, quantizedMatmul);
  }

  private void run(KernelCall call, Runnable body) {
    Execution.run(
        call,
        memory,
        () -> {
          launcher.hold(call);
          body.run();
        });
  }

  private Arguments with(Operand... operands) {
    Arguments arguments = launcher.arguments();
    for (Operand operand : operands) {
      arguments.operand(operand);
    }
    return arguments;
  }

  /** The number of a floating-point type in {@code numbers.h}. */
  static int dtype(DType dtype) {
    return switch (dtype) {
      case F32 -> 0;
      case BF16 -> 1;
      case F16 -> 2;
      default ->
          throw new IllegalArgumentException(dtype + " is no floating-point type of kernels");
    };
  }

  private static int dtype(Operand operand) {
    return dtype(operand.dtype());
  }

  @Override
  public void run(ScaledDotProductAttention c) {
    run(c, () -> attention.run(c));
  }

  @Override
  public void run(MatmulPack c) {
    run(c, () -> matmul.run(c));
  }

  @Override
  public void run(Matmul c) {
    run(c, () -> matmul.run(c));
  }

  @Override
  public void run(BatchedMatmul c) {
    run(c, () -> matmul.run(c));
  }

  @Override
  public void run(LayerNorm c) {
    run(c, () -> rows.run(c));
  }

  @Override
  public void run(RmsNorm c) {
    run(c, () -> rows.run(c));
  }

  @Override
  public void run(L2Normalize c) {
    run(
        c,
        () ->
            launcher.rows(
                "l2_normalize",
                c.x().size(0),
                with(c.x(), c.y()).integer(dtype(c.x())).number(c.x().size(1)).real(c.eps())));
  }

  @Override
  public void run(Softmax c) {
    run(c, () -> rows.run(c));
  }

  @Override
  public void run(CrossEntropy c) {
    run(
        c,
        () -> {
          long columns = c.logits().size(1);
          Arguments arguments =
              with(c.logits(), c.targets(), c.loss())
                  .integer(dtype(c.logits()))
                  .numbers(columns, c.ignoreIndex());
          launcher.rows(
              "cross_entropy",
              c.logits().size(0),
              CudaRows.threadsOfLongRows(c.logits()),
              checks.report(arguments, c, Bound.below("target", columns)));
        });
  }

  @Override
  public void run(ArgMax c) {
    run(
        c,
        () ->
            launcher.rows(
                "argmax",
                c.x().size(0),
                with(c.x(), c.y())
                    .integer(dtype(c.x()))
                    .integer(Math.toIntExact(c.x().size(1)))
                    .number(c.x().stride(0))));
  }

  @Override
  public void run(TopK c) {
    run(
        c,
        () -> {
          int columns = Math.toIntExact(c.x().size(1));
          int k = Math.toIntExact(c.values().size(1));
          Arguments arguments =
              with(c.x(), c.values(), c.indices())
                  .integer(dtype(c.x()))
                  .integer(columns)
                  .number(c.x().stride(0))
                  .integer(k);
          if (k <= MOST_PASSES) {
            launcher.rows("topk", c.x().size(0), arguments);
          } else {
            launcher.launch(
                "topk_by_rank", c.x().size(0), Math.ceilDiv(columns, 256), 1, 0, arguments);
          }
        });
  }

  @Override
  public void run(Reduce c) {
    run(
        c,
        () ->
            launcher.rows(
                "reduce",
                c.y().count(),
                with(c.x(), c.y())
                    .integer(dtype(c.x()))
                    .integer(dtype(c.y()))
                    .integer(c.reduction().ordinal())
                    .numbers(c.x().stride(0), c.x().stride(1), c.x().stride(2))
                    .numbers(c.x().size(1), c.x().size(2))));
  }

  @Override
  public void run(Elementwise c) {
    run(c, () -> elementwise.run(c));
  }

  @Override
  public void run(Copy c) {
    run(c, () -> elementwise.run(c));
  }

  @Override
  public void run(Activate c) {
    run(c, () -> elementwise.run(c));
  }

  @Override
  public void run(GatedActivation c) {
    run(c, () -> elementwise.run(c));
  }

  @Override
  public void run(Cast c) {
    run(
        c,
        () ->
            launcher.elements(
                "cast",
                c.x().count(),
                with(c.x(), c.y())
                    .integer(dtype(c.x()))
                    .integer(dtype(c.y()))
                    .number(c.x().count())));
  }

  @Override
  public void run(Embedding c) {
    run(
        c,
        () -> {
          launcher.launch(
              "embedding",
              c.ids().size(0),
              1,
              1,
              0,
              checks.report(
                  with(c.table(), c.ids(), c.y())
                      .integer(dtype(c.table()))
                      .integer(dtype(c.y()))
                      .integer(c.accumulate() ? 1 : 0)
                      .numbers(c.table().size(1), c.table().size(0)),
                  c,
                  Bound.below("id", c.table().size(0))));
        });
  }

  @Override
  public void run(ScatterRows c) {
    run(
        c,
        () -> {
          launcher.launch(
              "scatter_rows",
              c.ids().size(0),
              1,
              1,
              0,
              checks.report(
                  with(c.x(), c.ids(), c.y())
                      .numbers(c.y().size(1) * c.y().dtype().bytes(), c.y().size(0)),
                  c,
                  Bound.below("id", c.y().size(0))));
        });
  }

  @Override
  public void run(IndexSelect c) {
    run(
        c,
        () -> {
          launcher.launch(
              "index_select",
              c.x().size(0) * c.ids().size(0),
              1,
              1,
              0,
              checks.report(
                  with(c.x(), c.ids(), c.y())
                      .numbers(c.x().size(1), c.ids().size(0))
                      .number(c.x().size(2) * c.x().dtype().bytes()),
                  c,
                  Bound.below("id", c.x().size(1))));
        });
  }

  @Override
  public void run(IndexAdd c) {
    run(
        c,
        () -> {
          launcher.elements(
              "index_add",
              c.y().size(1),
              checks.report(
                  with(c.x(), c.ids(), c.y())
                      .integer(dtype(c.x()))
                      .integer(dtype(c.y()))
                      .numbers(c.ids().size(0), c.y().size(1), c.y().size(0)),
                  c,
                  Bound.below("id", c.y().size(0))));
        });
  }

  @Override
  public void run(Pool c) {
    run(
        c,
        () -> {
          try (Buffer offsets = uploads.ints(c.offsets().values())) {
            launcher.launch(
                "pool",
                c.offsets().sequences(),
                1,
                1,
                0,
                with(c.x())
                    .address(CudaMemory.address(offsets))
                    .operand(c.y())
                    .integer(dtype(c.y()))
                    .integer(c.mode().ordinal())
                    .number(c.x().size(1)));
          }
        });
  }

  @Override
  public void run(RotaryEmbedding c) {
    run(c, () -> rotary.run(c));
  }

  @Override
  public void run(RotaryCacheUpdate c) {
    run(c, () -> rotary.run(c));
  }

  @Override
  public void run(DisentangledBias c) {
    run(
        c,
        () -> {
          try (Buffer offsets = uploads.ints(c.offsets().values())) {
            long longest = c.bias().size(3);
            launcher.launch(
                "disentangled_bias",
                Math.ceilDiv(longest * longest, 256),
                c.bias().size(1),
                c.offsets().sequences(),
                0,
                with(c.c2p(), c.p2c())
                    .address(CudaMemory.address(offsets))
                    .operand(c.positions())
                    .operand(c.bias())
                    .numbers(longest, c.offsets().tokens(), c.span(), c.buckets())
                    .number(c.maxPosition())
                    .real(c.scale()));
          }
        });
  }

  @Override
  public void run(Quantize c) {
    run(c, () -> quantized.run(c));
  }

  @Override
  public void run(Dequantize c) {
    run(c, () -> quantized.run(c));
  }

  @Override
  public void run(QuantizedPack c) {
    run(c, () -> quantized.run(c));
  }

  @Override
  public void run(QuantizeTokens c) {
    run(c, () -> tokens.run(c));
  }

  @Override
  public void run(QuantizedMatmul c) {
    run(c, () -> quantizedMatmul.run(c));
  }

  @Override
  public void run(ExpertRouting c) {
    run(c, () -> experts.run(c));
  }

  @Override
  public void run(GroupedMatmul c) {
    run(c, () -> experts.run(c));
  }

  @Override
  public void run(GroupedQuantizedMatmul c) {
    run(c, () -> quantizedExperts.run(c));
  }

  @Override
  public void run(ExpertCombine c) {
    run(c, () -> experts.run(c));
  }
}
