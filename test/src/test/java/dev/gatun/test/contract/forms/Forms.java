package dev.gatun.test.contract.forms;

import dev.gatun.kernels.api.call.KernelCall;
import dev.gatun.kernels.api.call.attention.AttentionBackward;
import dev.gatun.kernels.api.call.attention.AttentionKeys;
import dev.gatun.kernels.api.call.attention.CacheScales;
import dev.gatun.kernels.api.call.attention.DisentangledBias;
import dev.gatun.kernels.api.call.attention.RotaryCacheUpdate;
import dev.gatun.kernels.api.call.attention.RotaryEmbedding;
import dev.gatun.kernels.api.call.attention.ScaledDotProductAttention;
import dev.gatun.kernels.api.call.elementwise.ActivationBackward;
import dev.gatun.kernels.api.call.elementwise.GatedActivation;
import dev.gatun.kernels.api.call.elementwise.GatedActivationBackward;
import dev.gatun.kernels.api.call.experts.ExpertCombine;
import dev.gatun.kernels.api.call.experts.ExpertRouting;
import dev.gatun.kernels.api.call.experts.GroupedMatmul;
import dev.gatun.kernels.api.call.experts.GroupedQuantizedMatmul;
import dev.gatun.kernels.api.call.indexing.Embedding;
import dev.gatun.kernels.api.call.indexing.PackedEmbedding;
import dev.gatun.kernels.api.call.loss.CrossEntropy;
import dev.gatun.kernels.api.call.loss.CrossEntropyBackward;
import dev.gatun.kernels.api.call.matmul.BlockMatmul;
import dev.gatun.kernels.api.call.matmul.Matmul;
import dev.gatun.kernels.api.call.matmul.MatmulPack;
import dev.gatun.kernels.api.call.matmul.QuantizeTokens;
import dev.gatun.kernels.api.call.matmul.QuantizedMatmul;
import dev.gatun.kernels.api.call.matmul.TokenCodes;
import dev.gatun.kernels.api.call.norm.L2Normalize;
import dev.gatun.kernels.api.call.norm.LayerNorm;
import dev.gatun.kernels.api.call.norm.LayerNormBackward;
import dev.gatun.kernels.api.call.norm.RmsNorm;
import dev.gatun.kernels.api.call.norm.RmsNormBackward;
import dev.gatun.kernels.api.call.norm.SoftmaxBackward;
import dev.gatun.kernels.api.call.reduction.Pool;
import dev.gatun.kernels.api.memory.BlockFormat;
import dev.gatun.kernels.api.memory.DType;
import dev.gatun.kernels.api.memory.Operand;
import dev.gatun.kernels.api.memory.PackedLayout;
import dev.gatun.ops.Attention;
import dev.gatun.ops.Elementwise;
import dev.gatun.ops.ElementwiseBackward;
import dev.gatun.ops.Experts;
import dev.gatun.ops.Indexing;
import dev.gatun.ops.Loss;
import dev.gatun.ops.LossBackward;
import dev.gatun.ops.Norm;
import dev.gatun.ops.NormBackward;
import dev.gatun.ops.Quantization;
import dev.gatun.ops.Reductions;
import dev.gatun.ops.Rotary;
import dev.gatun.tensor.Tensor;
import dev.gatun.test.contract.cases.QuantizedCases;
import java.util.ArrayList;
import java.util.List;

/** The op that a kernel's call is of, in its two forms, on the tensors of a case. */
final class Forms {
  private final Operands of;
  private final boolean plain;

  private Forms(Operands of, boolean plain) {
    this.of = of;
    this.plain = plain;
  }

  /** Runs the op's kernel form. */
  static void kernel(KernelCall call, Operands of) {
    new Forms(of, false).run(call);
  }

  /** Runs the op's plain form. */
  static void plain(KernelCall call, Operands of) {
    new Forms(of, true).run(call);
  }

  /**
   * Whether an op, and its plain form, give what a call does: not all that records say is there.
   */
  static boolean has(KernelCall call) {
    return switch (call) {
      case ScaledDotProductAttention c -> c.dropout().probability() == 0;
      case AttentionBackward c -> c.forward().dropout().probability() == 0;
      // How many heads share rows of no elements cannot be told.
      case RotaryCacheUpdate c -> c.query().size(2) > 0;
      case QuantizeTokens c -> !c.codes().calibrated();
      case LayerNorm c -> c.codes() == null || !c.codes().calibrated();
      case RmsNorm c -> c.codes() == null || !c.codes().calibrated();
      case QuantizedMatmul c -> c.residual() == null;
      default -> true;
    };
  }

  private void run(KernelCall call) {
    switch (call) {
      case ScaledDotProductAttention c -> attention(c);
      case AttentionBackward c -> attentionBackward(c);
      case DisentangledBias c -> disentangledBias(c);
      case RotaryEmbedding c -> rotary(c);
      case RotaryCacheUpdate c -> rotaryCache(c);
      case GatedActivation c -> {
        Tensor gate = of.tensor(c.gate());
        Tensor up = of.tensor(c.up());
        of.gives(
            c.y(),
            plain
                ? Elementwise.plainGatedActivation(gate, up, c.activation())
                : Elementwise.gatedActivation(gate, up, c.activation()));
      }
      case LayerNorm c -> layerNorm(c);
      case RmsNorm c -> rmsNorm(c);
      case LayerNormBackward c -> {
        NormBackward.Wanted wanted = wanted(c.dx(), c.dweight(), c.dbias());
        Tensor dy = of.tensor(c.dy());
        Tensor x = of.tensor(c.x());
        Tensor weight = of.tensor(c.weight());
        Tensor added = of.tensor(c.added());
        NormBackward.Gradients given =
            plain
                ? NormBackward.plainLayerNormBackward(dy, x, weight, c.eps(), added, wanted)
                : NormBackward.layerNormBackward(dy, x, weight, c.eps(), added, wanted);
        gradients(c.dx(), c.dweight(), c.dbias(), given);
      }
      case RmsNormBackward c -> {
        NormBackward.Wanted wanted = wanted(c.dx(), c.dweight(), null);
        Tensor dy = of.tensor(c.dy());
        Tensor x = of.tensor(c.x());
        Tensor weight = of.tensor(c.weight());
        Tensor added = of.tensor(c.added());
        NormBackward.Gradients given =
            plain
                ? NormBackward.plainRmsNormBackward(
                    dy, x, weight, c.shift(), c.eps(), added, wanted)
                : NormBackward.rmsNormBackward(dy, x, weight, c.shift(), c.eps(), added, wanted);
        gradients(c.dx(), c.dweight(), null, given);
      }
      case SoftmaxBackward c -> {
        Tensor dy = of.tensor(c.dy());
        Tensor y = of.tensor(c.y());
        of.gives(
            c.dx(),
            plain
                ? c.log()
                    ? NormBackward.plainLogSoftmaxBackward(dy, y)
                    : NormBackward.plainSoftmaxBackward(dy, y)
                : c.log()
                    ? NormBackward.logSoftmaxBackward(dy, y)
                    : NormBackward.softmaxBackward(dy, y));
      }
      case L2Normalize c -> {
        Tensor x = of.tensor(c.x());
        of.gives(c.y(), plain ? Norm.plainL2Normalize(x, c.eps()) : Norm.l2Normalize(x, c.eps()));
      }
      case Embedding c -> embedding(c);
      case PackedEmbedding c -> packedEmbedding(c);
      case ActivationBackward c -> {
        Tensor dy = of.tensor(c.dy());
        Tensor x = of.tensor(c.x());
        of.gives(
            c.dx(),
            plain
                ? ElementwiseBackward.plainActivationBackward(dy, x, c.activation())
                : ElementwiseBackward.activationBackward(dy, x, c.activation()));
      }
      case GatedActivationBackward c -> {
        Tensor dy = of.tensor(c.dy());
        Tensor gate = of.tensor(c.gate());
        Tensor up = of.tensor(c.up());
        ElementwiseBackward.Gated given =
            plain
                ? ElementwiseBackward.plainGatedActivationBackward(dy, gate, up, c.activation())
                : ElementwiseBackward.gatedActivationBackward(dy, gate, up, c.activation());
        of.gives(c.dgate(), given.gate());
        of.gives(c.dup(), given.up());
      }
      case CrossEntropyBackward c -> {
        LossBackward.Settings settings =
            new LossBackward.Settings(c.ignoreIndex(), c.smoothing(), c.zLoss());
        Tensor logits = of.tensor(c.logits());
        Tensor targets = of.tensor(c.targets().values());
        Tensor weights = of.tensor(c.weights());
        LossBackward.RowLosses given =
            plain
                ? LossBackward.plainCrossEntropyBackward(
                    logits, targets, weights, settings, c.scale())
                : LossBackward.crossEntropyBackward(logits, targets, weights, settings, c.scale());
        of.gives(c.dlogits(), given.logits());
        of.gives(c.loss(), given.loss());
      }
      case CrossEntropy c -> {
        Tensor logits = of.tensor(c.logits());
        Tensor targets = of.tensor(c.targets().values());
        of.gives(
            c.loss(),
            plain
                ? Loss.plainCrossEntropy(logits, targets, c.ignoreIndex())
                : Loss.crossEntropy(logits, targets, c.ignoreIndex()));
      }
      case Pool c -> {
        Tensor x = of.tensor(c.x());
        of.gives(
            c.y(),
            plain
                ? Reductions.plainPool(x, of.segments(c.offsets()), c.mode())
                : Reductions.pool(x, of.segments(c.offsets()), c.mode()));
      }
      case Matmul c -> matmul(c);
      case QuantizeTokens c -> {
        Tensor x = of.tensor(c.x());
        Quantization.Offsets offsets = offsets(c.codes());
        codes(
            c.codes(),
            plain
                ? Quantization.plainQuantizeTokens(x, offsets)
                : Quantization.quantizeTokens(x, offsets));
      }
      case ExpertRouting c -> routing(c);
      case GroupedMatmul c -> grouped(c);
      case QuantizedMatmul c -> quantized(c);
      case BlockMatmul c -> blocks(c);
      case GroupedQuantizedMatmul c -> groupedQuantized(c);
      case ExpertCombine c -> {
        Tensor x = of.tensor(c.x());
        Tensor residual = of.tensor(c.residual());
        Experts.Routing routing =
            new Experts.Routing(null, of.tensor(c.weights()), null, of.tensor(c.places()), null);
        of.gives(
            c.y(),
            plain
                ? Experts.plainCombine(x, routing, residual, c.y().dtype())
                : Experts.combine(x, routing, residual, c.y().dtype()));
      }
      default ->
          throw new IllegalArgumentException(
              call.kernel() + ": expected its two forms here, for Records has it as fused");
    }
  }

  private Attention.Keys keys(ScaledDotProductAttention c) {
    AttentionKeys keys = c.keys();
    return new Attention.Keys(
        of.tensor(c.key()),
        of.tensor(c.value()),
        of.segments(keys.offsets()),
        keys.lengths() == null ? null : of.tensor(keys.lengths().values()),
        keys.lengths() == null ? 0 : keys.lengths().longest(),
        of.tensor(keys.blockTable()),
        keys.pages() == null ? -1 : keys.pages().below(),
        scales(keys.scales()));
  }

  private Attention.Scores scores(ScaledDotProductAttention c) {
    return new Attention.Scores(
        c.scores().scale(),
        c.scores().softcap(),
        of.tensor(c.scores().bias()),
        of.tensor(c.scores().slopes()),
        of.tensor(c.scores().sinks()));
  }

  private Attention.Mask mask(ScaledDotProductAttention c) {
    return new Attention.Mask(c.mask().causal(), c.mask().window(), of.tensor(c.mask().keys()));
  }

  private void attentionBackward(AttentionBackward c) {
    ScaledDotProductAttention f = c.forward();
    Tensor query = of.tensor(f.query());
    Attention.Result result = new Attention.Result(of.tensor(f.output()), of.tensor(f.lse()), null);
    Attention.Result gradients =
        new Attention.Result(of.tensor(c.doutput()), of.tensor(c.dlse()), of.tensor(c.dweights()));
    boolean bias = c.dbias() != null;
    boolean sinks = c.dsinks() != null;
    Attention.Gradients given =
        plain
            ? Attention.plainAttentionBackward(
                query,
                of.segments(f.queryOffsets()),
                keys(f),
                scores(f),
                mask(f),
                f.dropout(),
                result,
                gradients,
                bias,
                sinks)
            : Attention.attentionBackward(
                query,
                of.segments(f.queryOffsets()),
                keys(f),
                scores(f),
                mask(f),
                f.dropout(),
                result,
                gradients,
                bias,
                sinks);
    of.gives(c.dquery(), given.query());
    of.gives(c.dkey(), given.key());
    of.gives(c.dvalue(), given.value());
    of.gives(c.dbias(), given.bias());
    of.gives(c.dsinks(), given.sinks());
  }

  private void attention(ScaledDotProductAttention c) {
    Attention.Keys given = keys(c);
    Attention.Scores scores = scores(c);
    Attention.Mask mask = mask(c);
    Tensor query = of.tensor(c.query());
    boolean lse = c.lse() != null;
    boolean weights = c.weights() != null;
    Attention.Result result =
        plain
            ? Attention.plainScaledDotProductAttention(
                query,
                of.segments(c.queryOffsets()),
                given,
                scores,
                mask,
                c.dropout(),
                lse,
                weights)
            : Attention.scaledDotProductAttention(
                query,
                of.segments(c.queryOffsets()),
                given,
                scores,
                mask,
                c.dropout(),
                lse,
                weights);
    of.gives(c.output(), result.output());
    of.gives(c.lse(), result.lse());
    of.gives(c.weights(), result.weights());
  }

  private void disentangledBias(DisentangledBias c) {
    Tensor c2p = of.tensor(c.c2p());
    Tensor p2c = of.tensor(c.p2c());
    Tensor positions = of.tensor(c.positions());
    of.gives(
        c.bias(),
        plain
            ? Attention.plainDisentangledBias(
                c2p,
                p2c,
                of.segments(c.offsets()),
                positions,
                c.span(),
                c.buckets(),
                c.maxPosition(),
                c.scale())
            : Attention.disentangledBias(
                c2p,
                p2c,
                of.segments(c.offsets()),
                positions,
                c.span(),
                c.buckets(),
                c.maxPosition(),
                c.scale()));
  }

  private void rotary(RotaryEmbedding c) {
    Tensor x = of.tensor(c.x());
    Tensor cosine = of.tensor(c.cosine());
    Tensor sine = of.tensor(c.sine());
    of.gives(
        c.y(),
        plain
            ? Rotary.plainRotaryEmbedding(x, cosine, sine, of.ids(c.positions()), c.interleaved())
            : Rotary.rotaryEmbedding(x, cosine, sine, of.ids(c.positions()), c.interleaved()));
  }

  private void rotaryCache(RotaryCacheUpdate c) {
    Tensor qkv = of.tensor(c.qkv());
    Tensor cosine = of.tensor(c.cosine());
    Tensor sine = of.tensor(c.sine());
    Tensor keys = of.tensor(c.keyCache());
    Tensor values = of.tensor(c.valueCache());
    Attention.Scales scales = scales(c.scales());
    of.gives(
        c.query(),
        plain
            ? Rotary.plainRotaryCacheUpdate(
                qkv,
                cosine,
                sine,
                of.ids(c.positions()),
                c.interleaved(),
                of.ids(c.slots()),
                keys,
                values,
                scales)
            : Rotary.rotaryCacheUpdate(
                qkv,
                cosine,
                sine,
                of.ids(c.positions()),
                c.interleaved(),
                of.ids(c.slots()),
                keys,
                values,
                scales));
    of.gives(c.keyCache(), keys);
    of.gives(c.valueCache(), values);
    if (scales != null) {
      of.gives(c.scales().keys(), scales.keys());
      of.gives(c.scales().values(), scales.values());
    }
  }

  private Attention.Scales scales(CacheScales scales) {
    return scales == null
        ? null
        : new Attention.Scales(of.tensor(scales.keys()), of.tensor(scales.values()));
  }

  private static NormBackward.Wanted wanted(Operand dx, Operand dweight, Operand dbias) {
    return new NormBackward.Wanted(dx != null, dweight != null, dbias != null);
  }

  private void gradients(Operand dx, Operand dweight, Operand dbias, NormBackward.Gradients given) {
    of.gives(dx, given.x());
    of.gives(dweight, given.weight());
    of.gives(dbias, given.bias());
  }

  private void layerNorm(LayerNorm c) {
    Tensor x = of.tensor(c.x());
    Tensor residual = of.tensor(c.residual());
    Tensor weight = of.tensor(c.weight());
    Tensor bias = of.tensor(c.bias());
    boolean sum = c.sum() != null;
    Quantization.Offsets codes = offsets(c.codes());
    Norm.Normed normed =
        plain
            ? Norm.plainLayerNorm(x, residual, weight, bias, c.eps(), sum, codes)
            : sum || codes != null
                ? Norm.layerNorm(x, residual, weight, bias, c.eps(), sum, codes)
                : new Norm.Normed(Norm.layerNorm(x, residual, weight, bias, c.eps()), null, null);
    normed(c.y(), c.sum(), c.codes(), normed);
  }

  private void rmsNorm(RmsNorm c) {
    Tensor x = of.tensor(c.x());
    Tensor residual = of.tensor(c.residual());
    Tensor weight = of.tensor(c.weight());
    boolean sum = c.sum() != null;
    Quantization.Offsets codes = offsets(c.codes());
    Norm.Normed normed =
        plain
            ? Norm.plainRmsNorm(x, residual, weight, c.shift(), c.eps(), sum, codes)
            : sum || codes != null
                ? Norm.rmsNorm(x, residual, weight, c.shift(), c.eps(), sum, codes)
                : new Norm.Normed(
                    Norm.rmsNorm(x, residual, weight, c.shift(), c.eps()), null, null);
    normed(c.y(), c.sum(), c.codes(), normed);
  }

  private void normed(Operand y, Operand sum, TokenCodes codes, Norm.Normed normed) {
    of.gives(y, normed.y());
    of.gives(sum, normed.sum());
    if (codes != null) {
      codes(codes, normed.codes());
    }
  }

  private static Quantization.Offsets offsets(TokenCodes codes) {
    return codes == null
        ? null
        : codes.meaning().offsets() == null
            ? Quantization.Offsets.NONE
            : Quantization.Offsets.OF_TOKENS;
  }

  private void codes(TokenCodes to, Quantization.Codes codes) {
    of.gives(to.codes(), codes.codes());
    of.gives(to.meaning().scales(), codes.scales());
    of.gives(to.meaning().offsets(), codes.offsets());
  }

  private void embedding(Embedding c) {
    Tensor table = of.tensor(c.table());
    Tensor y = of.tensor(c.y());
    if (c.accumulate()) {
      Tensor sum =
          plain
              ? Indexing.plainAddEmbedding(y, table, of.ids(c.ids()))
              : Indexing.addEmbedding(y, table, of.ids(c.ids()));
      of.gives(c.y(), sum);
    } else {
      of.gives(
          c.y(),
          plain
              ? Indexing.plainEmbedding(table, of.ids(c.ids()), y.dtype())
              : Indexing.embedding(table, of.ids(c.ids()), y.dtype()));
    }
  }

  private void packedEmbedding(PackedEmbedding c) {
    Tensor y = of.tensor(c.y());
    long columns = c.y().size(1);
    Tensor table =
        plain
            ? Elementwise.cast(of.unpacked(c.packed(), 0, c.rows(), columns), c.packed().dtype())
            : of.tensor(c.packed());
    if (c.accumulate()) {
      of.gives(
          c.y(),
          plain
              ? Indexing.plainAddEmbedding(y, table, of.ids(c.ids()))
              : Indexing.addPackedEmbedding(y, table, c.rows(), of.ids(c.ids())));
    } else {
      of.gives(
          c.y(),
          plain
              ? Indexing.plainEmbedding(table, of.ids(c.ids()), y.dtype())
              : Indexing.packedEmbedding(table, c.rows(), columns, of.ids(c.ids()), y.dtype()));
    }
  }

  private void matmul(Matmul c) {
    Tensor x = of.tensor(c.x());
    Tensor bias = of.tensor(c.bias());
    long n = c.y().size(1);
    Tensor weight =
        plain && c.isPacked() ? of.unpacked(c.weight(), 0, n, x.size(1)) : of.tensor(c.weight());
    of.gives(
        c.y(),
        plain
            ? dev.gatun.ops.Matmul.plainLinear(x, weight, bias, c.activation(), c.y().dtype())
            : dev.gatun.ops.Matmul.linear(x, weight, bias, n, c.activation(), c.y().dtype()));
  }

  private void routing(ExpertRouting c) {
    Tensor logits = of.tensor(c.logits());
    long k = c.experts().size(1);
    Experts.Routing routing =
        plain
            ? Experts.plainRoute(logits, k, c.renormalize(), c.scale(), c.capacity())
            : Experts.route(logits, k, c.renormalize(), c.scale(), c.capacity());
    of.gives(c.experts(), routing.experts());
    of.gives(c.weights(), routing.weights());
    of.gives(c.rows(), routing.rows());
    of.gives(c.places(), routing.places());
    of.gives(c.offsets(), routing.offsets());
  }

  private void quantized(QuantizedMatmul c) {
    Tensor x = of.tensor(c.x());
    Tensor bias = of.tensor(c.bias());
    long n = c.y().size(1);
    DType dtype = c.y().dtype();
    Quantization.Codes codes =
        c.codes() == null
            ? null
            : new Quantization.Codes(
                x, of.tensor(c.codes().scales()), of.tensor(c.codes().offsets()));
    if (plain) {
      Tensor weight = of.dequantized(c.layout(), c.packed(), 0, n, x.size(1));
      of.gives(
          c.y(),
          codes != null
              ? Quantization.plainLinear(codes, weight, bias, c.activation(), dtype)
              : Quantization.plainLinear(
                  x, weight, sums(c.layout()), c.activations(), bias, c.activation(), dtype));
    } else {
      Tensor packed = of.tensor(c.packed());
      BlockFormat format = QuantizedCases.format(packed.device().kernels(), c.layout());
      of.gives(
          c.y(),
          codes != null
              ? Quantization.linear(codes, packed, format, bias, n, c.activation(), dtype)
              : Quantization.linear(
                  x, packed, format, c.activations(), bias, n, c.activation(), dtype));
    }
  }

  private void blocks(BlockMatmul c) {
    Tensor x = of.tensor(c.x());
    Tensor blocks = of.tensor(c.blocks());
    Tensor bias = of.tensor(c.bias());
    DType dtype = c.y().dtype();
    of.gives(
        c.y(),
        plain
            ? Quantization.plainBlockLinear(
                x, blocks, c.format(), c.activations(), bias, c.activation(), dtype)
            : Quantization.blockLinear(
                x, blocks, c.format(), c.activations(), bias, c.activation(), dtype));
  }

  private void groupedQuantized(GroupedQuantizedMatmul c) {
    Tensor x = of.tensor(c.x());
    Tensor rows = of.tensor(c.rows());
    Tensor bias = of.tensor(c.bias());
    long n = c.y().size(1);
    Tensor places = of.empty(c.y().size(0));
    Experts.Routing routing = new Experts.Routing(null, null, places, null, of.tensor(c.offsets()));
    if (plain) {
      List<Tensor> weights = new ArrayList<>();
      long each = c.layout().packedBytes(n, x.size(1));
      for (int e = 0; e < c.experts(); e++) {
        weights.add(of.dequantized(c.layout(), c.packed(), e * each, n, x.size(1)));
      }
      of.gives(
          c.y(),
          Experts.plainLinear(
              x,
              rows,
              routing,
              weights,
              sums(c.layout()),
              c.activations(),
              bias,
              c.activation(),
              c.y().dtype()));
    } else {
      Tensor packed = of.tensor(c.packed());
      of.gives(
          c.y(),
          Experts.linear(
              x,
              rows,
              routing,
              packed,
              QuantizedCases.format(packed.device().kernels(), c.layout()),
              c.activations(),
              bias,
              n,
              c.activation(),
              c.y().dtype()));
    }
  }

  private static boolean sums(PackedLayout layout) {
    return layout.scales() == PackedLayout.Scales.F32_SUM;
  }

  private void grouped(GroupedMatmul c) {
    Tensor x = of.tensor(c.x());
    Tensor rows = of.tensor(c.rows());
    Tensor bias = of.tensor(c.bias());
    long n = c.y().size(1);
    Tensor places = of.empty(c.y().size(0));
    Experts.Routing routing = new Experts.Routing(null, null, places, null, of.tensor(c.offsets()));
    if (plain) {
      List<Tensor> weights = new ArrayList<>();
      long each = MatmulPack.packedCount(c.packed().dtype(), n, x.size(1));
      for (int e = 0; e < c.experts(); e++) {
        weights.add(of.unpacked(c.packed(), e * each, n, x.size(1)));
      }
      of.gives(
          c.y(),
          Experts.plainLinear(x, rows, routing, weights, bias, c.activation(), c.y().dtype()));
    } else {
      of.gives(
          c.y(),
          Experts.linear(
              x, rows, routing, of.tensor(c.packed()), bias, n, c.activation(), c.y().dtype()));
    }
  }
}
