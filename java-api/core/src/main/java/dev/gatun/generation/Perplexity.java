package dev.gatun.generation;

import dev.gatun.kernels.api.memory.DType;
import dev.gatun.models.CausalLm;
import java.util.List;
import java.util.function.IntConsumer;

/**
 * How well a model tells the tokens of a text.
 *
 * @param loss the sum of the negative natural logarithms of the tokens' probabilities
 * @param tokens how many tokens were told: all but the first
 */
public record Perplexity(double loss, int tokens) {
  /** {@return the perplexity: e to the mean loss a token} */
  public double value() {
    return Math.exp(loss / tokens);
  }

  /**
   * {@return the mean loss in bits a byte of the text, which does not depend on the tokenizer}
   *
   * @param bytes the text's length in UTF-8
   */
  public double bitsPerByte(long bytes) {
    return loss / Math.log(2) / bytes;
  }

  /**
   * Tells each token from those before it in a window. Windows follow each other by {@code stride}
   * tokens; of each but the first only the last {@code stride} tokens count, the others are what
   * they are told from.
   *
   * @param model that tells; stays open
   * @param ids the text's tokens, at least two
   * @param window the most tokens that the model sees at once, from 2 to its context
   * @param stride the tokens from one window to the next, from 1 to less than the window: shorter
   *     ones see more, and take longer
   * @param progress is told the number of tokens counted so far, after each window
   * @return the loss over all tokens but the first
   * @throws IllegalArgumentException for a window or stride out of range, fewer than two tokens,
   *     and ids outside of the vocabulary
   */
  public static Perplexity of(
      CausalLm model, int[] ids, int window, int stride, IntConsumer progress) {
    return of(model, model.cacheShape().dtype(), ids, window, stride, progress);
  }

  /**
   * The same with keys and values kept as another type.
   *
   * @param model that tells; stays open
   * @param cacheDtype F32, F16, BF16 or I8
   * @param ids the text's tokens, at least two
   * @param window the most tokens that the model sees at once, from 2 to its context
   * @param stride the tokens from one window to the next, from 1 to less than the window
   * @param progress is told the number of tokens counted so far, after each window
   * @return the loss over all tokens but the first
   * @throws IllegalArgumentException as the other
   */
  public static Perplexity of(
      CausalLm model, DType cacheDtype, int[] ids, int window, int stride, IntConsumer progress) {
    double[] loss = {0};
    new ToldTokens(List.of(model), ids, window, stride)
        .tell(
            List.of(cacheDtype),
            (logits, next) -> loss[0] += Sampler.logSumExp(logits[0]) - logits[0][next],
            progress);
    return new Perplexity(loss[0], ids.length - 1);
  }
}
