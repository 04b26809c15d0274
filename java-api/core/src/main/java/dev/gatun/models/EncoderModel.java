package dev.gatun.models;

import dev.gatun.kernels.api.memory.DType;
import dev.gatun.kernels.api.memory.Offsets;
import dev.gatun.ops.Layouts;
import dev.gatun.tensor.Device;
import dev.gatun.tensor.Scope;
import dev.gatun.tensor.Tensor;
import java.util.ArrayList;
import java.util.List;
import java.util.function.Predicate;

/**
 * An encoder with a head. Tokens of padding are taken out before anything is computed, so a ragged
 * batch costs what its real tokens cost. Safe for use by many threads.
 */
public abstract class EncoderModel implements AutoCloseable {
  private final Config config;
  private final Head head;
  private final Device device;
  private List<AutoCloseable> parts = List.of();
  private List<String> unusedWeights = List.of();
  private HeadLayer headLayer;
  private volatile boolean closed;

  EncoderModel(Config config, Head head, Device device) {
    this.config = config;
    this.head = head;
    this.device = device;
  }

  /** A head's computation. */
  interface HeadLayer {
    void forward(Tensor hidden, PackedBatch batch, EncoderInputs inputs, EncoderOutput output);
  }

  /**
   * Called once by a family's constructor, when all weights are taken.
   *
   * @param otherHeads the names that weights of the family's other heads have
   */
  final void own(HeadLayer layer, Weights weights, Predicate<String> otherHeads) {
    this.headLayer = layer;
    this.unusedWeights = weights.unused(otherHeads);
    this.parts = List.copyOf(weights.made());
  }

  /** Embeddings of the packed tokens [tokens, hidden]. */
  abstract Tensor embed(PackedBatch batch);

  /** Ids on the model's device. */
  final Tensor ids(long[] ids) {
    return Tensor.of(device, ids, ids.length);
  }

  /** The layers, first to last. */
  abstract List<EncoderLayer> layers();

  /** What the layers share in a pass. */
  EncoderLayer.Context context(PackedBatch batch, Tensor keyBias) {
    return new EncoderLayer.Context(batch, null, null, keyBias);
  }

  /** A family's step after a layer, as DeBERTa's convolution; most have none. */
  Tensor afterLayer(int layer, Tensor hidden, Tensor embeddings, PackedBatch batch) {
    return hidden;
  }

  /** The most tokens of a sequence. */
  public abstract int maxLength();

  /** The number of token types, 0 where the model has none. */
  abstract int typeCount();

  /** Tokens in the vocabulary. */
  public abstract int vocabSize();

  /** The width of the hidden states. */
  public final int hiddenSize() {
    return config.integer(config.has("hidden_size") ? "hidden_size" : "dim");
  }

  public final Config config() {
    return config;
  }

  public final Head head() {
    return head;
  }

  /**
   * The tensors of the file that this model does not compute with, such as those of the head that
   * it was trained with; empty when all are in use.
   */
  public final List<String> unusedWeights() {
    return unusedWeights;
  }

  public final Device device() {
    return device;
  }

  /**
   * Runs the model.
   *
   * @throws IllegalArgumentException for ids outside of the vocabulary, sequences that are too
   *     long, and labels of another shape than the head's
   * @throws IllegalStateException when the model is closed
   */
  public final EncoderOutput forward(EncoderInputs inputs) {
    // The loss of spans is a softmax over padded sequences, padding's own scores included.
    boolean padded =
        head == Head.QUESTION_ANSWERING
            && inputs.startPositions() != null
            && inputs.isRectangular();
    PackedBatch batch = checked(inputs, padded);
    EncoderOutput output = new EncoderOutput();
    try (Scope scope = Scope.open()) {
      List<Tensor> states = inputs.outputHiddenStates() ? new ArrayList<>() : null;
      List<Tensor> weights = inputs.outputAttentions() ? new ArrayList<>() : null;
      Tensor hidden = run(batch, padded ? keyBias(inputs, batch) : null, states, weights);
      output.lastHiddenState = batch.unpack(hidden, device);
      if (states != null) {
        states.forEach(state -> output.hiddenStates.add(batch.unpack(state, device)));
      }
      if (weights != null) {
        weights.forEach(w -> output.attentions.add(batch.unpackAttention(w, device)));
      }
      headLayer.forward(hidden, batch, inputs, output);
      output.tensors().forEach(scope::keep);
    }
    return output;
  }

  /**
   * The last hidden states of sequences without padding.
   *
   * @param hidden the tokens of all sequences, one after another, [tokens, hidden_size]
   * @param offsets where each sequence begins
   */
  public record Encoded(Tensor hidden, Offsets offsets) implements AutoCloseable {
    @Override
    public void close() {
      hidden.close();
    }
  }

  /**
   * The last hidden states of sequences of any lengths, packed.
   *
   * @param inputIds token ids, a row a sequence
   * @param tokenTypeIds the segment of each token, or null
   */
  public final Encoded encode(long[][] inputIds, long[][] tokenTypeIds) {
    PackedBatch batch = checked(EncoderInputs.of(inputIds, null, tokenTypeIds), false);
    try (Scope scope = Scope.open()) {
      return new Encoded(scope.keep(run(batch, null, null, null)), batch.offsets());
    }
  }

  // On the processor a batch goes through all layers in parts whose widest activations, four times
  // the hidden size, stay in the last cache; other devices are filled by all of it. What is
  // computed
  // for a sequence does not depend on the others.
  private static final long PART_BYTES = 6L << 20;
  private static final int LEAST_PART = 128;

  private Tensor run(PackedBatch batch, Tensor keyBias, List<Tensor> states, List<Tensor> weights) {
    int most = (int) Math.max(LEAST_PART, PART_BYTES / (4L * DType.F32.bytes() * hiddenSize()));
    boolean all = keyBias != null || states != null || weights != null;
    boolean whole = device != Device.cpu() || batch.tokens() <= most;
    if (all || whole || batch.sequences() == 1) {
      return runPart(batch, keyBias, states, weights);
    }
    Tensor hidden = Tensor.empty(device, DType.F32, batch.tokens(), hiddenSize());
    long done = 0;
    for (PackedBatch part : batch.parts(most)) {
      try (Scope _ = Scope.open()) {
        Layouts.copy(runPart(part, null, null, null), hidden.slice(0, done, done + part.tokens()));
      }
      done += part.tokens();
    }
    return hidden;
  }

  private Tensor runPart(
      PackedBatch batch, Tensor keyBias, List<Tensor> states, List<Tensor> weights) {
    Tensor embeddings = embed(batch);
    Tensor hidden = embeddings;
    EncoderLayer.Context context = context(batch, keyBias);
    if (states != null) {
      states.add(hidden);
    }
    for (int i = 0; i < layers().size(); i++) {
      Tensor next = layers().get(i).forward(hidden, context, weights);
      next = afterLayer(i, next, embeddings, batch);
      if (states != null) {
        states.add(next);
      } else if (hidden != embeddings) {
        hidden.close();
      }
      hidden = next;
    }
    return hidden;
  }

  /** What is added to the scores [sequences, heads, query, key] where padding was packed. */
  Tensor keyBias(EncoderInputs inputs, PackedBatch batch) {
    float[] values = new float[batch.sequences() * batch.length()];
    for (int s = 0; s < batch.sequences(); s++) {
      for (int t = 0; t < batch.length(); t++) {
        boolean seen = inputs.isToken(s, t);
        values[s * batch.length() + t] = seen ? 0 : -Float.MAX_VALUE;
      }
    }
    return Tensor.of(device, values, batch.sequences(), 1, 1, batch.length());
  }

  private PackedBatch checked(EncoderInputs inputs, boolean withPadding) {
    if (closed) {
      throw new IllegalStateException("the model is closed");
    }
    PackedBatch batch = PackedBatch.of(inputs, withPadding);
    if (batch.length() > maxLength()) {
      throw new IllegalArgumentException(
          "input_ids has a sequence of %d tokens, the model takes %d: truncate it or split it"
              .formatted(batch.length(), maxLength()));
    }
    for (int i = 0; i < batch.tokens(); i++) {
      if (batch.ids()[i] < 0 || batch.ids()[i] >= vocabSize()) {
        throw new IllegalArgumentException(
            "input_ids has the id %d at token %d of sequence %d, the vocabulary has %d"
                .formatted(
                    batch.ids()[i],
                    batch.places()[i] % batch.length(),
                    batch.places()[i] / batch.length(),
                    vocabSize()));
      }
      if (batch.typeIds()[i] < 0 || (typeCount() > 0 && batch.typeIds()[i] >= typeCount())) {
        throw new IllegalArgumentException(
            "token_type_ids has %d at token %d of sequence %d, the model has %d types"
                .formatted(
                    batch.typeIds()[i],
                    batch.places()[i] % batch.length(),
                    batch.places()[i] / batch.length(),
                    typeCount()));
      }
    }
    return batch;
  }

  @Override
  public final void close() {
    closed = true;
    for (AutoCloseable part : parts) {
      try {
        part.close();
      } catch (Exception e) {
        throw new IllegalStateException("cannot close a part of the model", e);
      }
    }
  }
}
