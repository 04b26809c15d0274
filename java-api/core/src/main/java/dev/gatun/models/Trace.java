package dev.gatun.models;

import dev.gatun.tensor.Scope;
import dev.gatun.tensor.Tensor;
import java.util.ArrayList;
import java.util.List;

/** What a pass gives besides its result, as far as somebody asked: each layer's output. */
final class Trace {
  private final List<Tensor> states;
  private final List<Tensor> attentions;

  /**
   * @param withStates whether to keep hidden states
   * @param withAttentions whether to keep attention weights
   */
  Trace(boolean withStates, boolean withAttentions) {
    states = withStates ? new ArrayList<>() : null;
    attentions = withAttentions ? new ArrayList<>() : null;
  }

  /** Of a pass that nobody asked more of. */
  static Trace none() {
    return new Trace(false, false);
  }

  /** The first hidden states, which come from the embeddings; gives them. */
  Tensor first(Tensor embeddings) {
    if (states != null) {
      states.add(embeddings);
    }
    return embeddings;
  }

  /** The hidden states that follow others, which end unless they were asked for; gives them. */
  Tensor next(Tensor before, Tensor after) {
    if (states != null) {
      states.add(after);
    } else {
      before.close();
    }
    return after;
  }

  /** Whether attention weights are wanted. */
  boolean wantsAttentions() {
    return attentions != null;
  }

  /** A layer's attention weights [sequences, heads, longest, longest]. */
  void attention(Tensor weights) {
    if (attentions != null) {
      attentions.add(weights);
    }
  }

  /** Takes the last attention weights out of their layer's scope. */
  void keep(Scope scope) {
    if (attentions != null) {
      scope.keep(attentions.getLast());
    }
  }

  List<Tensor> states() {
    return states == null ? List.of() : states;
  }

  List<Tensor> attentions() {
    return attentions == null ? List.of() : attentions;
  }
}
