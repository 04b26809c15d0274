package dev.gatun.models;

import dev.gatun.tensor.Tensor;

/** A head's computation. */
interface HeadLayer {
  /**
   * Puts what the head makes of the last hidden states [tokens, hidden] into the output.
   *
   * @param inputs has the labels
   */
  void forward(Tensor hidden, TokenBatch batch, EncoderInputs inputs, EncoderOutput output);

  /**
   * The scores [rows, columns] of rows of hidden states: of any tokens where the head scores
   * tokens, pooled ones where it scores sequences.
   *
   * @throws IllegalStateException when the head gives no scores
   */
  default Tensor scores(Tensor rows) {
    throw new IllegalStateException("this head gives no scores, only hidden states");
  }

  /**
   * The rows that {@link #scores} takes of all hidden states [tokens, hidden] of a batch: a
   * sequence's each where the head scores sequences, else all of them.
   */
  default Tensor pooled(Tensor hidden, TokenBatch batch) {
    return hidden;
  }

  /** Whether {@link #scores} are of sequences, and not of tokens. */
  default boolean scoresSequences() {
    return false;
  }

  /** Whether the head's loss is defined over padded sequences, padding's own scores included. */
  default boolean needsPadding(EncoderInputs inputs) {
    return false;
  }
}
