package dev.gatun.models;

import dev.gatun.tensor.Tensor;
import java.util.ArrayList;
import java.util.List;

/**
 * What a {@link Seq2SeqLm} gives for whole sequences; a part that the inputs do not ask for is null
 * or empty. Closing it closes its tensors. Rows of padding are 0, but where routers' logits are
 * asked for: their losses count padding as other tokens, which is computed then. So it is where it
 * stands in front of tokens, and takes room of a mixture's experts.
 */
public final class Seq2SeqOutput implements AutoCloseable {
  Tensor logits;
  Tensor encoderLastHiddenState;
  Tensor loss;
  RouterLosses.Parts routerLosses;
  final List<Tensor> encoderHiddenStates = new ArrayList<>();
  final List<Tensor> decoderHiddenStates = new ArrayList<>();
  final List<Tensor> encoderAttentions = new ArrayList<>();
  final List<Tensor> decoderAttentions = new ArrayList<>();
  final List<Tensor> crossAttentions = new ArrayList<>();
  final List<Tensor> encoderRouterLogits = new ArrayList<>();
  final List<Tensor> decoderRouterLogits = new ArrayList<>();

  Seq2SeqOutput() {}

  /**
   * {@return the scores of what each target token tells, F32 [batch, target_length, vocab_size]}
   */
  public Tensor logits() {
    return logits;
  }

  /** {@return the encoder's states after its last norm, F32 [batch, length, hidden_size]} */
  public Tensor encoderLastHiddenState() {
    return encoderLastHiddenState;
  }

  /**
   * {@return the mean cross-entropy of the labels that count, F32 [1]; null without labels} Where
   * routers' logits were asked for, their losses are added as {@code config.json} weighs them.
   * Computed by the device in the pass, so that a tape goes back from it.
   */
  public Tensor loss() {
    return loss;
  }

  /** {@return the loss's number, which is waited for; null without labels} */
  public Float lossValue() {
    return loss == null ? null : loss.toFloatArray()[0];
  }

  /**
   * {@return what the routers of a mixture of experts add to the loss; null where nobody asked}
   * Read from the device when asked for.
   */
  public RouterLosses routerLosses() {
    return routerLosses == null ? null : routerLosses.read();
  }

  /**
   * {@return the embeddings and each encoder layer's output, F32 [batch, length, hidden_size];
   * empty where not asked for}
   */
  public List<Tensor> encoderHiddenStates() {
    return encoderHiddenStates;
  }

  /**
   * {@return the embeddings and each decoder layer's output, F32 [batch, target_length,
   * hidden_size]; empty where not asked for}
   */
  public List<Tensor> decoderHiddenStates() {
    return decoderHiddenStates;
  }

  /**
   * {@return each encoder layer's attention weights, [batch, heads, length, length]; empty where
   * not asked for}
   */
  public List<Tensor> encoderAttentions() {
    return encoderAttentions;
  }

  /**
   * {@return each decoder layer's attention weights, [batch, heads, target_length, target_length];
   * empty where not asked for}
   */
  public List<Tensor> decoderAttentions() {
    return decoderAttentions;
  }

  /**
   * {@return each decoder layer's attention to the source, [batch, heads, target_length, length];
   * empty where not asked for}
   */
  public List<Tensor> crossAttentions() {
    return crossAttentions;
  }

  /**
   * {@return the logits of each encoder layer that is a mixture of experts, F32 [batch, length,
   * experts]; empty where not asked for}
   */
  public List<Tensor> encoderRouterLogits() {
    return encoderRouterLogits;
  }

  /**
   * {@return the logits of each decoder layer that is a mixture of experts, F32 [batch,
   * target_length, experts]; empty where not asked for}
   */
  public List<Tensor> decoderRouterLogits() {
    return decoderRouterLogits;
  }

  List<Tensor> tensors() {
    List<Tensor> all = new ArrayList<>();
    for (List<Tensor> some :
        List.of(
            encoderHiddenStates,
            decoderHiddenStates,
            encoderAttentions,
            decoderAttentions,
            crossAttentions,
            encoderRouterLogits,
            decoderRouterLogits)) {
      all.addAll(some);
    }
    if (encoderLastHiddenState != null) {
      all.add(encoderLastHiddenState);
    }
    for (Tensor tensor : new Tensor[] {logits, loss}) {
      if (tensor != null) {
        all.add(tensor);
      }
    }
    if (routerLosses != null) {
      all.addAll(routerLosses.tensors());
    }
    return all;
  }

  @Override
  public void close() {
    tensors().forEach(Tensor::close);
  }
}
