package dev.gatun.models;

import dev.gatun.autograd.Checkpoint;
import dev.gatun.autograd.Tape;
import dev.gatun.nn.CausalAttention;
import dev.gatun.nn.FullAttention;
import dev.gatun.nn.LayerInput;
import dev.gatun.nn.NormedSum;
import dev.gatun.ops.Attention;
import dev.gatun.tensor.Scope;
import dev.gatun.tensor.Tensor;
import java.util.ArrayList;
import java.util.List;
import java.util.function.UnaryOperator;

/** What a pass gives besides its result, as far as somebody asked: each layer's output. */
final class Trace {
  private final List<Tensor> states;
  private final List<Tensor> attentions;
  private final List<Tensor> crossAttentions;
  private final List<Tensor> routers;

  /**
   * @param withStates whether to keep hidden states
   * @param withAttentions whether to keep attention weights
   * @param withRouters whether to keep the logits of routers
   */
  Trace(boolean withStates, boolean withAttentions, boolean withRouters) {
    states = withStates ? new ArrayList<>() : null;
    attentions = withAttentions ? new ArrayList<>() : null;
    crossAttentions = withAttentions ? new ArrayList<>() : null;
    routers = withRouters ? new ArrayList<>() : null;
  }

  /** Of a pass that nobody asked more of. */
  static Trace none() {
    return new Trace(false, false, false);
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

  /** The last hidden states of a stack whose result was read, which end unless asked for. */
  void end(Tensor last) {
    if (states == null) {
      last.close();
    }
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

  /** A layer's attention, whose weights are kept out of its scope where they are wanted. */
  Tensor attend(CausalAttention given, Tensor qkv, TokenBatch batch, int layer, Scope scope) {
    // A bias of the model's own has that of padding in it.
    boolean has = given.scores().bias() != null || batch.cache() != null;
    Tensor padding = has ? null : batch.paddingBias();
    CausalAttention attention =
        padding == null ? given : given.withScores(given.scores().withBias(padding));
    Attention.Result result =
        batch.seesBothWays()
            ? attention.bothWays(qkv, batch.positions(), batch.segments(), wantsAttentions())
            : attention.forward(
                qkv, batch.positions(), batch.segments(), batch.cache(), layer, wantsAttentions());
    attention(result.weights());
    keep(scope);
    return result.output();
  }

  /** An encoder's layer's attention, whose weights are kept as those of {@link #attend}. */
  Tensor attendAll(FullAttention attention, Tensor qkv, TokenBatch batch, Scope scope) {
    Attention.Result result = attention.self(qkv, batch.segments(), wantsAttentions());
    attention(result.weights());
    keep(scope);
    return result.output();
  }

  /** A decoder's layer's attention to the source, whose weights are kept likewise. */
  Tensor attendSource(
      FullAttention attention,
      Tensor query,
      TokenBatch batch,
      CrossDecoder decoder,
      int layer,
      Scope scope) {
    Attention.Keys keys = batch.source().keys(decoder, attention, layer);
    Attention.Result result =
        attention
            .withBias(batch.source().padding())
            .cross(query, batch.segments(), keys, wantsAttentions());
    if (crossAttentions != null) {
      crossAttentions.add(scope.keep(result.weights()));
    }
    return result.output();
  }

  /** A router's logits [tokens, experts], kept out of its layer's scope where they are wanted. */
  void router(Tensor logits, Scope scope) {
    if (routers != null) {
      routers.add(scope.keep(logits));
    }
  }

  /** What a layer of a number makes of hidden states. */
  interface Layer {
    Tensor forward(int layer, Tensor x);
  }

  /** Layers one after another, and the norm of the last one's output. */
  Tensor through(Tensor embeddings, int layers, Layer layer, UnaryOperator<Tensor> norm) {
    Tensor x = first(embeddings);
    for (int i = 0; i < layers; i++) {
      int at = i;
      Tensor in = x;
      Tensor y =
          isCheckpoint() ? Checkpoint.of(() -> layer.forward(at, in)) : layer.forward(at, in);
      x = next(x, i + 1 < layers ? y : norm.apply(y));
    }
    return x;
  }

  /** The layers of an encoder one after another. */
  Tensor through(Tensor embeddings, List<EncoderLayer> layers, TokenBatch batch) {
    Layer layer = (i, x) -> layers.get(i).forward(x, batch, this);
    return through(embeddings, layers.size(), layer, last -> last);
  }

  /** Whether a layer is computed again in the backward: not where more of it is asked for. */
  private boolean isCheckpoint() {
    Tape tape = Tape.recording();
    return tape != null && tape.hasCheckpoints() && states == null && attentions == null;
  }

  /** What a layer of a number makes of the normed stream before it: that of the next norm. */
  interface NormedLayer {
    NormedSum forward(int layer, NormedSum x, Trace trace);
  }

  /** Layers one after another. */
  Tensor through(NormedSum first, int layers, NormedLayer layer) {
    NormedSum x = first;
    for (int i = 0; i < layers; i++) {
      x = layer(i, x, i + 1 == layers, layer);
    }
    return x.x().x();
  }

  /**
   * One of these layers; what it was given ends unless it was asked for.
   *
   * @param last whether the norm behind it gives the last hidden states
   */
  NormedSum layer(int number, NormedSum x, boolean last, NormedLayer layer) {
    NormedSum y = isCheckpoint() ? again(number, x, layer) : layer.forward(number, x, this);
    if (x.x().x() != x.sum()) {
      x.closeNorm();
    }
    next(x.sum(), last ? y.x().x() : y.sum());
    return y;
  }

  /** As a checkpoint. The norm and the sum are one tensor where they were before. */
  private NormedSum again(int number, NormedSum x, NormedLayer layer) {
    boolean apart = x.x().x() != x.sum();
    List<Tensor> made =
        Checkpoint.all(
            () -> {
              Trace own = new Trace(false, false, routers != null);
              NormedSum y = layer.forward(number, x, own);
              List<Tensor> all =
                  new ArrayList<>(apart ? List.of(y.sum(), y.x().x()) : List.of(y.sum()));
              all.addAll(own.routers());
              return all;
            });
    int given = apart ? 2 : 1;
    if (routers != null) {
      routers.addAll(made.subList(given, made.size()));
    }
    return new NormedSum(new LayerInput(made.get(given - 1), null), made.getFirst());
  }

  List<Tensor> states() {
    return states == null ? List.of() : states;
  }

  List<Tensor> routers() {
    return routers == null ? List.of() : routers;
  }

  List<Tensor> crossAttentions() {
    return crossAttentions == null ? List.of() : crossAttentions;
  }

  List<Tensor> attentions() {
    return attentions == null ? List.of() : attentions;
  }
}
