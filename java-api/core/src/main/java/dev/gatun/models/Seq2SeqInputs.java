package dev.gatun.models;

/**
 * Whole sequences for a {@link Seq2SeqLm}. {@code inputIds} and one of {@code decoderInputIds} and
 * {@code labels} are needed; the other parts may be null.
 *
 * @param inputIds token ids of the sources [batch, length]; rows may differ in length
 * @param attentionMask 1 for tokens, 0 for padding, shaped as inputIds
 * @param decoderInputIds token ids of the targets [batch, target_length]; without them the labels,
 *     a place further, behind the configuration's {@code decoder_start_token_id}
 * @param decoderAttentionMask as attentionMask, shaped as decoderInputIds
 * @param labels token ids [batch, target_length], of which each target token is to tell the one at
 *     its own place; -100 does not count
 * @param outputHiddenStates whether to give every layer's output
 * @param outputAttentions whether to give every layer's attention weights
 * @param outputRouterLogits whether to give what routers of a mixture of experts choose by, and to
 *     add their losses to the loss
 * @param labelWeights what each label's loss is multiplied by, shaped as labels; the loss is a mean
 *     over the sum of those that count; null for 1
 */
public record Seq2SeqInputs(
    long[][] inputIds,
    long[][] attentionMask,
    long[][] decoderInputIds,
    long[][] decoderAttentionMask,
    long[][] labels,
    boolean outputHiddenStates,
    boolean outputAttentions,
    boolean outputRouterLogits,
    float[][] labelWeights) {

  /**
   * The same with labels that all count alike.
   *
   * @param inputIds token ids of the sources [batch, length]; rows may differ in length
   * @param attentionMask 1 for tokens, 0 for padding, shaped as inputIds; or null
   * @param decoderInputIds token ids of the targets [batch, target_length]; null for the labels, a
   *     place further
   * @param decoderAttentionMask as attentionMask, shaped as decoderInputIds; or null
   * @param labels token ids [batch, target_length], of which each target token is to tell the one
   *     at its own place; -100 does not count; or null
   * @param outputHiddenStates whether to give every layer's output
   * @param outputAttentions whether to give every layer's attention weights
   * @param outputRouterLogits whether to give what routers choose by, and to add their losses to
   *     the loss
   */
  public Seq2SeqInputs(
      long[][] inputIds,
      long[][] attentionMask,
      long[][] decoderInputIds,
      long[][] decoderAttentionMask,
      long[][] labels,
      boolean outputHiddenStates,
      boolean outputAttentions,
      boolean outputRouterLogits) {
    this(
        inputIds,
        attentionMask,
        decoderInputIds,
        decoderAttentionMask,
        labels,
        outputHiddenStates,
        outputAttentions,
        outputRouterLogits,
        null);
  }

  /**
   * {@return the same inputs with weights of labels}
   *
   * @param weights what each label's loss is multiplied by, shaped as labels, finite numbers from
   *     0; null for 1
   */
  public Seq2SeqInputs withLabelWeights(float[]... weights) {
    return new Seq2SeqInputs(
        inputIds,
        attentionMask,
        decoderInputIds,
        decoderAttentionMask,
        labels,
        outputHiddenStates,
        outputAttentions,
        outputRouterLogits,
        weights);
  }

  /**
   * {@return inputs of sources and labels, which the targets follow from}
   *
   * @param inputIds token ids of the sources [batch, length]; rows may differ in length
   * @param attentionMask 1 for tokens, 0 for padding, shaped as inputIds; null for tokens alone
   * @param labels token ids [batch, target_length]; -100 does not count
   */
  public static Seq2SeqInputs ofLabels(long[][] inputIds, long[][] attentionMask, long[][] labels) {
    return new Seq2SeqInputs(inputIds, attentionMask, null, null, labels, false, false, false);
  }

  /**
   * {@return inputs of sources and what their targets begin with, without labels}
   *
   * @param inputIds token ids of the sources [batch, length]; rows may differ in length
   * @param attentionMask 1 for tokens, 0 for padding, shaped as inputIds; null for tokens alone
   * @param decoderInputIds token ids of the targets [batch, target_length]
   */
  public static Seq2SeqInputs of(
      long[][] inputIds, long[][] attentionMask, long[][] decoderInputIds) {
    return new Seq2SeqInputs(
        inputIds, attentionMask, decoderInputIds, null, null, false, false, false);
  }

  /** The sources and their mask, checked. */
  EncoderInputs sources() {
    return EncoderInputs.of(inputIds, attentionMask, null);
  }

  /** The targets and their mask, checked. */
  EncoderInputs targets(EncoderDecoder model) {
    long[][] ids = decoderInputIds;
    if (ids == null && labels == null) {
      throw new IllegalArgumentException("decoder_input_ids and labels are both missing");
    }
    if (ids == null) {
      ids = model.shifted(labels);
    }
    EncoderInputs targets = EncoderInputs.of(ids, decoderAttentionMask, null);
    if (ids.length != inputIds.length) {
      throw new IllegalArgumentException(
          "%s has %d rows, input_ids %d"
              .formatted(
                  decoderInputIds == null ? "labels" : "decoder_input_ids",
                  ids.length,
                  inputIds.length));
    }
    EncoderInputs.shaped("labels", ids, labels);
    EncoderInputs.weights(labels, labelWeights);
    return targets;
  }
}
