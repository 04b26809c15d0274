package dev.gatun.models;

import dev.gatun.tensor.Tensor;
import java.util.ArrayList;
import java.util.List;

/**
 * What an encoder gives; a part that the head or the inputs do not ask for is null. Closing it
 * closes its tensors. Rows of padding are 0, but where padding changes something else: the others
 * of BART's both stacks, whose decoder reads what is in front of a text, and a loss by labels of
 * its own.
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

  /** {@return the states after the last layer, F32 [batch, length, hidden_size]} */
  public Tensor lastHiddenState() {
    return lastHiddenState;
  }

  /**
   * {@return what the model's pooler makes of each sequence, [batch, hidden_size]; null of models
   * and heads that give none}
   */
  public Tensor poolerOutput() {
    return poolerOutput;
  }

  /**
   * {@return the head's scores: [batch, length, ...] of tokens, or [batch, num_labels] of
   * sequences; null where the head gives none}
   */
  public Tensor logits() {
    return logits;
  }

  /**
   * {@return scores of whether the second text follows the first, of BERT's pretraining, [batch,
   * 2]; null of other heads}
   */
  public Tensor seqRelationshipLogits() {
    return seqRelationshipLogits;
  }

  /**
   * {@return scores of each token as an answer's first, of question answering, [batch, length];
   * null of other heads}
   */
  public Tensor startLogits() {
    return startLogits;
  }

  /**
   * {@return scores of each token as an answer's last, of question answering, [batch, length]; null
   * of other heads}
   */
  public Tensor endLogits() {
    return endLogits;
  }

  /**
   * {@return the loss, F32 [1], where the inputs have labels; else null} Computed by the device in
   * the pass, so that a tape goes back from it.
   */
  public Tensor loss() {
    return loss;
  }

  /** {@return the loss's number, which is waited for; null without labels} */
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
   * {@return the embeddings and each layer's output, F32 [batch, length, hidden_size]; empty where
   * not asked for} Of a model that has a decoder too (BART), those of its encoder and then those of
   * its decoder.
   */
  public List<Tensor> hiddenStates() {
    return hiddenStates;
  }

  /**
   * {@return each layer's attention weights, [batch, heads, length, length]; of a decoder behind
   * those of the encoder; empty where not asked for}
   */
  public List<Tensor> attentions() {
    return attentions;
  }

  /**
   * {@return the attention to the encoder's tokens of each layer of a decoder, [batch, heads,
   * length, length]; empty without a decoder, or where not asked for}
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
