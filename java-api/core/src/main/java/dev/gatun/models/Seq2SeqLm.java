package dev.gatun.models;

import dev.gatun.kernels.api.memory.DType;
import dev.gatun.nn.KvCache;
import dev.gatun.nn.KvSequence;
import dev.gatun.nn.KvStep;
import dev.gatun.nn.Parameter;
import dev.gatun.nn.RotaryPositionalEmbedding;
import dev.gatun.ops.Elementwise;
import dev.gatun.ops.Indexing;
import dev.gatun.tensor.Device;
import dev.gatun.tensor.Ids;
import dev.gatun.tensor.Scope;
import dev.gatun.tensor.Tensor;
import java.io.IOException;
import java.nio.file.Path;
import java.util.List;
import java.util.stream.IntStream;

/**
 * An encoder of sources with a decoder that tells what token of a target comes next. {@link
 * #forward} takes whole sequences. Step by step, {@link #encode} puts what the decoder sees of
 * sources into a cache, once each; {@link #batch(List)} and {@link #logits} then take the next
 * tokens of targets, whose keys and values a second cache holds:
 *
 * <pre>try (KvCache sources = KvCache.paged(model.device(), model.sourceShape(), 16, 256);
 *     KvCache cache = KvCache.paged(model.device(), model.cacheShape(), 16, 256);
 *     KvSequence source = sources.open();
 *     KvSequence target = cache.open()) {
 *   model.encode(List.of(source), new long[][] {ids});
 *   try (TokenBatch batch = model.batch(List.of(Chunk.of(target, start).withSource(source)));
 *       Tensor logits = model.logits(batch)) { ... }
 * }</pre>
 *
 * Safe for use by many threads; a cache is for one step at a time.
 */
public final class Seq2SeqLm implements LanguageModel {
  private final Loaded loaded;
  private final EncoderDecoder model;
  private final RotaryPositionalEmbedding none;
  private final List<Integer> eosTokenIds;

  /**
   * @param weights what the model was made of; this closes them
   */
  Seq2SeqLm(Config config, Weights weights, EncoderDecoder model) {
    this.model = model;
    this.eosTokenIds = config.integers("eos_token_id");
    this.none = weights.loader().own(RotaryPositionalEmbedding.none(weights.device(), 1));
    this.loaded = new Loaded(config, weights, model::isOtherHead);
  }

  /** The most tokens of a target. */
  @Override
  public int maxLength() {
    return model.decoder().limits().length();
  }

  /** {@return the most tokens of a source} */
  public int maxSourceLength() {
    return model.encoder().limits().length();
  }

  /** Tokens in the vocabulary of targets. */
  @Override
  public int vocabSize() {
    return model.decoder().limits().vocabulary();
  }

  /** {@return the number of tokens in the vocabulary of sources} */
  public int sourceVocabSize() {
    return model.encoder().limits().vocabulary();
  }

  /** {@return the width of the decoder's hidden states} */
  public int hiddenSize() {
    return model.decoder().limits().hidden();
  }

  /** The ids that end a target by {@code config.json}, none or several. */
  @Override
  public List<Integer> eosTokenIds() {
    return eosTokenIds;
  }

  /** What a cache keeps of a target's token, in the dtype that attention computes in. */
  @Override
  public KvCache.Shape cacheShape() {
    return model.decoder().cacheShape();
  }

  /** {@return what a cache keeps of a source's token, in the dtype that attention computes in} */
  public KvCache.Shape sourceShape() {
    return model.decoder().sourceShape();
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
   * Runs the model over whole sequences, without caches.
   *
   * @param inputs sources with targets or labels, and what is asked for
   * @return the logits, the encoder's states and what else is asked for, to be closed
   * @throws IllegalArgumentException for ids outside of the vocabulary, sequences that are too
   *     long, sources without tokens, and parts of shapes that do not fit
   * @throws IllegalStateException when the model is closed
   */
  public Seq2SeqOutput forward(Seq2SeqInputs inputs) {
    return forward(inputs, null, false, 0);
  }

  /**
   * The loss alone, F32 [1], for a training step.
   *
   * @param inputs sources with labels; layers' outputs are not given, whatever they ask for
   * @param counts what it is a mean over: {@link #lossCounts} of all batches of the step, added up;
   *     null for this batch alone
   * @return the loss, to be closed
   * @throws IllegalArgumentException as {@link #forward}, and for inputs without labels
   */
  public Tensor loss(Seq2SeqInputs inputs, LossCounts counts) {
    return loss(inputs, counts, 0);
  }

  /**
   * The same with smoothed labels, as transformers' {@code label_smoothing_factor} has it.
   *
   * @param inputs sources with labels
   * @param counts what it is a mean over, as for {@link #loss(Seq2SeqInputs, LossCounts)}; null for
   *     this batch alone
   * @param smoothing the share of a label that all tokens have alike, from 0 to below 1
   * @return the loss, F32 [1], to be closed
   * @throws IllegalArgumentException as the other
   */
  public Tensor loss(Seq2SeqInputs inputs, LossCounts counts, float smoothing) {
    if (inputs.labels() == null) {
      throw new IllegalArgumentException("labels are missing: there is no loss without");
    }
    Seq2SeqOutput output = forward(inputs, counts, true, smoothing);
    Tensor loss = output.loss;
    output.loss = null;
    output.close();
    return loss;
  }

  /**
   * {@return what the loss of a batch is a mean over: the labels that count, or the sum of their
   * weights}
   *
   * @param inputs sources with labels; without them no item counts
   */
  public LossCounts lossCounts(Seq2SeqInputs inputs) {
    BatchLayout targets = targets(inputs);
    double items =
        inputs.labels() == null
            ? 0
            : Losses.weight(
                targets.pickLabels(inputs.labels()), targets.pickWeights(inputs.labelWeights()));
    return new LossCounts(items, targets.sequences(), 1);
  }

  private Seq2SeqOutput forward(
      Seq2SeqInputs inputs, LossCounts counts, boolean lossAlone, float smoothing) {
    loaded.check();
    if (inputs.outputRouterLogits() && !model.hasRouters()) {
      throw new IllegalArgumentException(
          "output_router_logits: a %s has no routers"
              .formatted(loaded.config().text("model_type", null)));
    }
    BatchLayout sources = sources(inputs.sources(), inputs.outputRouterLogits());
    BatchLayout targets = targets(inputs);
    check("decoder_", targets, model.decoder().limits());
    Seq2SeqOutput output = new Seq2SeqOutput();
    try (Scope scope = Scope.open();
        TokenBatch source = new TokenBatch(model.encoder(), loaded.device(), sources)) {
      Trace encoding = trace(inputs, lossAlone);
      Tensor encoded = model.encoder().forward(source, encoding);
      try (TokenBatch target =
          new TokenBatch(
              model.decoder(),
              loaded.device(),
              targets,
              null,
              0,
              new Source.Whole(encoded, source.segments(), source.paddingBias()))) {
        Trace decoding = trace(inputs, lossAlone);
        CrossDecoder decoder = model.decoder();
        Tensor hidden = decoder.forward(target, decoding);
        boolean withLogits = !lossAlone || decoder.output() == null;
        Tensor logits = withLogits ? decoder.logits(hidden) : null;
        encoding.routers().forEach(x -> output.encoderRouterLogits.add(Padded.rows(x, source)));
        decoding.routers().forEach(x -> output.decoderRouterLogits.add(Padded.rows(x, target)));
        if (inputs.outputRouterLogits()) {
          output.routerLosses =
              RouterLosses.Parts.of(
                  loaded.config(), output.encoderRouterLogits, output.decoderRouterLogits);
        }
        if (inputs.labels() != null) {
          Losses.Settings settings =
              Losses.Settings.of(counts, smoothing, targets.pickWeights(inputs.labelWeights()));
          long[] labels = targets.pickLabels(inputs.labels());
          output.loss =
              withLogits
                  ? Losses.crossEntropy(logits, labels, settings)
                  : Losses.crossEntropy(
                      decoder.output(), decoder::beforeOutput, hidden, labels, settings);
          if (output.routerLosses != null) {
            output.loss =
                output.routerLosses.addedTo(output.loss, counts == null ? 1 : counts.batches());
          }
        }
        if (!lossAlone) {
          output.logits = Padded.rows(logits, target);
          output.encoderLastHiddenState = wide(encoded, source);
          traced(output, encoding, decoding, source, target);
        }
      }
      output.tensors().forEach(scope::keep);
    } catch (RuntimeException | Error e) {
      output.close();
      throw e;
    }
    return output;
  }

  private static Trace trace(Seq2SeqInputs inputs, boolean lossAlone) {
    return new Trace(
        !lossAlone && inputs.outputHiddenStates(),
        !lossAlone && inputs.outputAttentions(),
        inputs.outputRouterLogits());
  }

  /** Puts what passes kept of each layer into the output. */
  private static void traced(
      Seq2SeqOutput output, Trace encoding, Trace decoding, TokenBatch source, TokenBatch target) {
    encoding.states().forEach(x -> output.encoderHiddenStates.add(wide(x, source)));
    decoding.states().forEach(x -> output.decoderHiddenStates.add(wide(x, target)));
    encoding.attentions().forEach(w -> output.encoderAttentions.add(Padded.attention(w, source)));
    decoding.attentions().forEach(w -> output.decoderAttentions.add(Padded.attention(w, target)));
    decoding
        .crossAttentions()
        .forEach(w -> output.crossAttentions.add(Padded.attention(w, target, source)));
  }

  private static Tensor wide(Tensor rows, TokenBatch batch) {
    return Padded.rows(Elementwise.cast(rows, DType.F32), batch);
  }

  /**
   * Sequences with the padding that changes something: routers' losses count it too, and before or
   * between tokens it takes room of their experts.
   */
  private BatchLayout layout(EncoderInputs inputs, boolean withRouterLosses) {
    BatchLayout layout = BatchLayout.of(inputs, withRouterLosses);
    return model.hasRouters() && !layout.isDense() ? BatchLayout.of(inputs, true) : layout;
  }

  private BatchLayout targets(Seq2SeqInputs inputs) {
    return layout(inputs.targets(model), inputs.outputRouterLogits());
  }

  private BatchLayout sources(EncoderInputs inputs, boolean withRouterLosses) {
    BatchLayout layout = layout(inputs, withRouterLosses);
    check("", layout, model.encoder().limits());
    for (int s = 0; s < layout.sequences(); s++) {
      int row = s;
      long[] ids = inputs.inputIds()[s];
      if (IntStream.range(0, ids.length).noneMatch(t -> inputs.isToken(row, t))) {
        throw new IllegalArgumentException(
            "input_ids has no tokens in row %d: a target needs a source".formatted(s));
      }
    }
    return layout;
  }

  private static void check(String prefix, BatchLayout layout, Limits limits) {
    try {
      layout.check(limits);
    } catch (IllegalArgumentException e) {
      throw prefix.isEmpty() ? e : new IllegalArgumentException(prefix + e.getMessage(), e);
    }
  }

  /**
   * Puts what the decoder sees of sources into a cache.
   *
   * @param sequences of one cache of {@link #sourceShape}, empty, one a source
   * @param ids tokens of the sources
   * @throws IllegalArgumentException for ids outside of the vocabulary, and sources that are too
   *     long or without tokens
   * @throws dev.gatun.nn.KvCacheFullException when the cache has too few free pages; nothing has
   *     changed then
   */
  public void encode(List<KvSequence> sequences, long[][] ids) {
    loaded.check();
    BatchLayout layout = sources(EncoderInputs.of(ids), false);
    for (KvSequence sequence : sequences) {
      if (sequence.length() > 0) {
        throw new IllegalArgumentException(
            "encode: a sequence has %d tokens already".formatted(sequence.length()));
      }
    }
    if (layout.tokens() == 0) {
      return;
    }
    try (KvStep step = sequences.getFirst().cache().step(sequences, layout.lengths());
        Scope _ = Scope.open();
        TokenBatch batch = new TokenBatch(model.encoder(), loaded.device(), layout);
        Ids first = Ids.of(loaded.device(), "positions", 1, new long[layout.tokens()])) {
      Tensor encoded = model.encoder().forward(batch, Trace.none());
      DType kept = step.cache().shape().dtype();
      for (int layer = 0; layer < sourceShape().layers(); layer++) {
        Tensor both = model.decoder().keysAndValues(layer, encoded);
        step.append(layer, kept == DType.I8 ? both : Elementwise.cast(both, kept), none, first);
      }
    } catch (RuntimeException | Error e) {
      sequences.forEach(sequence -> sequence.truncate(0));
      throw e;
    }
  }

  /**
   * A step's tokens of targets on the model's device, checked, whose sequences have been given
   * their places in the cache. They count as appended: where the step is not run, or fails, {@link
   * KvSequence#truncate} takes them back.
   *
   * @param chunks of distinct sequences of one cache, with sources of another, at least one
   * @throws IllegalArgumentException for ids outside of the vocabulary, sequences that become too
   *     long, and a chunk without a source
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
    check("decoder_", layout, model.decoder().limits());
    int longestSource = 0;
    for (Chunk chunk : chunks) {
      longestSource = Math.max(longestSource, chunk.requireSource().length());
    }
    KvCache cache = chunks.getFirst().sequence().cache();
    KvCache sources = chunks.getFirst().source().cache();
    TokenBatch batch =
        batch(
            layout,
            cache.step(layout.sequences(), layout.tokens(), layout.length()),
            chunks.stream().mapToInt(Chunk::wanted).sum(),
            sources,
            longestSource);
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
   * @param cache of the targets
   * @param sources of what the decoder sees of sources
   * @param sequences the most of a step
   * @param tokens the most of a step
   * @param longestChunk the most tokens of a chunk
   * @param longest the most tokens of a target, those of the step included
   * @param longestSource the most tokens of a source
   * @param wanted the most tokens of a step whose scores are wanted
   * @return a batch without tokens of meaning, to be written before it is run, and closed
   * @throws IllegalArgumentException for a longest target above {@link #maxLength}, and for numbers
   *     below 1 or that no step can have together
   * @throws IllegalStateException when the model or a cache is closed
   */
  public TokenBatch batch(
      KvCache cache,
      KvCache sources,
      int sequences,
      int tokens,
      int longestChunk,
      int longest,
      int longestSource,
      int wanted) {
    loaded.check();
    BatchLayout room = BatchLayout.room(sequences, tokens, longestChunk, longest);
    check("decoder_", room, model.decoder().limits());
    return batch(room, cache.step(sequences, tokens, longest), wanted, sources, longestSource);
  }

  /**
   * @param step owned by the batch, or closed
   */
  private TokenBatch batch(
      BatchLayout layout, KvStep step, int wanted, KvCache sources, int longestSource) {
    KvStep seen;
    try {
      seen = sources.step(layout.sequences(), 0, longestSource);
    } catch (RuntimeException | Error e) {
      step.close();
      throw e;
    }
    return new TokenBatch(
        model.decoder(), loaded.device(), layout, step, wanted, new Source.Cached(seen));
  }

  /**
   * {@return whether a step must fill its room: as many sequences and tokens as the batch was made
   * for} So it is where experts take no more than so many tokens of a sequence.
   */
  public boolean fillsItsRoom() {
    return model.hasRouters();
  }

  /** {@return how many tokens of sources to encode at once, as {@link EncoderModel#batchTokens}} */
  public int sourceBatchTokens() {
    return EncoderModel.batchTokens(loaded.device(), model.encoder().limits().hidden());
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
    loaded.check();
    try (Scope scope = Scope.open()) {
      Tensor hidden = model.decoder().forward(batch, Trace.none());
      return scope.keep(model.decoder().logits(Indexing.indexSelect(hidden, 0, batch.wanted())));
    }
  }

  @Override
  public List<Parameter> parameters() {
    return loaded.parameters();
  }

  @Override
  public void save(Path directory) throws IOException {
    loaded.save(directory, Architectures.ofSeq2SeqLm(config()));
  }

  @Override
  public void close() {
    loaded.close();
  }
}
