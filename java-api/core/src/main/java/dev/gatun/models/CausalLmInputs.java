package dev.gatun.models;

/**
 * Whole sequences for a {@link CausalLm}. Only {@code inputIds} is needed; the other parts may be
 * null.
 *
 * @param inputIds token ids [batch, length]; rows may differ in length
 * @param attentionMask 1 for tokens, 0 for padding on either side, shaped as inputIds; a sequence's
 *     positions count from its first token
 * @param labels token ids [batch, length], the ids themselves, of which each token is to tell the
 *     next; -100 does not count
 * @param outputHiddenStates whether to give every layer's output
 * @param outputAttentions whether to give every layer's attention weights
 * @param outputRouterLogits whether to give what the routers of a mixture of experts choose by, and
 *     to add their load-balancing loss to the loss; null for as {@code config.json} says
 * @param labelWeights what each label's loss is multiplied by, shaped as labels; the loss is a mean
 *     over the sum of those that count; null for 1
 */
public record CausalLmInputs(
    long[][] inputIds,
    long[][] attentionMask,
    long[][] labels,
    boolean outputHiddenStates,
    boolean outputAttentions,
    Boolean outputRouterLogits,
    float[][] labelWeights) {

  /**
   * The same with labels that all count alike.
   *
   * @param inputIds token ids [batch, length]; rows may differ in length
   * @param attentionMask 1 for tokens, 0 for padding, shaped as inputIds; or null
   * @param labels token ids [batch, length], of which each token is to tell the next; -100 does not
   *     count; or null
   * @param outputHiddenStates whether to give every layer's output
   * @param outputAttentions whether to give every layer's attention weights
   * @param outputRouterLogits whether to give what routers choose by, and to add their loss; null
   *     for as {@code config.json} says
   */
  public CausalLmInputs(
      long[][] inputIds,
      long[][] attentionMask,
      long[][] labels,
      boolean outputHiddenStates,
      boolean outputAttentions,
      Boolean outputRouterLogits) {
    this(
        inputIds,
        attentionMask,
        labels,
        outputHiddenStates,
        outputAttentions,
        outputRouterLogits,
        null);
  }

  /**
   * The same with labels that all count alike, and with routers' logits as {@code config.json}
   * says.
   *
   * @param inputIds token ids [batch, length]; rows may differ in length
   * @param attentionMask 1 for tokens, 0 for padding, shaped as inputIds; or null
   * @param labels token ids [batch, length], of which each token is to tell the next; -100 does not
   *     count; or null
   * @param outputHiddenStates whether to give every layer's output
   * @param outputAttentions whether to give every layer's attention weights
   */
  public CausalLmInputs(
      long[][] inputIds,
      long[][] attentionMask,
      long[][] labels,
      boolean outputHiddenStates,
      boolean outputAttentions) {
    this(inputIds, attentionMask, labels, outputHiddenStates, outputAttentions, null);
  }

  /**
   * {@return the same inputs with weights of labels}
   *
   * @param weights what each label's loss is multiplied by, shaped as labels, finite numbers from
   *     0; null for 1
   */
  public CausalLmInputs withLabelWeights(float[]... weights) {
    return new CausalLmInputs(
        inputIds,
        attentionMask,
        labels,
        outputHiddenStates,
        outputAttentions,
        outputRouterLogits,
        weights);
  }

  /**
   * {@return inputs of token ids alone, without padding}
   *
   * @param inputIds token ids [batch, length]; rows may differ in length
   */
  public static CausalLmInputs of(long[]... inputIds) {
    return new CausalLmInputs(inputIds, null, null, false, false);
  }

  /** The ids and the mask, checked. */
  EncoderInputs tokens() {
    EncoderInputs tokens = EncoderInputs.of(inputIds, attentionMask, null);
    EncoderInputs.shaped("labels", inputIds, labels);
    EncoderInputs.weights(labels, labelWeights);
    return tokens;
  }
}
