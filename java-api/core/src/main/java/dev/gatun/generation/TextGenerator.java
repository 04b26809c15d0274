package dev.gatun.generation;

import dev.gatun.generation.constraint.TokenAutomaton;
import dev.gatun.models.AutoModel;
import dev.gatun.models.CausalLm;
import dev.gatun.models.LanguageModel;
import dev.gatun.models.Seq2SeqLm;
import dev.gatun.nn.KvCache;
import dev.gatun.text.EncodeOptions;
import dev.gatun.text.Tokenizer;
import dev.gatun.text.TokenizerException;
import dev.gatun.weights.LoadListener;
import dev.gatun.weights.WeightTypes;
import dev.gatun.weights.gguf.GgufFile;
import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Objects;
import java.util.Optional;
import java.util.OptionalInt;
import java.util.Set;
import java.util.concurrent.Flow;
import java.util.concurrent.ThreadLocalRandom;
import java.util.stream.IntStream;

/**
 * Writes text with a causal language model, or with an encoder-decoder, whose encoder reads the
 * prompt:
 *
 * <pre>try (TextGenerator generator = TextGenerator.load(directory)) {
 *   for (TextChunk chunk : generator.stream("Once upon a time")) System.out.print(chunk.text());
 * }</pre>
 *
 * Requests of any number of threads are computed together, step by step. What a request gives
 * depends on its prompt, its settings and its seed: not on what else is computed, nor on what the
 * cache holds. Closing it ends the requests that run.
 */
public final class TextGenerator implements AutoCloseable {
  /** The memory that the cache takes where nobody said how much. */
  private static final long MOST_CACHE_BYTES = 1L << 30;

  /** The tokens of an encoder-decoder's text where nobody said how many. */
  private static final int TARGET_TOKENS = 512;

  private final StepModel model;
  private final DraftModel draft;
  private final Tokenizer tokenizer;
  private final GenerationDefaults defaults;
  private final Engine engine;
  private final ConstraintCache constraints;
  private boolean closed;

  TextGenerator(
      StepModel model,
      DraftModel draft,
      Tokenizer tokenizer,
      GenerationDefaults defaults,
      GeneratorOptions options) {
    this.model = model;
    this.draft = draft;
    this.tokenizer = tokenizer;
    this.defaults = defaults;
    this.constraints = new ConstraintCache(tokenizer);
    this.engine =
        new Engine(
            new Scheduler(
                model, draft, options.maxSequences(), options.stepTokens(), options.chunkTokens()));
  }

  /**
   * Loads a Hugging Face directory on the processor: {@code config.json} with the weights, the
   * tokenizer, and the defaults of {@code generation_config.json}; or a GGUF file, or a directory
   * with one, which has all of these. Without a tokenizer, prompts are token ids and so is what
   * comes.
   *
   * @param directory of the model, or its GGUF file
   * @return the generator, which the caller closes
   * @throws IOException when a file is missing or cannot be read
   * @throws IllegalArgumentException when one is not as expected
   */
  public static TextGenerator load(Path directory) throws IOException {
    return load(directory, GeneratorOptions.defaults());
  }

  /**
   * Loads a directory.
   *
   * @param directory of the model, as {@link #load(Path)} takes it
   * @param options how it computes
   * @return the generator, which the caller closes
   * @throws IOException when a file is missing or cannot be read
   * @throws IllegalArgumentException when one is not as expected, when the weights cannot be kept
   *     as the options ask, or when the cache has no room for a page
   */
  public static TextGenerator load(Path directory, GeneratorOptions options) throws IOException {
    return load(directory, null, options);
  }

  /**
   * The same with a small model of the same vocabulary, which guesses tokens for the large one to
   * verify, several in a step. Ids do not depend on it; where it takes more time than it saves it
   * is off, and {@link GenerationResult#speculation} says so.
   *
   * @param directory of the large model, as {@link #load(Path)} takes it
   * @param draftDirectory of the small model; null for none
   * @param options how both compute
   * @return the generator, which the caller closes
   * @throws IOException when a file is missing or cannot be read
   * @throws IllegalArgumentException when one is not as expected, where the vocabularies have
   *     different numbers of tokens, or where the large model is an encoder-decoder
   */
  public static TextGenerator load(Path directory, Path draftDirectory, GeneratorOptions options)
      throws IOException {
    return load(directory, draftDirectory, options, null);
  }

  /**
   * The same, telling how far the loading of the large model is.
   *
   * @param directory of the large model, as {@link #load(Path)} takes it
   * @param draftDirectory of the small model; null for none
   * @param options how both compute
   * @param listener is told of each weight before it is read; null for nobody
   * @return the generator, which the caller closes
   * @throws IOException when a file is missing or cannot be read
   * @throws IllegalArgumentException as the other
   */
  public static TextGenerator load(
      Path directory, Path draftDirectory, GeneratorOptions options, LoadListener listener)
      throws IOException {
    GenerationDefaults defaults = GenerationConfig.load(directory);
    Tokenizer tokenizer = tokenizer(directory);
    if (Seq2SeqLoading.isSeq2Seq(directory)) {
      return encoderDecoder(directory, draftDirectory, options, listener, defaults, tokenizer);
    }
    CausalLm model = null;
    CausalLm small = null;
    try {
      model =
          AutoModel.loadCausalLm(
              directory,
              options.device(),
              WeightTypes.of(options.storage()).withMapped(options.mappedWeights()),
              options.compute(),
              listener);
      DraftModel draft = null;
      if (draftDirectory != null) {
        small =
            AutoModel.loadCausalLm(
                draftDirectory, options.device(), options.storage(), options.compute());
        requireSameVocabulary(model, small, draftDirectory);
        draft = new DraftModel(new CausalLmSteps(small, cache(small, options)));
      }
      StepModel steps = new CausalLmSteps(model, cache(model, options));
      return new TextGenerator(
          steps, draft, tokenizer, withEnds(defaults, model, tokenizer), options);
    } catch (IOException | RuntimeException | Error e) {
      if (model != null) {
        model.close();
      }
      if (small != null) {
        small.close();
      }
      if (tokenizer != null) {
        tokenizer.close();
      }
      throw e;
    }
  }

  private static TextGenerator encoderDecoder(
      Path directory,
      Path draftDirectory,
      GeneratorOptions options,
      LoadListener listener,
      GenerationDefaults defaults,
      Tokenizer tokenizer)
      throws IOException {
    Seq2SeqLm model = null;
    try {
      if (draftDirectory != null) {
        throw new IllegalArgumentException(
            "%s: an encoder-decoder takes no draft model".formatted(directory));
      }
      model =
          AutoModel.loadSeq2SeqLm(
              directory,
              options.device(),
              WeightTypes.of(options.storage()).withMapped(options.mappedWeights()),
              options.compute(),
              listener);
      int start = Seq2SeqLoading.startTokenId(directory, model);
      StepModel steps = Seq2SeqLoading.steps(model, options, start, mostCacheBytes(model));
      return new TextGenerator(
          steps, null, tokenizer, withEnds(defaults, model, tokenizer), options);
    } catch (IOException | RuntimeException | Error e) {
      if (model != null) {
        model.close();
      }
      if (tokenizer != null) {
        tokenizer.close();
      }
      throw e;
    }
  }

  private static void requireSameVocabulary(CausalLm model, CausalLm small, Path directory) {
    if (model.vocabSize() != small.vocabSize()) {
      throw new IllegalArgumentException(
          "%s: the draft model's vocabulary has %d tokens, the model's has %d: they must be the same"
              .formatted(directory, small.vocabSize(), model.vocabSize()));
    }
  }

  private static Tokenizer tokenizer(Path directory) throws IOException {
    Optional<Path> gguf = GgufFile.find(directory);
    if (gguf.isPresent()) {
      return GgufFile.readMetadata(gguf.get(), keys -> keys.has("tokenizer.ggml.tokens"))
          ? Tokenizer.load(directory)
          : null;
    }
    return Tokenizer.fileIn(directory).isPresent() ? Tokenizer.load(directory) : null;
  }

  private static KvCache cache(CausalLm model, GeneratorOptions options) {
    KvCache.Shape shape =
        options.cacheDtype().map(model.cacheShape()::withDtype).orElse(model.cacheShape());
    int size = Math.min(options.pageSize(), model.maxLength());
    long page = Math.max(1, shape.tokenBytes() * size);
    long pages = Math.ceilDiv(model.maxLength(), size) + 1L;
    long bytes =
        options
            .cacheBytes()
            .orElse(
                Math.max(
                    page, Math.min(mostCacheBytes(model), pages * options.maxSequences() * page)));
    if (bytes < page) {
      throw new IllegalArgumentException(
          "cacheBytes is %d, expected at least %d, which one page of %d tokens has"
              .formatted(bytes, page, size));
    }
    return KvCache.ofBytes(model.device(), shape, size, bytes);
  }

  /** Where the caller says nothing half of what is free is left to others. */
  private static long mostCacheBytes(LanguageModel model) {
    return Math.min(MOST_CACHE_BYTES, model.device().memory().freeBytes() / 2);
  }

  /** The end of text is what any of the files says it is. */
  private static GenerationDefaults withEnds(
      GenerationDefaults defaults, LanguageModel model, Tokenizer tokenizer) {
    Set<Integer> ends = new LinkedHashSet<>(defaults.config().eosTokenId());
    ends.addAll(model.eosTokenIds());
    if (tokenizer != null) {
      tokenizer.specialTokens().eos().ifPresent(ends::add);
    }
    List<String> warnings = new ArrayList<>(defaults.warnings());
    for (int id : List.copyOf(ends)) {
      if (id >= model.vocabSize()) {
        ends.remove(id);
        warnings.add(
            "eos_token_id has %d, which the vocabulary of %d lacks, and has no effect"
                .formatted(id, model.vocabSize()));
      }
    }
    return new GenerationDefaults(
        defaults.config().toBuilder().eosTokenId(List.copyOf(ends)).build(), warnings);
  }

  /**
   * {@return the settings that requests have where they give none, and what the files say in vain}
   */
  public GenerationDefaults defaults() {
    return defaults;
  }

  /**
   * {@return the most tokens of a sequence, prompt and text; of an encoder-decoder, of the text
   * alone}
   */
  public int maxLength() {
    return model.maxLength();
  }

  /**
   * {@return the most tokens of a source, special ones included; empty for a causal language model}
   */
  public OptionalInt maxSourceLength() {
    SourceModel encoder = model.encoder();
    return encoder == null ? OptionalInt.empty() : OptionalInt.of(encoder.maxLength());
  }

  /**
   * {@return what prompts are read with, closed with the generator; empty where the directory has
   * none}
   */
  public Optional<Tokenizer> tokenizer() {
    return Optional.ofNullable(tokenizer);
  }

  /**
   * Writes on from a prompt by the {@link #defaults} and waits for the end.
   *
   * @param prompt the text to go on from, or an encoder-decoder's source
   * @return what was written
   * @throws IllegalArgumentException as {@link #generate(String, GenerationConfig)} does
   */
  public GenerationResult generate(String prompt) {
    return generate(prompt, defaults.config());
  }

  /**
   * Writes on from a prompt and waits for the end.
   *
   * @param prompt the text to go on from, or an encoder-decoder's source
   * @param config the settings, all of them: those of the model's files count where they are in it
   * @return what was written
   * @throws IllegalArgumentException when the prompt is empty and there is no {@code bosTokenId},
   *     when it fills the model's context, when the generator has no tokenizer, and for settings
   *     that need one, or ids that the vocabulary lacks
   * @throws InvalidLogitsException when the model gives logits that choose no token
   * @throws IllegalStateException when the generator is closed, now or before the end, or the cache
   *     is too small for the request
   */
  public GenerationResult generate(String prompt, GenerationConfig config) {
    return stream(prompt, config).result();
  }

  /**
   * The same for a prompt of token ids.
   *
   * @param prompt ids of the vocabulary; of an encoder-decoder, the source's with its special
   *     tokens
   * @param config the settings
   * @return what was written
   * @throws IllegalArgumentException also for ids that the vocabulary lacks
   */
  public GenerationResult generate(int[] prompt, GenerationConfig config) {
    return stream(prompt, config).result();
  }

  /**
   * Writes on from a prompt by the {@link #defaults}; the text comes by the stream.
   *
   * @param prompt the text to go on from, or an encoder-decoder's source
   * @return the text as it comes; closing it early cancels the request
   * @throws IllegalArgumentException as {@link #generate(String, GenerationConfig)} does
   */
  public GenerationStream stream(String prompt) {
    return stream(prompt, defaults.config());
  }

  /**
   * Writes on from a prompt; the text comes by the stream. What is wrong with the prompt or the
   * settings is thrown here, what fails later by the stream, as {@link #generate(String,
   * GenerationConfig)} tells.
   *
   * @param prompt the text to go on from, or an encoder-decoder's source
   * @param config the settings
   * @return the text as it comes; closing it early cancels the request
   * @throws IllegalArgumentException when the generator has no tokenizer, and as {@link
   *     #stream(int[], GenerationConfig)} does
   */
  public GenerationStream stream(String prompt, GenerationConfig config) {
    Objects.requireNonNull(prompt, "prompt");
    if (tokenizer == null) {
      throw new IllegalArgumentException(
          "the model's directory has no tokenizer: give the prompt as token ids");
    }
    long[] ids;
    try {
      ids = tokenizer.inputIds(prompt, EncodeOptions.DEFAULT).ids();
    } catch (TokenizerException e) {
      throw new IllegalArgumentException("prompt: " + e.getMessage(), e);
    }
    return stream(Arrays.stream(ids).mapToInt(Math::toIntExact).toArray(), config);
  }

  /**
   * The same for a prompt of token ids.
   *
   * @param prompt ids of the vocabulary; of an encoder-decoder, the source's with its special
   *     tokens
   * @param config the settings
   * @return the text as it comes; closing it early cancels the request
   * @throws IllegalArgumentException when the prompt is empty and there is no {@code bosTokenId},
   *     has ids outside of the vocabulary, or fills the model's context; and for stop strings or a
   *     constraint without a tokenizer
   * @throws IllegalStateException when the generator is closed
   */
  public GenerationStream stream(int[] prompt, GenerationConfig config) {
    return stream(prompt, new int[0], config);
  }

  /**
   * The same with what an encoder-decoder's text begins with, such as a language or the words that
   * a translation is to go on from: Hugging Face's {@code decoder_input_ids}. The completion is
   * what follows. As there, lengths count these tokens like a prompt's, and forced_bos_token_id has
   * no effect behind them.
   *
   * @param prompt ids of the vocabulary; of an encoder-decoder, the source's with its special
   *     tokens
   * @param begin token ids of the target's vocabulary; where the first is not the token that all
   *     targets begin with, that stands before them; none for that one alone
   * @param config the settings
   * @return the text as it comes; closing it early cancels the request
   * @throws IllegalArgumentException also where there are such tokens, and the model has no encoder
   * @throws IllegalStateException when the generator is closed
   */
  public GenerationStream stream(int[] prompt, int[] begin, GenerationConfig config) {
    int[] ids = checked(prompt, config);
    if (!config.stopStrings().isEmpty() && tokenizer == null) {
      throw new IllegalArgumentException(
          "stop_strings need a tokenizer, which the model's directory lacks");
    }
    SourceModel encoder = model.encoder();
    int[] source = encoder == null ? null : ids;
    int[] first = encoder == null ? withoutBegin(ids, begin) : begun(encoder, begin);
    int maxLength = model.maxLength();
    if (config.maxNewTokens().isPresent()) {
      maxLength = (int) Math.min(maxLength, (long) first.length + config.maxNewTokens().getAsInt());
    } else if (config.maxLength().isPresent()) {
      maxLength = Math.min(maxLength, config.maxLength().getAsInt());
    } else if (encoder != null) {
      maxLength = Math.min(maxLength, TARGET_TOKENS);
    }
    if (first.length >= maxLength) {
      throw new IllegalArgumentException(
          "%s: it has %d tokens, and max_length is %d: no token may follow"
              .formatted(begin.length > 0 ? "begin" : "prompt", first.length, maxLength));
    }
    long seed = config.seed().orElseGet(() -> ThreadLocalRandom.current().nextLong());
    GenerationStream stream = new GenerationStream(ids.length, engine::wake);
    TokenAutomaton constraint = config.constraint().map(constraints::of).orElse(null);
    // As in transformers, min_new_tokens takes the place of min_length.
    GenerationConfig settings =
        config.minNewTokens() > 0 ? config.toBuilder().minLength(0).build() : config;
    engine.submit(
        new Request(settings, first, source, maxLength, seed, tokenizer, constraint, stream));
    return stream;
  }

  private static int[] withoutBegin(int[] ids, int[] begin) {
    if (begin.length > 0) {
      throw new IllegalArgumentException(
          "begin: it has %d tokens, and the model has no encoder: they belong to the prompt"
              .formatted(begin.length));
    }
    return ids;
  }

  private int[] begun(SourceModel encoder, int[] begin) {
    requireIds("begin", begin, model.vocabSize());
    int start = encoder.startTokenId();
    return begin.length > 0 && begin[0] == start
        ? begin.clone()
        : IntStream.concat(IntStream.of(start), IntStream.of(begin)).toArray();
  }

  private static void requireIds(String of, int[] ids, int vocabulary) {
    for (int i = 0; i < ids.length; i++) {
      if (ids[i] < 0 || ids[i] >= vocabulary) {
        throw new IllegalArgumentException(
            "%s: token %d has the id %d, the model's vocabulary has %d"
                .formatted(of, i, ids[i], vocabulary));
      }
    }
  }

  private int[] checked(int[] prompt, GenerationConfig config) {
    int[] ids = prompt.clone();
    if (ids.length == 0) {
      if (config.bosTokenId().isEmpty()) {
        throw new IllegalArgumentException(
            "prompt: it has no tokens, and there is no bos_token_id to begin with");
      }
      ids = new int[] {config.bosTokenId().getAsInt()};
    }
    SourceModel encoder = model.encoder();
    requireIds("prompt", ids, encoder == null ? model.vocabSize() : encoder.vocabSize());
    if (encoder != null && ids.length > encoder.maxLength()) {
      throw new IllegalArgumentException(
          "prompt: it has %d tokens, the model's encoder takes %d: shorten it or split it"
              .formatted(ids.length, encoder.maxLength()));
    }
    if (encoder == null && ids.length >= model.maxLength()) {
      throw new IllegalArgumentException(
          "prompt: it has %d tokens, the model's context has room for %d with what it writes"
              .formatted(ids.length, model.maxLength()));
    }
    return ids;
  }

  /**
   * The chunks of a prompt's text, for programs with reactive streams. Each subscriber makes a
   * request of its own; cancelling its subscription ends it.
   *
   * @param prompt the text to go on from, or an encoder-decoder's source
   * @param config the settings
   * @return a publisher that starts nothing before there is a subscriber, whom it tells what is
   *     wrong with the prompt or the settings too
   */
  public Flow.Publisher<TextChunk> publisher(String prompt, GenerationConfig config) {
    return new ChunkPublisher(() -> stream(prompt, config));
  }

  /** Ends the requests that run, after the step under way, and frees the model. */
  @Override
  public void close() {
    engine.close();
    synchronized (this) {
      if (!closed) {
        closed = true;
        model.close();
        if (draft != null) {
          draft.close();
        }
        if (tokenizer != null) {
          tokenizer.close();
        }
      }
    }
  }
}
