package dev.gatun.pipelines;

import dev.gatun.generation.GenerationConfig;
import dev.gatun.generation.GenerationDefaults;
import dev.gatun.generation.GenerationResult;
import dev.gatun.generation.GenerationStream;
import dev.gatun.generation.GeneratorOptions;
import dev.gatun.generation.TextGenerator;
import dev.gatun.models.Config;
import dev.gatun.text.Tokenizer;
import dev.gatun.weights.LoadListener;
import dev.gatun.weights.gguf.GgufFile;
import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Optional;
import java.util.function.Function;

/**
 * What pipelines of encoder-decoders are made of: a generator, and what {@code config.json} says of
 * tasks, as transformers' pipelines read it.
 */
final class Seq2SeqText implements AutoCloseable {
  private static final String TASKS = "task_specific_params";

  private final Path directory;
  private final TextGenerator generator;
  private final Optional<Config> config;

  private Seq2SeqText(Path directory, TextGenerator generator, Optional<Config> config) {
    this.directory = directory;
    this.generator = generator;
    this.config = config;
  }

  /**
   * Loads a directory.
   *
   * @throws IllegalArgumentException where it has no encoder-decoder, or no tokenizer
   */
  static Seq2SeqText load(Path directory, GeneratorOptions options, LoadListener listener)
      throws IOException {
    // A GGUF file says nothing of tasks.
    Optional<Config> config =
        GgufFile.find(directory).isPresent()
            ? Optional.empty()
            : Optional.of(Config.read(directory));
    TextGenerator generator = TextGenerator.load(directory, null, options, listener);
    try {
      if (generator.maxSourceLength().isEmpty()) {
        throw new IllegalArgumentException(
            "%s: a model of type '%s' writes on from a text, expected an encoder-decoder, which"
                    .formatted(
                        directory, config.map(c -> c.text("model_type", null)).orElse("gguf"))
                + " reads one and writes another");
      }
      if (generator.tokenizer().isEmpty()) {
        throw new IllegalArgumentException(
            directory + ": has no tokenizer, without which there are no texts");
      }
      return new Seq2SeqText(directory, generator, config);
    } catch (RuntimeException | Error e) {
      generator.close();
      throw e;
    }
  }

  Path directory() {
    return directory;
  }

  Tokenizer tokenizer() {
    return generator.tokenizer().orElseThrow();
  }

  /** The tasks of {@code task_specific_params}. */
  List<String> tasks() {
    return config
        .filter(c -> c.has(TASKS))
        .map(c -> List.copyOf(c.object(TASKS).keys()))
        .orElse(List.of());
  }

  /** What is put before a text for a task, which need not be there; nothing for most models. */
  String prefix(String task) {
    if (config.isEmpty()) {
      return "";
    }
    String prefix = config.get().text("prefix", "");
    return tasks().contains(task)
        ? config.get().object(TASKS).object(task).text("prefix", prefix)
        : prefix;
  }

  /** The settings of a task, which need not be there, where a caller gives none. */
  GenerationDefaults defaults(String task) throws IOException {
    GenerationDefaults of = GenerationDefaults.ofTask(directory, task);
    GenerationConfig ends =
        of.config().toBuilder().eosTokenId(generator.defaults().config().eosTokenId()).build();
    return new GenerationDefaults(ends, of.warnings());
  }

  /**
   * The most tokens of a source that the model reads, and that the tokenizer says it is made for.
   */
  int maxSourceLength() {
    int most = generator.maxSourceLength().getAsInt();
    return Math.min(most, tokenizer().modelMaxLength().orElse(most));
  }

  long[] ids(String text) {
    return tokenizer().encode(text).ids();
  }

  GenerationStream stream(long[] source, GenerationConfig settings) {
    return generator.stream(Arrays.stream(source).mapToInt(Math::toIntExact).toArray(), settings);
  }

  /**
   * What is written for several texts, which are computed together. Where one is refused or fails
   * the others are cancelled.
   */
  static List<GenerationResult> results(
      List<String> texts, Function<String, GenerationStream> stream) {
    List<GenerationStream> streams = new ArrayList<>();
    try {
      texts.forEach(text -> streams.add(stream.apply(text)));
      return streams.stream().map(GenerationStream::result).toList();
    } finally {
      streams.forEach(GenerationStream::close);
    }
  }

  @Override
  public void close() {
    generator.close();
  }
}
