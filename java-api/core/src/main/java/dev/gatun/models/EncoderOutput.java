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
  Loss loss;
  final List<Tensor> hiddenStates = new ArrayList<>();
  final List<Tensor> attentions = new ArrayList<>();
  final List<Tensor> crossAttentions = new ArrayList<>();

  EncoderOutput() {}

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
   * The loss, where the inputs have labels; else null. The device computed its parts in the pass;
   * asking for it waits for them.
   */
  public Float loss() {
    return loss == null ? null : loss.value();
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
          lastHiddenState, poolerOutput, logits, seqRelationshipLogits, startLogits, endLogits
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
    if (loss != null) {
      loss.close();
    }
  }
}
