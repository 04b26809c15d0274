package dev.gatun.pipelines;

import dev.gatun.generation.GenerationConfig;
import dev.gatun.generation.GenerationDefaults;
import dev.gatun.generation.GenerationResult;
import dev.gatun.generation.GenerationStream;
import dev.gatun.generation.GeneratorOptions;
import dev.gatun.weights.LoadListener;
import java.io.IOException;
import java.nio.file.Path;
import java.util.List;

/**
 * Reads a text and writes another, with an encoder-decoder:
 *
 * <pre>try (TextToTextPipeline pipeline = TextToTextPipeline.load(directory)) {
 *   System.out.println(pipeline.generate("translate English to German: Good morning").text());
 * }</pre>
 *
 * Safe for use by many threads, whose texts are computed together.
 */
public final class TextToTextPipeline implements AutoCloseable {
  private final Seq2SeqText parts;
  private final GenerationDefaults defaults;
  private final String prefix;

  private TextToTextPipeline(Seq2SeqText parts, String task) throws IOException {
    this.parts = parts;
    this.defaults = parts.defaults(task);
    this.prefix = parts.prefix(task);
  }

  /**
   * Loads a directory on the processor, for no task.
   *
   * @param directory of an encoder-decoder with its tokenizer, or its GGUF file
   * @return the pipeline, which the caller closes
   * @throws IOException when a file is missing or cannot be read
   * @throws IllegalArgumentException when a file is not as expected
   */
  public static TextToTextPipeline load(Path directory) throws IOException {
    return load(directory, GeneratorOptions.defaults(), null, null);
  }

  /**
   * Loads a directory.
   *
   * @param directory of an encoder-decoder with its tokenizer, or its GGUF file
   * @param options how the model computes
   * @param task a key of {@code task_specific_params} in {@code config.json}, whose settings and
   *     prefix count; null for none
   * @param listener is told of each weight before it is read; null for nobody
   * @return the pipeline, which the caller closes
   * @throws IOException when a file is missing or cannot be read
   * @throws IllegalArgumentException when a file is not as expected, or has no such task
   */
  public static TextToTextPipeline load(
      Path directory, GeneratorOptions options, String task, LoadListener listener)
      throws IOException {
    Seq2SeqText parts = Seq2SeqText.load(directory, options, listener);
    try {
      if (task != null && !parts.tasks().contains(task)) {
        throw new IllegalArgumentException(
            "%s: no task '%s' in task_specific_params of config.json; it has %s"
                .formatted(
                    directory,
                    task,
                    parts.tasks().isEmpty() ? "none" : String.join(", ", parts.tasks())));
      }
      return new TextToTextPipeline(parts, task);
    } catch (IOException | RuntimeException | Error e) {
      parts.close();
      throw e;
    }
  }

  /** {@return the settings where a call gives none, and what the files say in vain} */
  public GenerationDefaults defaults() {
    return defaults;
  }

  /** {@return what is put before each text; empty for nothing} */
  public String prefix() {
    return prefix;
  }

  /**
   * {@return what the model writes for a text by the {@link #defaults}}
   *
   * @param text without the {@link #prefix}
   * @throws IllegalArgumentException when it has more tokens than the model reads
   */
  public GenerationResult generate(String text) {
    return generate(text, defaults.config());
  }

  /**
   * {@return what the model writes for a text}
   *
   * @param text without the {@link #prefix}
   * @param settings all of them: the {@link #defaults} count only where they are in it
   * @throws IllegalArgumentException when it has more tokens than the model reads
   */
  public GenerationResult generate(String text, GenerationConfig settings) {
    return stream(text, settings).result();
  }

  /**
   * What the model writes for each text; they are computed together.
   *
   * @param texts without the {@link #prefix}
   * @param settings of each
   * @return one for each text, in their order
   * @throws IllegalArgumentException when one has more tokens than the model reads; the others are
   *     cancelled then
   */
  public List<GenerationResult> generate(List<String> texts, GenerationConfig settings) {
    return Seq2SeqText.results(texts, text -> stream(text, settings));
  }

  /**
   * What the model writes for a text, as it comes.
   *
   * @param text without the {@link #prefix}
   * @param settings all of them
   * @return the stream; closing it early cancels the text
   * @throws IllegalArgumentException when it has more tokens than the model reads
   */
  public GenerationStream stream(String text, GenerationConfig settings) {
    return parts.stream(parts.ids(prefix + text), settings);
  }

  @Override
  public void close() {
    parts.close();
  }
}
