package dev.gatun.server;

import dev.gatun.generation.GeneratorOptions;
import dev.gatun.generation.TextGenerator;
import dev.gatun.models.AutoModel;
import dev.gatun.models.Config;
import dev.gatun.pipelines.EmbeddingPipeline;
import dev.gatun.pipelines.TextClassificationPipeline;
import dev.gatun.text.chat.ChatTemplate;
import dev.gatun.weights.WeightTypes;
import java.io.IOException;
import java.nio.file.Path;
import java.util.List;

/**
 * A model with the name that clients call it by: one that writes text, one that makes vectors of
 * texts, or one that ranks documents. Closing it closes what it was made of.
 */
public abstract sealed class ServedModel implements AutoCloseable
    permits GenerativeModel, EmbeddingModel, RerankModel {
  /** What a model without a scheduler of its own computes at once. */
  static final int CALLS_AT_ONCE = 4;

  private final String name;
  private final Slots slots;
  private final long created = System.currentTimeMillis() / 1000;
  private final Metrics.OfModel metrics = new Metrics.OfModel();

  ServedModel(String name, int atOnce) {
    if (name.isEmpty() || name.length() > 256 || name.chars().anyMatch(Character::isISOControl)) {
      throw new IllegalArgumentException(
          "a model's name is to have 1 to 256 characters, none of them a control character");
    }
    this.name = name;
    this.slots = new Slots(atOnce);
  }

  /**
   * Loads a model by what its directory says it is: a cross-encoder, which ranks; another encoder,
   * or what says how tokens become a vector, for vectors; else what writes.
   *
   * @param name what clients call it
   * @param directory a Hugging Face directory or a GGUF file
   * @param options where it runs and how its weights are kept; the rest is for what writes
   * @return the model
   * @throws IOException when a file is missing or cannot be read
   * @throws IllegalArgumentException when one is not as expected, or is of a model that has no use
   *     here
   */
  public static ServedModel load(String name, Path directory, GeneratorOptions options)
      throws IOException {
    if (EmbeddingPipeline.hasModules(directory)) {
      return embedding(name, directory, options);
    }
    Config config = Config.read(directory);
    List<String> architectures =
        config.has("architectures") ? config.texts("architectures") : List.of();
    if (architectures.stream().anyMatch(each -> each.endsWith("ForSequenceClassification"))) {
      if (config.labelCount() != 1) {
        throw new IllegalArgumentException(
            "%s: a classifier of %d labels; one that ranks has one"
                .formatted(directory, config.labelCount()));
      }
      return reranker(name, TextClassificationPipeline.load(directory));
    }
    if (AutoModel.kind(config).orElse("").equals("encoder")) {
      return embedding(name, directory, options);
    }
    TextGenerator generator = TextGenerator.load(directory, options);
    try {
      return GenerativeModel.of(name, generator, directory, options.maxSequences());
    } catch (IOException | RuntimeException e) {
      generator.close();
      throw e;
    }
  }

  private static ServedModel embedding(String name, Path directory, GeneratorOptions options)
      throws IOException {
    return embedding(
        name,
        EmbeddingPipeline.load(
            directory,
            EmbeddingPipeline.Options.DEFAULT
                .withError()
                .withDevice(options.device())
                .withWeights(WeightTypes.of(options.storage()))
                .withCompute(options.compute())));
  }

  /**
   * A generator that a program has loaded.
   *
   * @param name what clients call it
   * @param generator closed with the model
   * @param template writes conversations; null for a model that has no chats
   * @param sequences the most sequences that are computed for clients at once; others wait
   * @return the model
   * @throws IllegalArgumentException when it has no tokenizer
   */
  public static ServedModel generative(
      String name, TextGenerator generator, ChatTemplate template, int sequences) {
    return new GenerativeModel(name, generator, template, "no chat template was given", sequences);
  }

  /**
   * A pipeline that a program has loaded, for vectors.
   *
   * @param name what clients call it
   * @param pipeline closed with the model
   * @return the model
   */
  public static ServedModel embedding(String name, EmbeddingPipeline pipeline) {
    return new EmbeddingModel(name, pipeline);
  }

  /**
   * A cross-encoder that a program has loaded, with one label.
   *
   * @param name what clients call it
   * @param pipeline closed with the model
   * @return the model
   */
  public static ServedModel reranker(String name, TextClassificationPipeline pipeline) {
    return new RerankModel(name, pipeline);
  }

  /**
   * What clients call it.
   *
   * @return the name
   */
  public final String name() {
    return name;
  }

  /**
   * What it does.
   *
   * @return some of {@code chat}, {@code completions}, {@code embeddings}, {@code rerank}
   */
  public abstract List<String> capabilities();

  /**
   * What its files say in vain.
   *
   * @return a sentence each
   */
  public List<String> warnings() {
    return List.of();
  }

  @Override
  public abstract void close();

  /** The most tokens of a sequence; 0 where it is not known. */
  abstract int maxLength();

  final Slots slots() {
    return slots;
  }

  final Metrics.OfModel metrics() {
    return metrics;
  }

  /** When it was loaded, in seconds since 1970. */
  final long created() {
    return created;
  }
}
