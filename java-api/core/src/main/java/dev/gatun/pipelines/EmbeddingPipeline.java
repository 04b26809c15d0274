package dev.gatun.pipelines;

import dev.gatun.kernels.api.memory.DType;
import dev.gatun.nn.WeightType;
import dev.gatun.tensor.Device;
import dev.gatun.text.EncodeOptions;
import dev.gatun.text.Encoding;
import dev.gatun.text.Tokenizer;
import java.io.IOException;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.Comparator;
import java.util.List;
import java.util.stream.IntStream;

/** Texts to vectors whose nearness is nearness in meaning. */
public final class EmbeddingPipeline implements AutoCloseable {
  private static final int TOKENS_A_BATCH = 4096;

  /**
   * What to do otherwise than the model's directory says; null leaves it to the directory.
   *
   * @param pooling how tokens become one vector; the mean where nothing is said
   * @param normalize whether vectors get length one; they do where nothing is said
   * @param maxLength the most tokens of a text, special ones included; the model's limit where
   *     nothing is said
   * @param overflow what happens to longer texts
   * @param weights what linear weights are kept and multiplied as
   * @param device where the model runs; on the processor where nothing is said
   */
  public record Options(
      Pooling pooling,
      Boolean normalize,
      Integer maxLength,
      EncodeOptions.Overflow overflow,
      WeightType weights,
      Device device) {
    /** As the directory says; longer texts are cut, and the result tells by how much. */
    public static final Options DEFAULT =
        new Options(null, null, null, EncodeOptions.Overflow.TRUNCATE, WeightType.F32, null);

    /** These options with another pooling. */
    public Options withPooling(Pooling value) {
      return new Options(value, normalize, maxLength, overflow, weights, device);
    }

    /** These options with vectors of length one or as they come. */
    public Options withNormalize(boolean value) {
      return new Options(pooling, value, maxLength, overflow, weights, device);
    }

    /** These options with another limit. */
    public Options withMaxLength(int tokens) {
      return new Options(pooling, normalize, tokens, overflow, weights, device);
    }

    /** These options with linear weights as F32, BF16, F16, or I8 with dynamic activations. */
    public Options withDtype(DType value) {
      return withWeights(WeightType.of(value));
    }

    /** These options with linear weights of another type, quantised ones among them. */
    public Options withWeights(WeightType value) {
      return new Options(pooling, normalize, maxLength, overflow, value, device);
    }

    /** These options with the model on another device than the processor. */
    public Options withDevice(Device value) {
      return new Options(pooling, normalize, maxLength, overflow, weights, value);
    }

    /** These options with an error for texts that are too long. */
    public Options withError() {
      return new Options(
          pooling, normalize, maxLength, EncodeOptions.Overflow.ERROR, weights, device);
    }
  }

  private static Device device(Options options) {
    return options.device == null ? Device.cpu() : options.device;
  }

  private final Tokenizer tokenizer;
  private final TextModel model;
  private final Pooling pooling;
  private final boolean normalize;
  private final EncodeOptions encoding;

  private EmbeddingPipeline(
      Tokenizer tokenizer, TextModel model, SentenceSettings said, Options options) {
    this.tokenizer = tokenizer;
    this.model = model;
    this.pooling = first(options.pooling, said.pooling(), Pooling.MEAN);
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
        TextModels.load(directory, TextModels.Head.NONE, device(options), options.weights);
    try {
      return new EmbeddingPipeline(Tokenizer.load(directory), model, said, options);
    } catch (IOException | RuntimeException e) {
      model.close();
      throw e;
    }
  }

  /** A pipeline of parts, which it closes with itself. */
  public static EmbeddingPipeline of(Tokenizer tokenizer, TextModel model, Options options) {
    return new EmbeddingPipeline(tokenizer, model, new SentenceSettings(null, null, null), options);
  }

  /** The vector of a text. */
  public float[] embed(String text) {
    return embed(List.of(text))[0];
  }

  /** The vectors of texts. */
  public float[][] embed(List<String> texts) {
    return run(texts).stream().map(Embedded::vector).toArray(float[][]::new);
  }

  /** The vectors of texts, and what was cut off. */
  public List<Embedded> run(List<String> texts) {
    Encoding[] encodings = tokenizer.encodeAll(texts, encoding).toArray(Encoding[]::new);
    int[] order =
        IntStream.range(0, encodings.length)
            .boxed()
            .sorted(Comparator.comparingInt((Integer i) -> encodings[i].length()).reversed())
            .mapToInt(Integer::intValue)
            .toArray();
    float[][] vectors = new float[encodings.length][];
    int from = 0;
    while (from < order.length) {
      int longest = Math.max(1, encodings[order[from]].length());
      int to = Math.min(order.length, from + Math.max(1, TOKENS_A_BATCH / longest));
      batch(encodings, Arrays.copyOfRange(order, from, to), vectors);
      from = to;
    }
    return IntStream.range(0, vectors.length)
        .mapToObj(i -> new Embedded(vectors[i], encodings[i].droppedTokens()))
        .toList();
  }

  /** How many tokens the model makes of a text, special ones included. */
  public int tokens(String text) {
    return tokenizer.encode(text).length();
  }

  /** The most tokens of a text, special ones included. */
  public int maxLength() {
    return encoding.maxLength();
  }

  /** The length of a vector. */
  public int dimension() {
    return model.columns();
  }

  @Override
  public void close() {
    try (model) {
      tokenizer.close();
    }
  }

  private void batch(Encoding[] encodings, int[] members, float[][] vectors) {
    long[][] ids = new long[members.length][];
    long[][] types = new long[members.length][];
    for (int i = 0; i < members.length; i++) {
      ids[i] = encodings[members[i]].ids();
      types[i] = encodings[members[i]].typeIds();
    }
    float[] hidden = model.run(ids, types);
    int row = 0;
    for (int i = 0; i < members.length; i++) {
      float[] vector = new float[model.columns()];
      pooling.pool(hidden, row, ids[i].length, vector);
      if (normalize) {
        normalize(vector);
      }
      vectors[members[i]] = vector;
      row += ids[i].length;
    }
  }

  private static void normalize(float[] vector) {
    double squares = 0;
    for (float value : vector) {
      squares += (double) value * value;
    }
    double norm = Math.max(Math.sqrt(squares), 1e-12);
    for (int i = 0; i < vector.length; i++) {
      vector[i] = (float) (vector[i] / norm);
    }
  }

  private static <T> T first(T chosen, T said, T otherwise) {
    return chosen != null ? chosen : said != null ? said : otherwise;
  }
}
