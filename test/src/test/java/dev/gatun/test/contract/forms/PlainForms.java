package dev.gatun.test.contract.forms;

import dev.gatun.kernels.api.call.KernelCall;
import dev.gatun.kernels.api.call.attention.AttentionBackward;
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
import dev.gatun.kernels.api.call.matmul.Matmul;
import dev.gatun.kernels.api.call.matmul.QuantizeTokens;
import dev.gatun.kernels.api.call.matmul.QuantizedMatmul;
import dev.gatun.kernels.api.call.norm.L2Normalize;
import dev.gatun.kernels.api.call.norm.LayerNorm;
import dev.gatun.kernels.api.call.norm.LayerNormBackward;
import dev.gatun.kernels.api.call.norm.RmsNorm;
import dev.gatun.kernels.api.call.norm.RmsNormBackward;
import dev.gatun.kernels.api.call.norm.SoftmaxBackward;
import dev.gatun.kernels.api.call.reduction.Pool;
import dev.gatun.tensor.Device;
import dev.gatun.tensor.Scope;
import dev.gatun.test.contract.cases.Cases;
import dev.gatun.test.contract.cases.Draw;
import dev.gatun.test.contract.cases.Family;
import dev.gatun.test.contract.frame.Case;
import dev.gatun.test.contract.frame.Data;
import dev.gatun.test.contract.frame.Runs;
import dev.gatun.test.contract.frame.Target;
import dev.gatun.test.contract.frame.Tolerance;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.function.BiConsumer;

/** Holds an op's two forms, on a backend, to what is right and to each other. */
final class PlainForms {
  /** The records whose ops are fused of others, and the method that is their plain form. */
  static final Map<Class<? extends KernelCall>, String> FUSED =
      Map.ofEntries(
          Map.entry(ScaledDotProductAttention.class, "Attention.plainScaledDotProductAttention"),
          Map.entry(AttentionBackward.class, "Attention.plainAttentionBackward"),
          Map.entry(DisentangledBias.class, "Attention.plainDisentangledBias"),
          Map.entry(RotaryEmbedding.class, "Rotary.plainRotaryEmbedding"),
          Map.entry(RotaryCacheUpdate.class, "Rotary.plainRotaryCacheUpdate"),
          Map.entry(GatedActivation.class, "Elementwise.plainGatedActivation"),
          Map.entry(ActivationBackward.class, "ElementwiseBackward.plainActivationBackward"),
          Map.entry(
              GatedActivationBackward.class, "ElementwiseBackward.plainGatedActivationBackward"),
          Map.entry(CrossEntropyBackward.class, "LossBackward.plainCrossEntropyBackward"),
          Map.entry(ExpertRouting.class, "Experts.plainRoute"),
          Map.entry(GroupedMatmul.class, "Experts.plainLinear"),
          Map.entry(GroupedQuantizedMatmul.class, "Experts.plainLinear"),
          Map.entry(ExpertCombine.class, "Experts.plainCombine"),
          Map.entry(Embedding.class, "Indexing.plainEmbedding"),
          Map.entry(PackedEmbedding.class, "Indexing.plainEmbedding"),
          Map.entry(CrossEntropy.class, "Loss.plainCrossEntropy"),
          Map.entry(Matmul.class, "Matmul.plainLinear"),
          Map.entry(QuantizedMatmul.class, "Quantization.plainLinear"),
          Map.entry(QuantizeTokens.class, "Quantization.plainQuantizeTokens"),
          Map.entry(LayerNorm.class, "Norm.plainLayerNorm"),
          Map.entry(RmsNorm.class, "Norm.plainRmsNorm"),
          Map.entry(L2Normalize.class, "Norm.plainL2Normalize"),
          Map.entry(LayerNormBackward.class, "NormBackward.plainLayerNormBackward"),
          Map.entry(RmsNormBackward.class, "NormBackward.plainRmsNormBackward"),
          Map.entry(SoftmaxBackward.class, "NormBackward.plainSoftmaxBackward"),
          Map.entry(Pool.class, "Reductions.plainPool"));

  /** The generators of the contract whose cases both forms run, by the beginnings of names. */
  private static final Set<String> GENERATORS =
      Set.of(
          "scaled_dot_product_attention",
          "scaled_dot_product_attention-codes",
          "attention_backward",
          "attention_backward-shifted",
          "disentangled_bias",
          "rotary_embedding",
          "rotary_cache_update",
          "rotary_cache_update-codes",
          "gated_activation",
          "activation_backward",
          "gated_activation_backward",
          "cross_entropy_backward",
          "expert_routing",
          "grouped_matmul",
          "grouped_quantized_matmul",
          "quantized_matmul",
          "expert_combine",
          "embedding",
          "packed_embedding",
          "cross_entropy",
          "matmul",
          "quantize_tokens",
          "layer_norm",
          "rms_norm",
          "l2_normalize",
          "layer_norm_backward",
          "rms_norm_backward",
          "softmax_backward",
          "pool");

  private PlainForms() {}

  /** Cases whose forms are compared. */
  static List<Case> cases(int each) {
    return Cases.draws(Family.PLAIN, Target.EMULATED, each)
        .filter(draw -> GENERATORS.contains(draw.generator().name()))
        .map(Draw::make)
        // Plain forms multiply what is not seen by 0.
        .filter(c -> !c.description().contains("with NaN"))
        .map(PlainForms::seenByAll)
        .toList();
  }

  /** The same case with finite values of attention, which its plain form multiplies by 0. */
  private static Case seenByAll(Case c) {
    List<Data> data =
        c.data().stream()
            .map(
                d ->
                    !d.name().equals("value") && !d.name().equals("value scales")
                        ? d
                        : d.withValues(d.contents().changed(PlainForms::finite)))
            .toList();
    return new Case(c.description(), data, c.call(), c.exact(), c.oracle());
  }

  private static double[] finite(double[] values) {
    for (int i = 0; i < values.length; i++) {
      values[i] = Double.isFinite(values[i]) && Math.abs(values[i]) < 1e20 ? values[i] : 0.5;
    }
    return values;
  }

  /**
   * Runs both forms of a case: each is as right as the contract asks of a kernel, the kernel form
   * also by what the plain one errs; the one makes one call, the other none of a fused kernel.
   *
   * @return whether there were two forms to compare
   */
  static boolean check(Case c, Recorder backend) {
    Device device = Device.of(backend);
    try (Scope _ = Scope.open()) {
      KernelCall call = new Operands(c, device).call();
      if (!Forms.has(call)) {
        return false;
      }
      Runs.References references = Runs.references(c);
      Map<String, int[]> plain = run(c, device, backend, references, Forms::plain);
      for (KernelCall made : backend.calls) {
        if (FUSED.containsKey(made.getClass())) {
          throw new AssertionError(c + ": the plain form ran " + made.kernel());
        }
      }
      Tolerance.check(c, references, plain);
      Map<String, int[]> kernel = run(c, device, backend, references, Forms::kernel);
      if (backend.calls.size() != 1 || backend.calls.getFirst().getClass() != call.getClass()) {
        throw new AssertionError(c + ": the kernel form ran " + backend.calls);
      }
      // In few results the one plain form may err less than such computations do.
      Tolerance.check(c, references, List.of(plain), kernel);
      return true;
    }
  }

  private static Map<String, int[]> run(
      Case c,
      Device device,
      Recorder backend,
      Runs.References references,
      BiConsumer<KernelCall, Operands> form) {
    try (Scope _ = Scope.open()) {
      Operands operands = new Operands(c, device);
      KernelCall call = operands.call();
      backend.calls.clear();
      form.accept(call, operands);
      return operands.results(references.exact());
    }
  }
}
