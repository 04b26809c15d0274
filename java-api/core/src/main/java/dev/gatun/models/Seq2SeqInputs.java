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

  /** The same with labels that all count alike. */
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

  /** The same with weights of labels. */
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

  /** Sources and labels, with a mask of the sources or null. */
  public static Seq2SeqInputs ofLabels(long[][] inputIds, long[][] attentionMask, long[][] labels) {
    return new Seq2SeqInputs(inputIds, attentionMask, null, null, labels, false, false, false);
  }

  /** Sources, with a mask of them or null, and what their targets begin with. */
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
