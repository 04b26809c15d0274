package dev.gatun.models;

import dev.gatun.tensor.Tensor;
import java.util.ArrayList;
import java.util.List;

/**
 * What a {@link CausalLm} gives for whole sequences; a part that the inputs do not ask for is null
 * or empty. Closing it closes its tensors. Rows of padding are 0.
 */
public final class CausalLmOutput implements AutoCloseable {
  Tensor logits;
  Loss loss;
  final List<Tensor> hiddenStates = new ArrayList<>();
  final List<Tensor> attentions = new ArrayList<>();

  CausalLmOutput() {}

  /** F32 [batch, length, vocab_size], the scores of what follows each token. */
  public Tensor logits() {
    return logits;
  }

  /**
   * The mean cross-entropy of the labels that count, each told by the token before it; null without
   * labels. The device computed its parts in the pass; asking for it waits for them.
   */
  public Float loss() {
    return loss == null ? null : loss.value();
  }

  /**
   * The embeddings and each layer's output, the last one after the last norm, [batch, length,
   * hidden_size].
   */
  public List<Tensor> hiddenStates() {
    return hiddenStates;
  }

  /** Each layer's attention weights, [batch, heads, length, length]. */
  public List<Tensor> attentions() {
    return attentions;
  }

  List<Tensor> tensors() {
    List<Tensor> all = new ArrayList<>(hiddenStates);
    all.addAll(attentions);
    if (logits != null) {
      all.add(logits);
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
