package dev.gatun.models;

import dev.gatun.tensor.Tensor;
import java.util.ArrayList;
import java.util.List;

/**
 * What an encoder gives; a part that the head or the inputs do not ask for is null. Closing it
 * closes its tensors. Rows of padding are 0.
 */
public final class EncoderOutput implements AutoCloseable {
  Tensor lastHiddenState;
  Tensor poolerOutput;
  Tensor logits;
  Tensor seqRelationshipLogits;
  Tensor startLogits;
  Tensor endLogits;
  Tensor loss;
  final List<Tensor> hiddenStates = new ArrayList<>();
  final List<Tensor> attentions = new ArrayList<>();
  final List<Tensor> crossAttentions = new ArrayList<>();

  // What the loss is a mean over, or null for this batch alone.
  private final LossCounts counts;
  // Whether all but the loss is left out.
  private final boolean lossAlone;
  // The share of a target that all classes have alike.
  private final float smoothing;

  EncoderOutput(LossCounts counts, boolean lossAlone, float smoothing) {
    this.counts = counts;
    this.lossAlone = lossAlone;
    this.smoothing = smoothing;
  }

  /** What the loss is a mean over; null for this batch alone. */
  LossCounts counts() {
    return counts;
  }

  /** Whether all but the loss is left out. */
  boolean isLossAlone() {
    return lossAlone;
  }

  /** [batch, length, hidden_size]. */
  public Tensor lastHiddenState() {
    return lastHiddenState;
  }

  /** [batch, hidden_size]. */
  public Tensor poolerOutput() {
    return poolerOutput;
  }

  /** The head's scores: [batch, length, ...] of tokens, or [batch, num_labels] of sequences. */
  public Tensor logits() {
    return logits;
  }

  /** Of pretraining: [batch, 2]. */
  public Tensor seqRelationshipLogits() {
    return seqRelationshipLogits;
  }

  /** Of question answering: [batch, length]. */
  public Tensor startLogits() {
    return startLogits;
  }

  /** Of question answering: [batch, length]. */
  public Tensor endLogits() {
    return endLogits;
  }

  /**
   * The loss, where the inputs have labels; else null. F32 [1], computed by the device in the pass,
   * so that a tape goes back from it.
   */
  public Tensor loss() {
    return loss;
  }

  /** The loss's number, which is waited for; null without labels. */
  public Float lossValue() {
    return loss == null ? null : loss.toFloatArray()[0];
  }

  /** How losses of classes are computed. */
  Losses.Settings settings() {
    return Losses.Settings.of(counts, smoothing, null);
  }

  /** What token losses are a mean over; null for what counts in this batch. */
  Double items() {
    return counts == null ? null : counts.items();
  }

  /**
   * The embeddings and each layer's output, [batch, length, hidden_size]. Of a model that has a
   * decoder too (BART), those of its encoder and then those of its decoder.
   */
  public List<Tensor> hiddenStates() {
    return hiddenStates;
  }

  /**
   * Each layer's attention weights, [batch, heads, length, length]; of a decoder behind those of
   * the encoder.
   */
  public List<Tensor> attentions() {
    return attentions;
  }

  /**
   * The attention to the encoder's tokens of each layer of a decoder, [batch, heads, length,
   * length]; none without a decoder.
   */
  public List<Tensor> crossAttentions() {
    return crossAttentions;
  }

  List<Tensor> tensors() {
    List<Tensor> all = new ArrayList<>(hiddenStates);
    all.addAll(attentions);
    all.addAll(crossAttentions);
    for (Tensor tensor :
        new Tensor[] {
          lastHiddenState, poolerOutput, logits, seqRelationshipLogits, startLogits, endLogits, loss
        }) {
      if (tensor != null) {
        all.add(tensor);
      }
    }
    return all;
  }

  @Override
  public void close() {
    tensors().forEach(Tensor::close);
  }
}
