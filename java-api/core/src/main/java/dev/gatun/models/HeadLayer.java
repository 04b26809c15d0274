package dev.gatun.models;

import dev.gatun.kernels.api.call.reduction.PoolingMode;
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

  /** How sequences are pooled for {@link #scores}; null where these are of tokens. */
  default PoolingMode pooling() {
    return null;
  }

  /** Whether the head's loss is defined over padded sequences, padding's own scores included. */
  default boolean needsPadding(EncoderInputs inputs) {
    return false;
  }
}
