package dev.gatun.kernels.api.call.attention;

import dev.gatun.kernels.api.checks.Checks;
import dev.gatun.kernels.api.checks.Operands;
import dev.gatun.kernels.api.memory.DType;
import dev.gatun.kernels.api.memory.Operand;
import java.util.List;

/**
 * The gradients of {@link ScaledDotProductAttention} (FlashAttention-2, Dao, arXiv 2307.08691,
 * algorithm 2), the probabilities computed again. With the scores S of {@link AttentionScores},
 * {@code P = exp(S - lse)}, and Z = 0 where dropout drops, else {@code 1 / (1 - probability)}, of
 * one sequence and head:
 *
 * <pre>
 * dvalue = Σᵢ (Z P)ᵢⱼ doutputᵢ
 * dP     = Z (doutputᵢ · valueⱼ + dweightsᵢⱼ)
 * D      = doutputᵢ · outputᵢ - dlseᵢ
 * dS     = P (dP - D)
 * dquery = scale Σⱼ dS'ᵢⱼ keyⱼ,   dkey = scale Σᵢ dS'ᵢⱼ queryᵢ
 * </pre>
 *
 * <p>dS' is dS, or {@code (1 - tanh²(scale · query · key / softcap)) dS} where scores are capped.
 * dbias is dS summed over what the bias was repeated for, dsinks of a head {@code -Σ exp(sink -
 * lse) D}; slopes have no gradient. Keys and values have the sums of the heads that share them, in
 * the heads' order. Each sum has one order, whatever the number of threads.
 *
 * <p>A large lse, as biases of -1e9 make it, does not say as a float what tells a query's keys
 * apart, and where dweights are given the rounding of lse would be seen in what P dP and D leave.
 * So where {@link #isFoundAgain} the largest score m is found again, sinks among them, {@code P =
 * exp(S - m) / Σ exp(S - m)}, and {@code D = Σⱼ P dP - dlseᵢ}. What has a probability of 0 has no
 * part in D.
 *
 * <p>What a query does not see has no part in anything, and keys and values that the key mask hides
 * are not read; a query that sees nothing gives zeros. Keys beyond those in use have gradients of
 * 0; tokens of no sequence are left alone.
 *
 * @param forward the call, with its output and lse as it gave them; its weights are not looked at.
 *     Keys in pages, and keys and values of signed bytes, have no gradients.
 * @param doutput the gradient of output, as output with strides of its own
 * @param dlse the gradient of lse, F32 [batch, heads, query_length] contiguous; or null
 * @param dweights the gradient of the probabilities after dropout, F32 [batch, heads, query_length,
 *     key_length] contiguous; or null
 * @param dquery receives the gradient of query, as query with strides of its own; dquery, dkey and
 *     dvalue may be slices of one matrix
 * @param dkey as key
 * @param dvalue as value
 * @param dbias receives the gradient of the bias, F32 of its shape, contiguous; or null
 * @param dsinks receives the gradients of the sinks, F32 [heads] contiguous; or null
 */
public record AttentionBackward(
    ScaledDotProductAttention forward,
    Operand doutput,
    Operand dlse,
    Operand dweights,
    Operand dquery,
    Operand dkey,
    Operand dvalue,
    Operand dbias,
    Operand dsinks)
    implements AttentionCall {
  /** A log-sum-exp beyond it, as a float, says probabilities to less than 1 in 2^20. */
  public static final float EXACT_LSE = 16;

  private static final String NAME = "attention_backward";

  /**
   * Checks the arguments.
   *
   * @throws IllegalArgumentException naming the argument that does not fit, and what would
   */
  public AttentionBackward {
    Checks.required(NAME, "forward", forward);
    if (forward.lse() == null) {
      throw Checks.bad(NAME, "lse is missing, expected that which attention gave");
    }
    if (forward.keys().isPaged() || forward.keys().scales() != null) {
      throw Checks.bad(
          NAME,
          "keys %s, expected neither pages nor scales",
          forward.keys().isPaged() ? "lie in pages" : "have scales");
    }
    like("doutput", doutput, forward.output());
    like("dquery", dquery, forward.query());
    like("dkey", dkey, forward.key());
    like("dvalue", dvalue, forward.value());
    long heads = forward.query().size(-2);
    if (dlse != null) {
      full("dlse", dlse, forward.batch(), heads, forward.queryLength());
    }
    if (dweights != null) {
      full(
          "dweights", dweights, forward.batch(), heads, forward.queryLength(), forward.keyLength());
    }
    if (dbias != null) {
      if (forward.scores().bias() == null) {
        throw Checks.bad(NAME, "dbias is %s, but there is no bias", dbias);
      }
      full("dbias", dbias, forward.scores().bias().shape());
    }
    if (dsinks != null) {
      if (forward.scores().sinks() == null) {
        throw Checks.bad(NAME, "dsinks is %s, but there are no sinks", dsinks);
      }
      full("dsinks", dsinks, heads);
    }
    for (Operand output : List.of(dquery, dkey, dvalue)) {
      Checks.apart(NAME, "gradient", output);
    }
    Checks.disjoint(
        new Operands(
            NAME,
            inputs(forward, doutput, dlse, dweights),
            Checks.present(dquery, dkey, dvalue, dbias, dsinks)));
  }

  private static void like(String name, Operand gradient, Operand of) {
    Checks.shaped(NAME, name, gradient, of.dtype(), of.shape());
    Checks.rows(NAME, "last axis of", gradient);
  }

  private static void full(String name, Operand gradient, long... shape) {
    Checks.shaped(NAME, name, gradient, DType.F32, shape);
    Checks.contiguous(NAME, name, gradient);
  }

  private static List<Operand> inputs(
      ScaledDotProductAttention forward, Operand doutput, Operand dlse, Operand dweights) {
    return Checks.both(
        forward.inputs(), Checks.present(forward.output(), forward.lse(), doutput, dlse, dweights));
  }

  /**
   * {@return the stride of dbias on an axis, 0 where it has one element}
   *
   * @param axis an axis of [batch, heads, queries, keys]
   */
  public long dbiasStride(int axis) {
    return dbias.size(axis) == 1 ? 0 : dbias.stride(axis);
  }

  /**
   * {@return whether a query's probabilities are those of a softmax that is computed again, and not
   * by their log-sum-exp: one that is finite and above 16 or below -16, or any where there are
   * dweights}
   *
   * @param lse a query's element of lse
   */
  public boolean isFoundAgain(float lse) {
    return Float.isFinite(lse) && (Math.abs(lse) > EXACT_LSE || dweights != null);
  }

  @Override
  public String kernel() {
    return NAME;
  }

  @Override
  public List<Operand> inputs() {
    return inputs(forward, doutput, dlse, dweights);
  }

  @Override
  public List<Operand> outputs() {
    return Checks.present(dquery, dkey, dvalue, dbias, dsinks);
  }
}
