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

  /** Whether the head's loss is defined over padded sequences, padding's own scores included. */
  default boolean needsPadding(EncoderInputs inputs) {
    return false;
  }
}
