package dev.gatun.generation;

import dev.gatun.models.CausalLm;
import java.util.List;
import java.util.function.IntConsumer;

/**
 * How far a model's next tokens are from another's, such as those of the same weights before they
 * were quantised: the Kullback-Leibler divergence of the first's probabilities from the second's,
 * {@code Σ p log(p / q)}, in nats.
 *
 * @param before how well the first model tells the text
 * @param after how well the second does
 * @param mean of the divergence, over all tokens
 * @param most of the divergence, of a token
 * @param sameTop the share of tokens whose likeliest next token is the same for both
 */
public record Divergence(
    Perplexity before, Perplexity after, double mean, double most, double sameTop) {

  /**
   * Compares two models of one vocabulary over a text's windows, as {@link Perplexity#of} has them.
   *
   * @param before the model that is compared with; stays open
   * @param after the other; stays open
   * @param ids the text's tokens, at least two
   * @param window the most tokens that the models see at once, from 2 to the shorter context
   * @param stride the tokens from one window to the next, from 1 to less than the window
   * @param progress is told the number of tokens counted so far, after each window
   * @return the divergence over all tokens but the first, with the perplexity of both models
   * @throws IllegalArgumentException for models of vocabularies of different sizes, a window or
   *     stride out of range, and fewer than two tokens
   */
  public static Divergence of(
      CausalLm before, CausalLm after, int[] ids, int window, int stride, IntConsumer progress) {
    if (before.vocabSize() != after.vocabSize()) {
      throw new IllegalArgumentException(
          "models of %d and of %d tokens cannot be compared"
              .formatted(before.vocabSize(), after.vocabSize()));
    }
    Sums sums = new Sums();
    new ToldTokens(List.of(before, after), ids, window, stride)
        .tell(
            List.of(before.cacheShape().dtype(), after.cacheShape().dtype()),
            (logits, next) -> sums.add(logits[0], logits[1], next),
            progress);
    int tokens = ids.length - 1;
    return new Divergence(
        new Perplexity(sums.before, tokens),
        new Perplexity(sums.after, tokens),
        sums.divergence / tokens,
        sums.most,
        (double) sums.same / tokens);
  }

  private static final class Sums {
    private double before;
    private double after;
    private double divergence;
    private double most;
    private int same;

    void add(float[] p, float[] q, int next) {
      double pAll = Sampler.logSumExp(p);
      double qAll = Sampler.logSumExp(q);
      before += pAll - p[next];
      after += qAll - q[next];
      double each = 0;
      int pTop = 0;
      int qTop = 0;
      for (int i = 0; i < p.length; i++) {
        double logP = p[i] - pAll;
        double probability = Math.exp(logP);
        // What never comes adds nothing, however unlikely the other finds it.
        each += probability == 0 ? 0 : probability * (logP - (q[i] - qAll));
        pTop = p[i] > p[pTop] ? i : pTop;
        qTop = q[i] > q[qTop] ? i : qTop;
      }
      divergence += each;
      most = Math.max(most, each);
      same += pTop == qTop ? 1 : 0;
    }
  }
}
