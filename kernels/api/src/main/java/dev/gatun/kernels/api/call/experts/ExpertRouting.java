package dev.gatun.kernels.api.call.experts;

import dev.gatun.kernels.api.call.reduction.TopK;
import dev.gatun.kernels.api.checks.Checks;
import dev.gatun.kernels.api.checks.Operands;
import dev.gatun.kernels.api.memory.DType;
import dev.gatun.kernels.api.memory.Operand;
import java.util.List;

/**
 * Chooses the experts of each token of a mixture, and orders the tokens by expert. Token t is given
 * the k experts of its largest logits, in the order of {@link TopK}: the largest first, of equal
 * ones the first, NaN before all. The weight of its i-th expert e is
 *
 * <pre>{@code
 * weights[t, i] = scale * exp(logits[t, e]) / Σ exp(logits[t, j])
 * }</pre>
 *
 * summed over the experts of the token when {@code renormalize} is set (Mixtral, arXiv 2401.04088),
 * and over all of them otherwise (Switch Transformers, arXiv 2101.03961, with k = 1; DeepSeekMoE,
 * arXiv 2401.06066). A row whose largest logit is NaN or infinite gives NaN.
 *
 * <p>A pair of a token and one of its experts is a slot. Slots are ordered by expert, and those of
 * an expert by token: expert e has the places {@code offsets[e]} to {@code offsets[e + 1]}, what a
 * {@link GroupedMatmul} reads and writes. Slots beyond an expert's capacity have no place.
 *
 * @param logits F32, BF16 or F16 [tokens, experts], rows without gaps inside; fewer than 2^31 slots
 *     and experts
 * @param renormalize whether the weights of a token are those of its own experts alone
 * @param scale of the weights
 * @param capacity of each expert, or null for as much as comes
 * @param experts I32 [tokens, k] contiguous, k from 1 to the experts: those chosen
 * @param weights F32 [tokens, k] contiguous; also of slots without a place
 * @param rows I32 [tokens * k] contiguous: the token at each place; -1 behind the last place
 * @param places I32 [tokens, k] contiguous: where each slot lies in rows; -1 for nowhere
 * @param offsets I32 [experts + 1] contiguous: where each expert's places begin, and the last end
 */
public record ExpertRouting(
    Operand logits,
    boolean renormalize,
    float scale,
    ExpertCapacity capacity,
    Operand experts,
    Operand weights,
    Operand rows,
    Operand places,
    Operand offsets)
    implements ExpertCall {
  private static final String NAME = "expert_routing";

  /**
   * Checks the arguments.
   *
   * @throws IllegalArgumentException naming the argument that does not fit, and what would
   */
  public ExpertRouting {
    Checks.operand(NAME, "logits", logits, Checks.floats(NAME, "logits", logits), 2);
    Checks.rows(NAME, "logits", logits);
    Checks.operand(NAME, "experts", experts, DType.I32, 2);
    long tokens = logits.size(0);
    long k = experts.size(1);
    Checks.shaped(NAME, "experts", experts, DType.I32, tokens, k);
    Checks.contiguous(NAME, "experts", experts);
    if (k < 1 || k > logits.size(1)) {
      throw Checks.bad(NAME, "k is %d, expected 1 to the experts of logits %s", k, logits);
    }
    if (logits.size(1) > Integer.MAX_VALUE - 1 || tokens > Integer.MAX_VALUE / k) {
      throw Checks.bad(
          NAME, "logits is %s, expected fewer than 2^31 experts and, with k %d, slots", logits, k);
    }
    if (!Float.isFinite(scale)) {
      throw Checks.bad(NAME, "scale is %s, expected a finite number", scale);
    }
    if (capacity != null && capacity.sequences().tokens() != tokens) {
      throw Checks.bad(
          NAME,
          "the sequences of the capacity have %d tokens, expected those of logits %s",
          capacity.sequences().tokens(),
          logits);
    }
    Checks.shaped(NAME, "weights", weights, DType.F32, tokens, k);
    Checks.contiguous(NAME, "weights", weights);
    Checks.shaped(NAME, "rows", rows, DType.I32, tokens * k);
    Checks.contiguous(NAME, "rows", rows);
    Checks.shaped(NAME, "places", places, DType.I32, tokens, k);
    Checks.contiguous(NAME, "places", places);
    Checks.shaped(NAME, "offsets", offsets, DType.I32, logits.size(1) + 1);
    Checks.contiguous(NAME, "offsets", offsets);
    Checks.disjoint(
        new Operands(
            NAME,
            inputs(logits, capacity),
            Checks.present(experts, weights, rows, places, offsets)));
  }

  @Override
  public String kernel() {
    return NAME;
  }

  @Override
  public List<Operand> inputs() {
    return inputs(logits, capacity);
  }

  private static List<Operand> inputs(Operand logits, ExpertCapacity capacity) {
    return Checks.present(logits, capacity == null ? null : capacity.sequences().values());
  }

  @Override
  public List<Operand> outputs() {
    return Checks.present(experts, weights, rows, places, offsets);
  }
}
