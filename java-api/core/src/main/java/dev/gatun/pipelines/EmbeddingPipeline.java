package dev.gatun.pipelines;

import dev.gatun.kernels.api.memory.Storage;
import dev.gatun.models.AutoModel;
import dev.gatun.models.Config;
import dev.gatun.models.EncoderModel;
import dev.gatun.models.Head;
import dev.gatun.nn.Compute;
import dev.gatun.tensor.Device;
import dev.gatun.tensor.Scope;
import dev.gatun.text.EncodeOptions;
import dev.gatun.text.Encoding;
import dev.gatun.text.InputIds;
import dev.gatun.text.Tokenizer;
import dev.gatun.weights.WeightTypes;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.function.IntConsumer;
import java.util.function.IntFunction;
import java.util.stream.IntStream;

/** Texts to vectors whose nearness is nearness in meaning. */
public final class EmbeddingPipeline implements AutoCloseable {
  /**
   * What to do otherwise than the model's directory says; null leaves it to the directory.
   *
   * @param pooling how tokens become one vector; the mean where nothing is said
   * @param normalize whether vectors get length one at the end; they do where there is no {@code
   *     modules.json}
   * @param truncateDim how many features of a vector are kept, before it gets length one; all where
   *     nothing is said
   * @param maxLength the most tokens of a text, special ones included; the model's limit where
   *     nothing is said
   * @param overflow what happens to longer texts
   * @param weights what the weights of linear layers are kept as
   * @param compute how their products compute
   * @param device where the model runs; on the processor where nothing is said
   */
  public record Options(
      Pooling pooling,
      Boolean normalize,
      Integer truncateDim,
      Integer maxLength,
      EncodeOptions.Overflow overflow,
      WeightTypes weights,
      Compute compute,
      Device device) {
    /** As the directory says; longer texts are cut, and the result tells by how much. */
    public static final Options DEFAULT =
        new Options(
            null,
            null,
            null,
            null,
            EncodeOptions.Overflow.TRUNCATE,
            WeightTypes.of(Storage.F32),
            Compute.EXACT,
            null);

    /**
     * {@return these options with another pooling}
     *
     * @param value how tokens become one vector; null for what the directory says
     */
    public Options withPooling(Pooling value) {
      return new Options(
          value, normalize, truncateDim, maxLength, overflow, weights, compute, device);
    }

    /**
     * {@return these options with vectors of length one or as they come}
     *
     * @param value whether they get length one at the end
     */
    public Options withNormalize(boolean value) {
      return new Options(
          pooling, value, truncateDim, maxLength, overflow, weights, compute, device);
    }

    /**
     * {@return these options with vectors of their first features}
     *
     * @param features how many, from 1; all where a vector has fewer
     * @throws IllegalArgumentException for less than 1
     */
    public Options withTruncateDim(int features) {
      if (features < 1) {
        throw new IllegalArgumentException(
            "truncateDim is %d, expected a number from 1".formatted(features));
      }
      return new Options(
          pooling, normalize, features, maxLength, overflow, weights, compute, device);
    }

    /**
     * {@return these options with another limit}
     *
     * @param tokens the most of a text, special ones included, from 1; the model's own limit where
     *     that is less
     */
    public Options withMaxLength(int tokens) {
      return new Options(
          pooling, normalize, truncateDim, tokens, overflow, weights, compute, device);
    }

    /**
     * {@return these options with the weights of linear layers kept as something else}
     *
     * @param value what all of them are kept as
     */
    public Options withWeights(Storage value) {
      return withWeights(WeightTypes.of(value));
    }

    /**
     * {@return these options with a wider storage for some layers}
     *
     * @param value what most layers are kept as, and which ones otherwise
     */
    public Options withWeights(WeightTypes value) {
      return new Options(
          pooling, normalize, truncateDim, maxLength, overflow, value, compute, device);
    }

    /**
     * {@return these options with products that compute in another way}
     *
     * @param value what they make of their inputs
     */
    public Options withCompute(Compute value) {
      return new Options(
          pooling, normalize, truncateDim, maxLength, overflow, weights, value, device);
    }

    /**
     * {@return these options with the model on another device than the processor}
     *
     * @param value where it runs; null for the processor
     */
    public Options withDevice(Device value) {
      return new Options(
          pooling, normalize, truncateDim, maxLength, overflow, weights, compute, value);
    }

    /** {@return these options with an error for texts that are too long} */
    public Options withError() {
      return new Options(
          pooling,
          normalize,
          truncateDim,
          maxLength,
          EncodeOptions.Overflow.ERROR,
          weights,
          compute,
          device);
    }
  }

  private final Tokenizer tokenizer;
  private final TextModel model;
  private final SentenceConfig config;
  private final SentenceVectors vectors;
  private final EncodeOptions encoding;

  private EmbeddingPipeline(
      Tokenizer tokenizer,
      TextModel model,
      TransformerSettings settings,
      SentenceConfig config,
      SentenceVectors vectors,
      Options options) {
    this.tokenizer = tokenizer;
    this.model = model;
    this.config = config;
    this.vectors = vectors;
    Integer said = options.maxLength != null ? options.maxLength : settings.maxLength();
    int limit = said != null ? said : tokenizer.modelMaxLength().orElse(Integer.MAX_VALUE);
    this.encoding =
        EncodeOptions.DEFAULT
            .withMaxLength(Math.min(model.maxLength(), limit))
            .withOverflow(options.overflow);
  }

  /**
   * {@return whether a model's files say how its tokens become a vector: a {@code modules.json}, or
   * the pooling type of a GGUF file}
   *
   * @param model a directory, or a GGUF file
   * @throws IOException when a file cannot be read
   */
  public static boolean hasModules(Path model) throws IOException {
    return Files.exists(model.resolve("modules.json")) || GgufPooling.isSaid(model);
  }

  /**
   * Opens a model directory: one of sentence-transformers, whose {@code modules.json} says which
   * modules there are and where, or any encoder's, the mean of whose tokens is taken. The
   * transformer is an encoder, or a decoder whose last hidden states are read, as those of Qwen3
   * Embedding (arXiv 2506.05176) and EmbeddingGemma (arXiv 2509.20354). Or a GGUF file, whose
   * {@code pooling_type} says how tokens become a vector. What its files say and nobody here reads
   * is named in a warning of the logger {@code dev.gatun}, or with {@code -Dgatun.strict=true} in
   * an error.
   *
   * @param directory of the model, or its GGUF file
   * @return the pipeline, which the caller closes
   * @throws IOException when a file is missing or cannot be read
   * @throws IllegalArgumentException when one is not as expected, or asks for what is not done
   */
  public static EmbeddingPipeline load(Path directory) throws IOException {
    return load(directory, Options.DEFAULT);
  }

  /**
   * Opens a model directory with options.
   *
   * @param directory as {@link #load(Path)} takes it
   * @param options what to do otherwise than the directory says
   * @return the pipeline, which the caller closes
   * @throws IOException when a file is missing or cannot be read
   * @throws IllegalArgumentException when one is not as expected, or asks for what is not done, and
   *     when the weights cannot be kept as the options ask
   */
  public static EmbeddingPipeline load(Path directory, Options options) throws IOException {
    SentenceModules modules = SentenceModules.read(directory);
    SentenceConfig config = SentenceConfig.read(directory);
    Path transformer = modules == null ? directory : modules.transformer();
    TransformerSettings settings = TransformerSettings.read(transformer);
    Device device = options.device == null ? Device.cpu() : options.device;
    GgufPooling inFile = modules == null ? GgufPooling.of(transformer) : null;
    if (modules == null && inFile == null && options.pooling == null) {
      requireEncoder(Config.read(transformer));
    }
    Tokenizer tokenizer = null;
    TextModel model =
        TextModel.of(
            AutoModel.load(transformer, Head.BASE, device, options.weights, options.compute));
    try {
      tokenizer = Tokenizer.load(transformer, settings.lowerCase());
      List<SentenceModule> later =
          modules != null
              ? modules.load(device, model.hiddenSize())
              : inFile == null ? null : inFile.load(device, model.hiddenSize());
      var vectors = SentenceVectors.of(later, model, options, config.truncateDim());
      return new EmbeddingPipeline(tokenizer, model, settings, config, vectors, options);
    } catch (IOException | RuntimeException e) {
      model.close();
      if (tokenizer != null) {
        tokenizer.close();
      }
      throw e;
    }
  }

  /** The mean of a decoder's tokens, most of which saw little of the text, is seldom meant. */
  private static void requireEncoder(Config config) {
    String type = config.text("model_type", "");
    if (AutoModel.kind(type).orElse("").equals("decoder")) {
      throw config.error(
          "'model_type' is %s, a decoder, and nothing says how its tokens become a vector, a modules.json or GGUF's pooling_type; in a program EmbeddingPipeline.Options.withPooling says it too"
              .formatted(type));
    }
  }

  /**
   * A pipeline of parts; the mean of tokens and length one where options say nothing else.
   *
   * @param tokenizer the model's; the pipeline closes it
   * @param model an encoder without a head; the pipeline closes it
   * @param options what to do otherwise; those of loading, {@code weights}, {@code compute} and
   *     {@code device}, do not matter
   * @return the pipeline, which has no prompts
   */
  public static EmbeddingPipeline of(Tokenizer tokenizer, EncoderModel model, Options options) {
    return of(tokenizer, TextModel.of(model), options);
  }

  static EmbeddingPipeline of(Tokenizer tokenizer, TextModel model, Options options) {
    return new EmbeddingPipeline(
        tokenizer,
        model,
        TransformerSettings.NONE,
        SentenceConfig.NONE,
        SentenceVectors.of(null, model, options, null),
        options);
  }

  /** {@return the prompts of the model by their names, in the order of its file; unmodifiable} */
  public Map<String, Prompt> prompts() {
    return config.prompts();
  }

  /**
   * {@return the prompt of a name}
   *
   * @param name a key of {@link #prompts}
   * @throws IllegalArgumentException when the model has none of that name
   */
  public Prompt prompt(String name) {
    Prompt prompt = config.prompts().get(name);
    if (prompt == null) {
      throw new IllegalArgumentException(
          "the model has no prompt '%s', its prompts are %s"
              .formatted(name, config.prompts().keySet()));
    }
    return prompt;
  }

  /**
   * {@return what is put before a text where no prompt is given: {@code default_prompt_name}, or
   * nothing}
   */
  public Prompt defaultPrompt() {
    return config.defaultPrompt();
  }

  /** {@return the prompt for what is looked for: {@code query}, else {@link #defaultPrompt}} */
  public Prompt queryPrompt() {
    return config.query();
  }

  /**
   * {@return the prompt for what is searched: the first there is of {@code document}, {@code
   * passage} and {@code corpus}, else {@link #defaultPrompt}}
   */
  public Prompt documentPrompt() {
    return config.document();
  }

  /** {@return how near the model's vectors are; the cosine where nothing is said} */
  public Similarity similarity() {
    return config.similarity();
  }

  /**
   * {@return the vector of a text, behind {@link #defaultPrompt}, [features]}
   *
   * @param text of any length; what does not fit is cut, or an error, as the options ask
   * @throws IllegalArgumentException as {@link #embed(List, Prompt)} does
   */
  public float[] embed(String text) {
    return embed(text, defaultPrompt());
  }

  /**
   * {@return the vector of a text behind a prompt, [features]}
   *
   * @param text of any length
   * @param prompt what is put before it; {@link Prompt#NONE} for nothing
   * @throws IllegalArgumentException as {@link #embed(List, Prompt)} does
   */
  public float[] embed(String text, Prompt prompt) {
    Objects.requireNonNull(text, "text");
    return embed(List.of(text), prompt)[0];
  }

  /**
   * {@return the vectors of texts, behind {@link #defaultPrompt}, [texts, features]}
   *
   * @param texts of any length; none for no vectors
   * @throws IllegalArgumentException as {@link #embed(List, Prompt)} does
   */
  public float[][] embed(List<String> texts) {
    return embed(texts, defaultPrompt());
  }

  /**
   * The vectors of texts behind a prompt; of one that is cut, no more is read than what is kept
   * needs.
   *
   * @param texts of any length; none for no vectors
   * @param prompt what is put before each; {@link Prompt#NONE} for nothing
   * @return [texts, features], in the order of the texts
   * @throws IllegalArgumentException when a text has too many tokens and the options ask for an
   *     error then, and when the prompt, which is not pooled, leaves no token of a text
   * @throws NullPointerException naming the place of a text that is null
   */
  public float[][] embed(List<String> texts, Prompt prompt) {
    check(texts);
    return vectors(
        texts.size(),
        i -> tokenizer.inputIds(prompt.text() + texts.get(i), encoding),
        promptTokens(prompt),
        _ -> {});
  }

  /**
   * The vectors of texts, behind {@link #defaultPrompt}, and how many tokens were cut off, for
   * which each is read whole.
   *
   * @param texts of any length; none for no vectors
   * @return one for each text, in their order
   * @throws IllegalArgumentException as {@link #embed(List, Prompt)} does
   */
  public List<Embedded> run(List<String> texts) {
    return run(texts, defaultPrompt());
  }

  /**
   * The same behind a prompt.
   *
   * @param texts of any length; none for no vectors
   * @param prompt what is put before each; {@link Prompt#NONE} for nothing
   * @return one for each text, in their order
   * @throws IllegalArgumentException as {@link #embed(List, Prompt)} does
   */
  public List<Embedded> run(List<String> texts, Prompt prompt) {
    check(texts);
    int[] dropped = new int[texts.size()];
    float[][] made =
        vectors(
            texts.size(),
            i -> {
              Encoding encoded = tokenizer.encode(prompt.text() + texts.get(i), encoding);
              dropped[i] = encoded.droppedTokens();
              return new InputIds(encoded.ids(), encoded.typeIds());
            },
            promptTokens(prompt),
            _ -> {});
    return IntStream.range(0, made.length)
        .mapToObj(i -> new Embedded(made[i], dropped[i]))
        .toList();
  }

  private static void check(List<String> texts) {
    Objects.requireNonNull(texts, "texts");
    int at = 0;
    for (String text : texts) {
      if (text == null) {
        throw new NullPointerException("texts[%d] is null".formatted(at));
      }
      at++;
    }
  }

  /**
   * {@return the ids of a text's tokens, special ones included, however many there are}
   *
   * @param text without a prompt, the default one neither
   */
  public long[] inputIds(String text) {
    return tokenizer.inputIds(text, EncodeOptions.DEFAULT).ids();
  }

  /**
   * {@return the ids of a text's tokens behind a prompt, special ones included, however many there
   * are}
   *
   * @param text of any length
   * @param prompt what is put before it; {@link Prompt#NONE} for nothing
   */
  public long[] inputIds(String text, Prompt prompt) {
    return inputIds(prompt.text() + text);
  }

  /**
   * The vectors of texts that are tokens already, by {@link #inputIds}.
   *
   * @param inputIds no more than {@link #maxLength} each
   * @param prompt that is among the tokens
   * @param done is told of every batch, how many texts were in it
   * @return [texts, features], in the order of the texts
   * @throws IllegalArgumentException when the prompt, which is not pooled, leaves no token of a
   *     text, and for ids outside of the vocabulary
   */
  public float[][] embedTokens(List<long[]> inputIds, Prompt prompt, IntConsumer done) {
    return vectors(
        inputIds.size(),
        i -> new InputIds(inputIds.get(i), new long[inputIds.get(i).length]),
        promptTokens(prompt),
        done);
  }

  /** How many of a text's tokens are a prompt's and not pooled. */
  private int promptTokens(Prompt prompt) {
    if (!vectors.skipsPrompt() || prompt.text().isEmpty()) {
      return 0;
    }
    Encoding alone = tokenizer.encode(prompt.text());
    int count = alone.length();
    return count > 0 && alone.special()[count - 1] ? count - 1 : count;
  }

  /** {@return the most tokens of a text, special ones included} */
  public int maxLength() {
    return encoding.maxLength();
  }

  /** {@return the features of a vector} */
  public int dimension() {
    return vectors.dimension();
  }

  @Override
  public void close() {
    try (model;
        vectors) {
      tokenizer.close();
    }
  }

  /** Takes texts as they come, in batches of as many tokens as the model likes at once. */
  private float[][] vectors(int texts, IntFunction<InputIds> tokens, int prompt, IntConsumer done) {
    float[][] made = new float[texts][];
    List<InputIds> batch = new ArrayList<>();
    int count = 0;
    for (int i = 0; i < texts; i++) {
      InputIds next = tokens.apply(i);
      if (!batch.isEmpty() && count + next.ids().length > model.batchTokens()) {
        embed(batch, prompt, made, i - batch.size());
        done.accept(batch.size());
        batch.clear();
        count = 0;
      }
      batch.add(next);
      count += next.ids().length;
    }
    if (!batch.isEmpty()) {
      embed(batch, prompt, made, texts - batch.size());
      done.accept(batch.size());
    }
    return made;
  }

  private void embed(List<InputIds> batch, int prompt, float[][] made, int first) {
    long[][] ids = batch.stream().map(InputIds::ids).toArray(long[][]::new);
    long[][] types = batch.stream().map(InputIds::typeIds).toArray(long[][]::new);
    int[] lengths = Arrays.stream(ids).mapToInt(each -> each.length).toArray();
    float[] rows;
    try (Scope _ = Scope.open();
        EncoderModel.Encoded encoded = model.encode(ids, types)) {
      rows = vectors.forward(encoded, lengths, prompt).toFloatArray();
    }
    int columns = rows.length / ids.length;
    for (int i = 0; i < ids.length; i++) {
      made[first + i] = Arrays.copyOfRange(rows, i * columns, (i + 1) * columns);
    }
  }
}
