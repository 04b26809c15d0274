package dev.gatun.models;

/**
 * What an encoder computes on. Only {@code inputIds} is needed; the other parts may be null.
 *
 * @param inputIds token ids [batch, length]; rows may differ in length
 * @param attentionMask 1 for tokens, 0 for padding, shaped as inputIds; what reads a sequence's
 *     first token reads the first that is none of padding, where transformers reads padding in
 *     front
 * @param tokenTypeIds the segment of each token, shaped as inputIds
 * @param labels per token [batch, length], or per sequence [batch, 1]; -100 does not count, all
 *     others do, those of padding too
 * @param labelValues labels that are numbers, [batch, num_labels]: of regression and multi-label
 *     classification
 * @param nextSentenceLabel of pretraining, [batch]
 * @param startPositions of question answering, [batch]
 * @param endPositions of question answering, [batch]
 * @param outputHiddenStates whether to give every layer's output
 * @param outputAttentions whether to give every layer's attention weights
 * @param labelWeights what each label's loss is multiplied by, shaped as labels, where these are
 *     classes; the loss is a mean over the sum of those that count; null for 1
 */
public record EncoderInputs(
    long[][] inputIds,
    long[][] attentionMask,
    long[][] tokenTypeIds,
    long[][] labels,
    float[][] labelValues,
    long[] nextSentenceLabel,
    long[] startPositions,
    long[] endPositions,
    boolean outputHiddenStates,
    boolean outputAttentions,
    float[][] labelWeights) {

  /**
   * Checks the arguments.
   *
   * @throws IllegalArgumentException naming what does not fit, and what would
   */
  public EncoderInputs {
    if (inputIds == null) {
      throw new IllegalArgumentException("input_ids is missing");
    }
    for (int i = 0; i < inputIds.length; i++) {
      if (inputIds[i] == null) {
        throw new IllegalArgumentException("input_ids: row %d is missing".formatted(i));
      }
    }
    shaped("attention_mask", inputIds, attentionMask);
    shaped("token_type_ids", inputIds, tokenTypeIds);
    rows("labels", inputIds, labels == null ? -1 : labels.length);
    rows("label_values", inputIds, labelValues == null ? -1 : labelValues.length);
    rows(
        "next_sentence_label", inputIds, nextSentenceLabel == null ? -1 : nextSentenceLabel.length);
    rows("start_positions", inputIds, startPositions == null ? -1 : startPositions.length);
    rows("end_positions", inputIds, endPositions == null ? -1 : endPositions.length);
    weights(labels, labelWeights);
  }

  /**
   * The same with labels that all count alike.
   *
   * @param inputIds token ids [batch, length]; rows may differ in length
   * @param attentionMask 1 for tokens, 0 for padding, shaped as inputIds; or null
   * @param tokenTypeIds the segment of each token, shaped as inputIds; or null
   * @param labels per token [batch, length], or per sequence [batch, 1]; -100 does not count; or
   *     null
   * @param labelValues labels that are numbers, [batch, num_labels]; or null
   * @param nextSentenceLabel of pretraining, [batch]; or null
   * @param startPositions of question answering, [batch]; or null
   * @param endPositions of question answering, [batch]; or null
   * @param outputHiddenStates whether to give every layer's output
   * @param outputAttentions whether to give every layer's attention weights
   */
  public EncoderInputs(
      long[][] inputIds,
      long[][] attentionMask,
      long[][] tokenTypeIds,
      long[][] labels,
      float[][] labelValues,
      long[] nextSentenceLabel,
      long[] startPositions,
      long[] endPositions,
      boolean outputHiddenStates,
      boolean outputAttentions) {
    this(
        inputIds,
        attentionMask,
        tokenTypeIds,
        labels,
        labelValues,
        nextSentenceLabel,
        startPositions,
        endPositions,
        outputHiddenStates,
        outputAttentions,
        null);
  }

  /**
   * {@return the same inputs with weights of labels}
   *
   * @param weights what each label's loss is multiplied by, shaped as labels, finite numbers from
   *     0; null for 1
   */
  public EncoderInputs withLabelWeights(float[]... weights) {
    return new EncoderInputs(
        inputIds,
        attentionMask,
        tokenTypeIds,
        labels,
        labelValues,
        nextSentenceLabel,
        startPositions,
        endPositions,
        outputHiddenStates,
        outputAttentions,
        weights);
  }

  /**
   * {@return inputs of token ids alone, without padding}
   *
   * @param inputIds token ids [batch, length]; rows may differ in length
   */
  public static EncoderInputs of(long[][] inputIds) {
    return of(inputIds, null, null);
  }

  /**
   * {@return inputs of token ids with mask and types}
   *
   * @param inputIds token ids [batch, length]; rows may differ in length
   * @param attentionMask 1 for tokens, 0 for padding, shaped as inputIds; null for tokens alone
   * @param tokenTypeIds the segment of each token, shaped as inputIds; null for 0
   */
  public static EncoderInputs of(long[][] inputIds, long[][] attentionMask, long[][] tokenTypeIds) {
    return new EncoderInputs(
        inputIds, attentionMask, tokenTypeIds, null, null, null, null, null, false, false);
  }

  boolean isToken(int sequence, int token) {
    return attentionMask == null || attentionMask[sequence][token] != 0;
  }

  /** Whether tokens that the mask hides have labels that count. */
  boolean labelsPadding() {
    if (labels == null || attentionMask == null) {
      return false;
    }
    for (int i = 0; i < labels.length; i++) {
      for (int j = 0; labels[i] != null && j < labels[i].length; j++) {
        if (labels[i][j] != -100 && j < inputIds[i].length && !isToken(i, j)) {
          return true;
        }
      }
    }
    return false;
  }

  /** Whether all rows have the same length. */
  boolean isRectangular() {
    for (long[] row : inputIds) {
      if (row.length != inputIds[0].length) {
        return false;
      }
    }
    return true;
  }

  private static void rows(String name, long[][] ids, int rows) {
    if (rows >= 0 && rows != ids.length) {
      throw new IllegalArgumentException(
          "%s has %d rows, input_ids %d".formatted(name, rows, ids.length));
    }
  }

  /** Requires, where they are given, a finite weight from 0 on for each label. */
  static void weights(long[][] labels, float[]... weights) {
    if (weights == null) {
      return;
    }
    if (labels == null || weights.length != labels.length) {
      throw new IllegalArgumentException(
          "label_weights has %d rows, labels %s"
              .formatted(weights.length, labels == null ? "are missing" : labels.length));
    }
    for (int i = 0; i < weights.length; i++) {
      if (weights[i] == null || labels[i] == null || weights[i].length != labels[i].length) {
        throw new IllegalArgumentException(
            "label_weights: row %d has %s, expected one for each label"
                .formatted(i, weights[i] == null ? "none" : weights[i].length));
      }
      for (int j = 0; j < weights[i].length; j++) {
        if (!(weights[i][j] >= 0 && weights[i][j] < Float.POSITIVE_INFINITY)) {
          throw new IllegalArgumentException(
              "label_weights: %s at %d of row %d, expected 0 or a positive number"
                  .formatted(weights[i][j], j, i));
        }
      }
    }
  }

  /** Requires, where it is given, a value a token. */
  static void shaped(String name, long[][] ids, long[][] other) {
    if (other == null) {
      return;
    }
    rows(name, ids, other.length);
    for (int i = 0; i < ids.length; i++) {
      if (other[i] == null) {
        throw new IllegalArgumentException("%s: row %d is missing".formatted(name, i));
      }
      if (other[i].length != ids[i].length) {
        throw new IllegalArgumentException(
            "%s has %d tokens in row %d, input_ids %d"
                .formatted(name, other[i].length, i, ids[i].length));
      }
    }
  }
}
