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
  Tensor loss;
  Tensor auxLoss;
  final List<Tensor> hiddenStates = new ArrayList<>();
  final List<Tensor> attentions = new ArrayList<>();
  final List<Tensor> routerLogits = new ArrayList<>();

  CausalLmOutput() {}

  /** {@return the scores of what follows each token, F32 [batch, length, vocab_size]} */
  public Tensor logits() {
    return logits;
  }

  /**
   * {@return the mean cross-entropy of the labels that count, each told by the token before it, F32
   * [1]; null without labels} Where routers' logits were asked for, {@link #auxLoss()} is added,
   * times {@code router_aux_loss_coef}. Computed by the device in the pass, so that a tape goes
   * back from it.
   */
  public Tensor loss() {
    return loss;
  }

  /** {@return the loss's number, which is waited for; null without labels} */
  public Float lossValue() {
    return loss == null ? null : loss.toFloatArray()[0];
  }

  /**
   * {@return the embeddings and each layer's output, the last one after the last norm, F32 [batch,
   * length, hidden_size]; empty where not asked for}
   */
  public List<Tensor> hiddenStates() {
    return hiddenStates;
  }

  /**
   * {@return each layer's attention weights, [batch, heads, length, length]; empty where not asked
   * for}
   */
  public List<Tensor> attentions() {
    return attentions;
  }

  /**
   * How unevenly the routers of a mixture of experts spread the tokens (Switch Transformers, arXiv
   * 2101.03961, equations 4 to 6): {@code experts · Σₑ (slots of e / rows) (mean probability of
   * e)}, a row being a token in a layer; k for an even spread over k experts a token. Null where
   * their logits were not asked for.
   *
   * @return the number, which is waited for; null where the routers' logits were not asked for
   */
  public Float auxLoss() {
    return auxLoss == null ? null : auxLoss.toFloatArray()[0];
  }

  /**
   * {@return the logits of each layer that is a mixture of experts, F32 [batch, length, experts];
   * empty where not asked for}
   */
  public List<Tensor> routerLogits() {
    return routerLogits;
  }

  List<Tensor> tensors() {
    List<Tensor> all = new ArrayList<>(hiddenStates);
    all.addAll(attentions);
    all.addAll(routerLogits);
    for (Tensor tensor : new Tensor[] {logits, loss, auxLoss}) {
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
