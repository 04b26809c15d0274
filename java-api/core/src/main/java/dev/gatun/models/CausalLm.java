package dev.gatun.models;

import dev.gatun.kernels.api.memory.DType;
import dev.gatun.nn.KvCache;
import dev.gatun.nn.Parameter;
import dev.gatun.ops.Elementwise;
import dev.gatun.ops.Indexing;
import dev.gatun.tensor.Device;
import dev.gatun.tensor.Scope;
import dev.gatun.tensor.Tensor;
import java.io.IOException;
import java.nio.file.Path;
import java.util.List;

/**
 * A decoder that tells what token comes next. {@link #forward} takes whole sequences; {@link
 * #batch(List)} and {@link #logits} take the next tokens of sequences in a cache, a mix of prompts,
 * their parts and single tokens:
 *
 * <pre>try (KvCache cache = KvCache.paged(model.device(), model.cacheShape(), 16, 256);
 *     KvSequence sequence = cache.open();
 *     TokenBatch batch = model.batch(List.of(Chunk.of(sequence, prompt)));
 *     Tensor logits = model.logits(batch)) { ... }</pre>
 *
 * Safe for use by many threads; a cache is for one step at a time.
 */
public final class CausalLm implements LanguageModel {
  private final Loaded loaded;
  private final Decoder decoder;
  private final List<Integer> eosTokenIds;

  /**
   * @param weights what the decoder was made of; the model closes them
   */
  CausalLm(Config config, Weights weights, Decoder decoder) {
    this.decoder = decoder;
    this.eosTokenIds = config.integers("eos_token_id");
    this.loaded = new Loaded(config, weights, decoder::isOtherHead);
  }

  /** The most tokens of a sequence. */
  @Override
  public int maxLength() {
    return decoder.limits().length();
  }

  /** Tokens in the vocabulary. */
  @Override
  public int vocabSize() {
    return decoder.limits().vocabulary();
  }

  /** {@return the width of the hidden states} */
  public int hiddenSize() {
    return decoder.limits().hidden();
  }

  /**
   * The ids that end a text by {@code config.json}, none or several; a generation config and a
   * tokenizer may name others.
   */
  @Override
  public List<Integer> eosTokenIds() {
    return eosTokenIds;
  }

  /** What a cache keeps of a token, in the dtype that attention computes in. */
  @Override
  public KvCache.Shape cacheShape() {
    return decoder.cacheShape();
  }

  @Override
  public Config config() {
    return loaded.config();
  }

  @Override
  public Device device() {
    return loaded.device();
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
   * Runs the model over whole sequences, without a cache.
   *
   * @param inputs token ids, with a mask and labels where there are any, and what is asked for
   * @return the logits and what else is asked for, to be closed
   * @throws IllegalArgumentException for ids outside of the vocabulary, sequences that are too
   *     long, labels of another shape than the ids, and logits of routers of a model without
   * @throws IllegalStateException when the model is closed
   */
  public CausalLmOutput forward(CausalLmInputs inputs) {
    return forward(inputs, null, false, 0);
  }

  /**
   * The loss alone, F32 [1], for a training step.
   *
   * @param inputs token ids with labels; layers' outputs are not given, whatever they ask for
   * @param counts what it is a mean over: {@link #lossCounts} of all batches of the step, added up;
   *     null for this batch alone
   * @return the loss, to be closed
   * @throws IllegalArgumentException as {@link #forward}, and for inputs without labels
   */
  public Tensor loss(CausalLmInputs inputs, LossCounts counts) {
    return loss(inputs, counts, 0);
  }

  /**
   * The same with smoothed labels, as transformers' {@code label_smoothing_factor} has it.
   *
   * @param inputs token ids with labels
   * @param counts what it is a mean over, as for {@link #loss(CausalLmInputs, LossCounts)}; null
   *     for this batch alone
   * @param smoothing the share of a label that all tokens have alike, from 0 to below 1
   * @return the loss, F32 [1], to be closed
   * @throws IllegalArgumentException as the other
   */
  public Tensor loss(CausalLmInputs inputs, LossCounts counts, float smoothing) {
    if (inputs.labels() == null) {
      throw new IllegalArgumentException("labels are missing: there is no loss without");
    }
    CausalLmOutput output = forward(inputs, counts, true, smoothing);
    Tensor loss = output.loss;
    output.loss = null;
    output.close();
    return loss;
  }

  /**
   * {@return what the loss of a batch is a mean over: the labels that are told and count, or the
   * sum of their weights}
   *
   * @param inputs token ids with labels; without them no item counts
   */
  public LossCounts lossCounts(CausalLmInputs inputs) {
    BatchLayout layout = BatchLayout.of(inputs.tokens(), false);
    double items =
        inputs.labels() == null
            ? 0
            : Losses.weight(
                layout.nextLabels(inputs.labels()), layout.nextWeights(inputs.labelWeights()));
    return new LossCounts(items, layout.sequences(), 1);
  }

  private CausalLmOutput forward(
      CausalLmInputs inputs, LossCounts counts, boolean lossAlone, float smoothing) {
    loaded.check();
    BatchLayout layout = BatchLayout.of(inputs.tokens(), false);
    layout.check(decoder.limits());
    boolean withRouters = withRouters(inputs.outputRouterLogits());
    CausalLmOutput output = new CausalLmOutput();
    try (Scope scope = Scope.open();
        TokenBatch batch = new TokenBatch(decoder, loaded.device(), layout)) {
      Trace trace =
          new Trace(
              !lossAlone && inputs.outputHiddenStates(),
              !lossAlone && inputs.outputAttentions(),
              withRouters);
      Tensor hidden = decoder.forward(batch, trace);
      boolean withLogits = !lossAlone || decoder.output() == null;
      Tensor logits = withLogits ? decoder.logits(hidden) : null;
      if (!lossAlone) {
        output.logits = Padded.rows(logits, batch);
        trace
            .states()
            .forEach(
                state ->
                    output.hiddenStates.add(
                        Padded.rows(Elementwise.cast(state, DType.F32), batch)));
        trace.attentions().forEach(w -> output.attentions.add(Padded.attention(w, batch)));
        trace.routers().forEach(x -> output.routerLogits.add(Padded.rows(x, batch)));
      }
      if (!trace.routers().isEmpty()) {
        output.auxLoss = Losses.loadBalancing(trace.routers(), decoder.routers().perToken());
      }
      if (inputs.labels() != null) {
        Losses.Settings settings =
            Losses.Settings.of(counts, smoothing, layout.nextWeights(inputs.labelWeights()));
        long[] targets = layout.nextLabels(inputs.labels());
        output.loss =
            withLogits
                ? Losses.crossEntropy(logits, targets, settings)
                : Losses.crossEntropy(
                    decoder.output(), decoder::beforeOutput, hidden, targets, settings);
        if (output.auxLoss != null) {
          long batches = counts == null ? 1 : counts.batches();
          output.loss =
              Elementwise.add(
                  output.loss,
                  Losses.times(output.auxLoss, (double) decoder.routers().auxLossCoef() / batches));
        }
      }
      output.tensors().forEach(scope::keep);
    } catch (RuntimeException | Error e) {
      output.close();
      throw e;
    }
    return output;
  }

  private boolean withRouters(Boolean asked) {
    Routers routers = decoder.routers();
    if (Boolean.TRUE.equals(asked) && routers == null) {
      throw new IllegalArgumentException(
          "output_router_logits: a %s has no routers"
              .formatted(loaded.config().text("model_type", null)));
    }
    return asked == null ? routers != null && routers.output() : asked;
  }

  /**
   * A step's tokens on the model's device, checked, whose sequences have been given their places in
   * the cache. They count as appended: where the step is not run, or fails, {@link
   * dev.gatun.nn.KvSequence#truncate} takes them back.
   *
   * @param chunks of distinct sequences of one cache, at least one
   * @throws IllegalArgumentException for ids outside of the vocabulary, and sequences that become
   *     too long
   * @throws dev.gatun.nn.KvCacheFullException when the cache has too few free pages; nothing has
   *     changed then
   */
  @Override
  public TokenBatch batch(List<Chunk> chunks) {
    loaded.check();
    if (chunks.isEmpty()) {
      throw new IllegalArgumentException("a step needs at least one chunk");
    }
    BatchLayout layout = BatchLayout.ofChunks(chunks);
    layout.check(decoder.limits());
    int wanted = chunks.stream().mapToInt(Chunk::wanted).sum();
    TokenBatch batch =
        new TokenBatch(
            decoder,
            loaded.device(),
            layout,
            chunks
                .getFirst()
                .sequence()
                .cache()
                .step(layout.sequences(), layout.tokens(), layout.length()),
            wanted,
            null);
    try {
      batch.write(chunks);
      return batch;
    } catch (RuntimeException | Error e) {
      batch.close();
      throw e;
    }
  }

  /**
   * Room for steps that are written in each other's place by {@link TokenBatch#write(List)}, for
   * work that is captured.
   *
   * @param cache of {@link #cacheShape}, whose sequences the steps are of
   * @param sequences the most of a step
   * @param tokens the most of a step
   * @param longestChunk the most tokens of a chunk
   * @param longest the most tokens of a sequence, those of the step included
   * @param wanted the most tokens of a step whose scores are wanted
   * @return a batch without tokens of meaning, to be written before it is run, and closed
   * @throws IllegalArgumentException for a longest sequence above {@link #maxLength}, and for
   *     numbers below 1 or that no step can have together
   * @throws IllegalStateException when the model or the cache is closed
   */
  public TokenBatch batch(
      KvCache cache, int sequences, int tokens, int longestChunk, int longest, int wanted) {
    loaded.check();
    BatchLayout room = BatchLayout.room(sequences, tokens, longestChunk, longest);
    room.check(decoder.limits());
    return new TokenBatch(
        decoder, loaded.device(), room, cache.step(sequences, tokens, longest), wanted, null);
  }

  /**
   * Runs a step. Submits work and waits for nothing, so that {@link Device#capture} can record it.
   *
   * @return F32 [wanted, vocab_size]: for each chunk in turn, the scores of what follows each of
   *     its last tokens whose scores are wanted
   * @throws IllegalStateException when the model is closed
   */
  @Override
  public Tensor logits(TokenBatch batch) {
    try (Scope scope = Scope.open()) {
      return scope.keep(scores(hidden(batch)));
    }
  }

  /**
   * Runs a step as {@link #logits} does, as far as the states after the last norm.
   *
   * @param batch a step of this model
   * @return [wanted, hidden_size], in the dtype of the residual stream
   * @throws IllegalStateException when the model is closed
   */
  public Tensor hidden(TokenBatch batch) {
    loaded.check();
    try (Scope scope = Scope.open()) {
      Tensor hidden = decoder.forward(batch, Trace.none());
      return scope.keep(Indexing.indexSelect(hidden, 0, batch.wanted()));
    }
  }

  /**
   * The scores of what follows.
   *
   * @param hidden rows of what {@link #hidden} gave
   * @return F32 [rows, vocab_size]
   * @throws IllegalStateException when the model is closed
   */
  public Tensor scores(Tensor hidden) {
    loaded.check();
    return decoder.logits(hidden);
  }

  @Override
  public List<Parameter> parameters() {
    return loaded.parameters();
  }

  @Override
  public void save(Path directory) throws IOException {
    loaded.save(directory, Architectures.ofCausalLm(config()));
  }

  @Override
  public void close() {
    loaded.close();
  }
}
