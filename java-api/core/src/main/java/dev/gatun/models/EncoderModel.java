package dev.gatun.models;

import dev.gatun.kernels.api.memory.DType;
import dev.gatun.nn.Parameter;
import dev.gatun.ops.Elementwise;
import dev.gatun.ops.Indexing;
import dev.gatun.tensor.Device;
import dev.gatun.tensor.Ids;
import dev.gatun.tensor.Scope;
import dev.gatun.tensor.Segments;
import dev.gatun.tensor.Tensor;
import java.io.IOException;
import java.nio.file.Path;
import java.util.List;
import java.util.stream.LongStream;

/**
 * An encoder with a head. Tokens of padding are taken out before anything is computed, so a ragged
 * batch costs what its real tokens cost. Safe for use by many threads.
 */
public final class EncoderModel implements Model {
  private static final int LEAST_BATCH = 128;
  private static final int MOST_BATCH = 16_384;

  private final Loaded loaded;
  private final Head head;
  private final Encoder encoder;
  private final List<List<String>> linearLayers;

  /**
   * @param weights what the encoder was made of; the model closes them
   */
  EncoderModel(Config config, Head head, Weights weights, Encoder encoder) {
    this.head = head;
    this.encoder = encoder;
    this.linearLayers = weights.loader().linearLayers();
    this.loaded = new Loaded(config, weights, encoder::isOtherHead);
  }

  /** {@return the most tokens of a sequence} */
  public int maxLength() {
    return encoder.limits().length();
  }

  /** {@return the number of tokens in the vocabulary} */
  public int vocabSize() {
    return encoder.limits().vocabulary();
  }

  /** {@return the width of the hidden states} */
  public int hiddenSize() {
    return encoder.limits().hidden();
  }

  @Override
  public Config config() {
    return loaded.config();
  }

  /** {@return what it computes from its last hidden states} */
  public Head head() {
    return head;
  }

  @Override
  public List<String> unusedWeights() {
    return loaded.unusedWeights();
  }

  @Override
  public List<String> linearWeights() {
    return loaded.linearWeights();
  }

  @Override
  public List<String> rowWeights() {
    return loaded.rowWeights();
  }

  /**
   * {@return the names of the linear layers, but for ones in codes, in the order of the model;
   * those that are packed together as one entry}
   */
  public List<List<String>> linearLayers() {
    return linearLayers;
  }

  @Override
  public Device device() {
    return loaded.device();
  }

  /**
   * Runs the model.
   *
   * @param inputs token ids, with a mask, segments and labels where there are any, and what is
   *     asked for
   * @return the last hidden states, what the head gives and what else is asked for, to be closed
   * @throws IllegalArgumentException for ids outside of the vocabulary, sequences that are too
   *     long, and labels of another shape than the head's
   * @throws IllegalStateException when the model is closed
   */
  public EncoderOutput forward(EncoderInputs inputs) {
    return forward(inputs, null, false, 0);
  }

  /**
   * The loss alone, F32 [1], for a training step.
   *
   * @param inputs token ids with the head's labels; layers' outputs are not given, whatever they
   *     ask for
   * @param counts what it is a mean over: {@link #lossCounts} of all batches of the step, added up;
   *     null for this batch alone
   * @return the loss, to be closed
   * @throws IllegalArgumentException as {@link #forward}, and for inputs without labels
   */
  public Tensor loss(EncoderInputs inputs, LossCounts counts) {
    return loss(inputs, counts, 0);
  }

  /**
   * The same with smoothed labels, as transformers' {@code label_smoothing_factor} has it.
   *
   * @param inputs token ids with the head's labels
   * @param counts what it is a mean over, as for {@link #loss(EncoderInputs, LossCounts)}; null for
   *     this batch alone
   * @param smoothing the share of a label that all classes have alike, from 0 to below 1
   * @return the loss, F32 [1], to be closed
   * @throws IllegalArgumentException as the other, and for smoothing of a head without classes
   */
  public Tensor loss(EncoderInputs inputs, LossCounts counts, float smoothing) {
    if (smoothing != 0 && !isSmoothed()) {
      throw new IllegalArgumentException(
          "label smoothing is %s, expected 0: the loss of the head %s is not that of classes alone"
              .formatted(smoothing, head));
    }
    EncoderOutput output = forward(inputs, counts, true, smoothing);
    Tensor loss = output.loss;
    if (loss == null) {
      output.close();
      throw new IllegalArgumentException(
          "labels are missing: the head %s has no loss without".formatted(head));
    }
    output.loss = null;
    output.close();
    return loss;
  }

  /**
   * {@return what the loss of a batch is a mean over: the labels that count, or the sum of their
   * weights, and the sequences}
   *
   * @param inputs token ids with the head's labels; without those of tokens no item counts
   * @throws IllegalArgumentException for weights of labels where the head's loss has none
   */
  public LossCounts lossCounts(EncoderInputs inputs) {
    long sequences = inputs.inputIds().length;
    BatchLayout layout = BatchLayout.of(inputs, needsPadding(inputs));
    requireNoWeights(inputs);
    double items =
        switch (head) {
          case QUESTION_ANSWERING ->
              inputs.startPositions() == null
                  ? 0
                  : LongStream.of(inputs.startPositions())
                      .filter(at -> at < layout.length())
                      .count();
          case PRE_TRAINING, MASKED_LM, TOKEN_CLASSIFICATION ->
              inputs.labels() == null
                  ? 0
                  : countsAllTokens()
                      ? layout.tokens()
                      : Losses.weight(
                          layout.pickLabels(inputs), layout.pickWeights(inputs.labelWeights()));
          case NEXT_SENTENCE_PREDICTION ->
              inputs.labels() == null ? 0 : Losses.counted(Losses.firstColumn(inputs.labels()));
          default ->
              inputs.labels() != null
                      && inputs.labels().length > 0
                      && inputs.labels()[0].length == 1
                  ? Losses.weight(
                      Losses.firstColumn(inputs.labels()),
                      inputs.labelWeights() == null
                          ? null
                          : Losses.firstWeights(inputs.labelWeights()))
                  : sequences;
        };
    return new LossCounts(items, sequences, 1);
  }

  /** Weights are for labels that are classes, of tokens or sequences. */
  private void requireNoWeights(EncoderInputs inputs) {
    boolean isWeighed =
        head == Head.MASKED_LM
            || head == Head.TOKEN_CLASSIFICATION
            || head == Head.SEQUENCE_CLASSIFICATION
                && inputs.labels() != null
                && config().problemType() != ProblemType.REGRESSION
                && config().problemType() != ProblemType.MULTI_LABEL_CLASSIFICATION;
    if (inputs.labelWeights() != null && !isWeighed) {
      throw new IllegalArgumentException(
          "label_weights: the loss of the head %s has none, expected labels that are classes of tokens or sequences"
              .formatted(head));
    }
  }

  /** Whether every token counts, as with ELECTRA's discriminator. */
  private boolean countsAllTokens() {
    return head == Head.PRE_TRAINING && config().text("model_type", "").equals("electra");
  }

  private boolean isSmoothed() {
    return switch (head) {
      case MASKED_LM, TOKEN_CLASSIFICATION, SEQUENCE_CLASSIFICATION, NEXT_SENTENCE_PREDICTION ->
          true;
      case BASE, PRE_TRAINING, QUESTION_ANSWERING -> false;
    };
  }

  private EncoderOutput forward(
      EncoderInputs inputs, LossCounts counts, boolean lossAlone, float smoothing) {
    requireNoWeights(inputs);
    BatchLayout layout = checked(inputs, needsPadding(inputs));
    EncoderOutput output = new EncoderOutput(counts, lossAlone, smoothing);
    try (Scope scope = Scope.open();
        TokenBatch batch = new TokenBatch(encoder, loaded.device(), layout)) {
      Trace trace =
          lossAlone
              ? Trace.none()
              : new Trace(inputs.outputHiddenStates(), inputs.outputAttentions(), false);
      Tensor hidden = run(batch, trace);
      if (!lossAlone) {
        output.lastHiddenState = Padded.rows(hidden, batch);
      }
      trace
          .states()
          .forEach(
              state ->
                  output.hiddenStates.add(Padded.rows(Elementwise.cast(state, DType.F32), batch)));
      trace.attentions().forEach(w -> output.attentions.add(Padded.attention(w, batch)));
      trace.crossAttentions().forEach(w -> output.crossAttentions.add(Padded.attention(w, batch)));
      encoder.head().forward(hidden, batch, inputs, output);
      output.tensors().forEach(scope::keep);
    } catch (RuntimeException | Error e) {
      output.close();
      throw e;
    }
    return output;
  }

  /**
   * A batch on the model's device, checked, for {@link #hidden}. Another can take its place, see
   * {@link TokenBatch#write}: a batch of as many sequences, and tokens, as will ever come leaves
   * room for all.
   *
   * @param inputIds token ids, a row a sequence
   * @param attentionMask 1 for tokens, 0 for padding, shaped as inputIds; or null
   * @param tokenTypeIds the segment of each token, shaped as inputIds; or null
   * @return the batch, to be closed
   * @throws IllegalArgumentException as {@link #forward} does
   */
  public TokenBatch batch(long[][] inputIds, long[][] attentionMask, long[][] tokenTypeIds) {
    EncoderInputs inputs = EncoderInputs.of(inputIds, attentionMask, tokenTypeIds);
    return new TokenBatch(encoder, loaded.device(), checked(inputs, false));
  }

  /**
   * The last hidden states [tokens, hidden_size] of a batch's packed tokens. Submits work and waits
   * for nothing, so that {@link Device#capture} can record it.
   *
   * @param batch of this model, made by {@link #batch}
   * @return F32, to be closed
   * @throws IllegalStateException when the model is closed
   */
  public Tensor hidden(TokenBatch batch) {
    loaded.check();
    try (Scope scope = Scope.open()) {
      return scope.keep(run(batch, Trace.none()));
    }
  }

  /**
   * The last hidden states of sequences without padding.
   *
   * @param hidden the tokens of all sequences, one after another, [tokens, hidden_size]
   * @param segments where each sequence begins
   */
  public record Encoded(Tensor hidden, Segments segments) implements AutoCloseable {
    @Override
    public void close() {
      hidden.close();
      segments.close();
    }
  }

  /**
   * The last hidden states of sequences of any lengths, packed. On the processor those of a
   * sequence are the same bits whatever the others are, in every type of weights and activations.
   * On a CUDA device tiles are chosen by the tokens of the batch, and the order of sums with them:
   * there they differ as roundings do. More than {@link #batchTokens} at once is no faster.
   *
   * @param inputIds token ids, a row a sequence
   * @param tokenTypeIds the segment of each token, or null
   * @return the states with where each sequence begins, to be closed
   * @throws IllegalArgumentException as {@link #forward} does
   * @throws IllegalStateException when the model is closed
   */
  public Encoded encode(long[][] inputIds, long[][] tokenTypeIds) {
    BatchLayout layout = checked(EncoderInputs.of(inputIds, null, tokenTypeIds), false);
    try (Scope scope = Scope.open()) {
      TokenBatch batch = new TokenBatch(encoder, loaded.device(), layout);
      try {
        Tensor hidden = scope.keep(run(batch, Trace.none()));
        return new Encoded(hidden, batch.keepSegments(scope));
      } finally {
        batch.closeFacts();
      }
    }
  }

  /**
   * {@return how many tokens to give at once: with so many the widest activations, four times the
   * hidden size, stay in the device's cache, or there is work enough for a device without such a
   * limit}
   */
  public int batchTokens() {
    return batchTokens(loaded.device(), hiddenSize());
  }

  static int batchTokens(Device device, int hidden) {
    long cached = device.activationBytes() / (4L * DType.F32.bytes() * hidden);
    return Math.clamp(cached, LEAST_BATCH, MOST_BATCH);
  }

  /**
   * The head's scores of sequences of any lengths, F32: [tokens, columns] for all packed tokens, or
   * [sequences, columns] where {@link #head} looks at whole sequences.
   *
   * @param inputIds token ids, a row a sequence
   * @param tokenTypeIds the segment of each token, or null
   * @return the scores, to be closed
   * @throws IllegalStateException when the head gives no scores
   */
  public Tensor scores(long[][] inputIds, long[][] tokenTypeIds) {
    try (Scope scope = Scope.open();
        TokenBatch batch = batch(inputIds, null, tokenTypeIds)) {
      Tensor hidden = hidden(batch);
      HeadLayer layer = encoder.head();
      return scope.keep(layer.scores(layer.pooled(hidden, batch)));
    }
  }

  /**
   * The scores [count, columns] of some tokens, by a head that looks at tokens.
   *
   * @param inputIds token ids, a row a sequence
   * @param tokenTypeIds the segment of each token, or null
   * @param tokens their places among the packed tokens
   * @return the scores, F32, in the order of the places, to be closed
   * @throws IllegalStateException when the head gives no scores of tokens
   */
  public Tensor scoresAt(long[][] inputIds, long[][] tokenTypeIds, long... tokens) {
    if (encoder.head().scoresSequences()) {
      throw new IllegalStateException("the head " + head + " scores sequences, not tokens");
    }
    try (Scope scope = Scope.open();
        TokenBatch batch = batch(inputIds, null, tokenTypeIds);
        Ids places = Ids.of(loaded.device(), "tokens", batch.tokens(), tokens)) {
      Tensor rows = Indexing.indexSelect(hidden(batch), 0, places);
      return scope.keep(encoder.head().scores(rows));
    }
  }

  /** The last hidden states as F32, whatever the residual stream is. */
  private Tensor run(TokenBatch batch, Trace trace) {
    return Elementwise.cast(encoder.forward(batch, trace), DType.F32);
  }

  private boolean needsPadding(EncoderInputs inputs) {
    return encoder.head().needsPadding(inputs)
        || encoder.readsPadding() && !BatchLayout.of(inputs, false).isDense();
  }

  private BatchLayout checked(EncoderInputs inputs, boolean withPadding) {
    loaded.check();
    BatchLayout layout = BatchLayout.of(inputs, withPadding);
    layout.check(encoder.limits());
    return layout;
  }

  @Override
  public List<Parameter> parameters() {
    return loaded.parameters();
  }

  @Override
  public void save(Path directory) throws IOException {
    loaded.save(directory, Architectures.of(config(), head));
  }

  @Override
  public void close() {
    loaded.close();
  }
}
