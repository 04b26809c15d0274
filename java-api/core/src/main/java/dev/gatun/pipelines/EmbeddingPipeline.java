package dev.gatun.pipelines;

import dev.gatun.kernels.api.call.reduction.PoolingMode;
import dev.gatun.kernels.api.memory.Storage;
import dev.gatun.models.AutoModel;
import dev.gatun.models.EncoderModel;
import dev.gatun.models.Head;
import dev.gatun.nn.Compute;
import dev.gatun.ops.Norm;
import dev.gatun.ops.Reductions;
import dev.gatun.tensor.Device;
import dev.gatun.tensor.Scope;
import dev.gatun.tensor.Tensor;
import dev.gatun.text.EncodeOptions;
import dev.gatun.text.Encoding;
import dev.gatun.text.Tokenizer;
import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
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
   * @param normalize whether vectors get length one; they do where nothing is said
   * @param maxLength the most tokens of a text, special ones included; the model's limit where
   *     nothing is said
   * @param overflow what happens to longer texts
   * @param weights what the weights of linear layers are kept as
   * @param compute how their products compute
   * @param device where the model runs; on the processor where nothing is said
   */
  public record Options(
      PoolingMode pooling,
      Boolean normalize,
      Integer maxLength,
      EncodeOptions.Overflow overflow,
      Storage weights,
      Compute compute,
      Device device) {
    /** As the directory says; longer texts are cut, and the result tells by how much. */
    public static final Options DEFAULT =
        new Options(
            null, null, null, EncodeOptions.Overflow.TRUNCATE, Storage.F32, Compute.EXACT, null);

    /** These options with another pooling. */
    public Options withPooling(PoolingMode value) {
      return new Options(value, normalize, maxLength, overflow, weights, compute, device);
    }

    /** These options with vectors of length one or as they come. */
    public Options withNormalize(boolean value) {
      return new Options(pooling, value, maxLength, overflow, weights, compute, device);
    }

    /** These options with another limit. */
    public Options withMaxLength(int tokens) {
      return new Options(pooling, normalize, tokens, overflow, weights, compute, device);
    }

    /** These options with the weights of linear layers kept as something else. */
    public Options withWeights(Storage value) {
      return new Options(pooling, normalize, maxLength, overflow, value, compute, device);
    }

    /** These options with products that compute in another way. */
    public Options withCompute(Compute value) {
      return new Options(pooling, normalize, maxLength, overflow, weights, value, device);
    }

    /** These options with the model on another device than the processor. */
    public Options withDevice(Device value) {
      return new Options(pooling, normalize, maxLength, overflow, weights, compute, value);
    }

    /** These options with an error for texts that are too long. */
    public Options withError() {
      return new Options(
          pooling, normalize, maxLength, EncodeOptions.Overflow.ERROR, weights, compute, device);
    }
  }

  private static Device device(Options options) {
    return options.device == null ? Device.cpu() : options.device;
  }

  private final Tokenizer tokenizer;
  private final TextModel model;
  private final PoolingMode pooling;
  private final boolean normalize;
  private final EncodeOptions encoding;

  private EmbeddingPipeline(
      Tokenizer tokenizer, TextModel model, SentenceSettings said, Options options) {
    this.tokenizer = tokenizer;
    this.model = model;
    this.pooling = first(options.pooling, said.pooling(), PoolingMode.MEAN);
    this.normalize = first(options.normalize, said.normalize(), true);
    int limit =
        Math.min(
            model.maxLength(),
            first(
                options.maxLength,
                said.maxLength(),
                tokenizer.modelMaxLength().orElse(Integer.MAX_VALUE)));
    this.encoding = EncodeOptions.DEFAULT.withMaxLength(limit).withOverflow(options.overflow);
  }

  /** Opens a model directory, a sentence-transformers one or any encoder's. */
  public static EmbeddingPipeline load(Path directory) throws IOException {
    return load(directory, Options.DEFAULT);
  }

  /** Opens a model directory with options. */
  public static EmbeddingPipeline load(Path directory, Options options) throws IOException {
    SentenceSettings said = SentenceSettings.read(directory);
    TextModel model =
        TextModel.of(
            AutoModel.load(
                directory, Head.BASE, device(options), options.weights, options.compute));
    try {
      return new EmbeddingPipeline(Tokenizer.load(directory), model, said, options);
    } catch (IOException | RuntimeException e) {
      model.close();
      throw e;
    }
  }

  /** A pipeline of parts, which it closes with itself; options of loading do not matter. */
  public static EmbeddingPipeline of(Tokenizer tokenizer, EncoderModel model, Options options) {
    return of(tokenizer, TextModel.of(model), options);
  }

  static EmbeddingPipeline of(Tokenizer tokenizer, TextModel model, Options options) {
    return new EmbeddingPipeline(tokenizer, model, new SentenceSettings(null, null, null), options);
  }

  /** The vector of a text. */
  public float[] embed(String text) {
    Objects.requireNonNull(text, "text");
    return embed(List.of(text))[0];
  }

  /** The vectors of texts; of one that is cut, no more is read than what is kept needs. */
  public float[][] embed(List<String> texts) {
    check(texts);
    boolean cut = encoding.overflow() == EncodeOptions.Overflow.TRUNCATE;
    return vectors(
        texts.size(),
        i -> {
          String text = texts.get(i);
          Encoding made =
              cut ? tokenizer.encodeStart(text, encoding) : tokenizer.encode(text, encoding);
          return new Tokens(made.ids(), made.typeIds());
        },
        _ -> {});
  }

  /** The vectors of texts, and how many tokens were cut off, for which each is read whole. */
  public List<Embedded> run(List<String> texts) {
    check(texts);
    int[] dropped = new int[texts.size()];
    float[][] vectors =
        vectors(
            texts.size(),
            i -> {
              Encoding made = tokenizer.encode(texts.get(i), encoding);
              dropped[i] = made.droppedTokens();
              return new Tokens(made.ids(), made.typeIds());
            },
            _ -> {});
    return IntStream.range(0, vectors.length)
        .mapToObj(i -> new Embedded(vectors[i], dropped[i]))
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

  /** The ids of a text's tokens, special ones included, however many there are. */
  public long[] inputIds(String text) {
    return tokenizer.encode(text).ids();
  }

  /**
   * The vectors of texts that are tokens already, by {@link #inputIds}.
   *
   * @param inputIds no more than {@link #maxLength} each
   * @param done is told of every batch, how many texts were in it
   */
  public float[][] embedTokens(List<long[]> inputIds, IntConsumer done) {
    return vectors(
        inputIds.size(), i -> new Tokens(inputIds.get(i), new long[inputIds.get(i).length]), done);
  }

  /** The most tokens of a text, special ones included. */
  public int maxLength() {
    return encoding.maxLength();
  }

  /** The length of a vector. */
  public int dimension() {
    return model.hiddenSize();
  }

  @Override
  public void close() {
    try (model) {
      tokenizer.close();
    }
  }

  private record Tokens(long[] ids, long[] typeIds) {}

  /** Takes texts as they come, in batches of as many tokens as the model likes at once. */
  private float[][] vectors(int texts, IntFunction<Tokens> tokens, IntConsumer done) {
    float[][] vectors = new float[texts][];
    List<Tokens> batch = new ArrayList<>();
    int count = 0;
    for (int i = 0; i < texts; i++) {
      Tokens next = tokens.apply(i);
      if (!batch.isEmpty() && count + next.ids.length > model.batchTokens()) {
        embed(batch, vectors, i - batch.size());
        done.accept(batch.size());
        batch.clear();
        count = 0;
      }
      batch.add(next);
      count += next.ids.length;
    }
    if (!batch.isEmpty()) {
      embed(batch, vectors, texts - batch.size());
      done.accept(batch.size());
    }
    return vectors;
  }

  private void embed(List<Tokens> batch, float[][] vectors, int first) {
    long[][] ids = batch.stream().map(Tokens::ids).toArray(long[][]::new);
    long[][] types = batch.stream().map(Tokens::typeIds).toArray(long[][]::new);
    float[] rows;
    try (Scope _ = Scope.open();
        EncoderModel.Encoded encoded = model.encode(ids, types)) {
      Tensor pooled = Reductions.pool(encoded.hidden(), encoded.segments(), pooling);
      rows = (normalize ? Norm.l2Normalize(pooled) : pooled).toFloatArray();
    }
    int columns = rows.length / ids.length;
    for (int i = 0; i < ids.length; i++) {
      vectors[first + i] = Arrays.copyOfRange(rows, i * columns, (i + 1) * columns);
    }
  }

  private static <T> T first(T chosen, T said, T otherwise) {
    return chosen != null ? chosen : said != null ? said : otherwise;
  }
}
