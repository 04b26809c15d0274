package dev.gatun.pipelines;

import dev.gatun.generation.GenerationConfig;
import dev.gatun.generation.GenerationDefaults;
import dev.gatun.generation.GenerationStream;
import dev.gatun.generation.GeneratorOptions;
import dev.gatun.weights.LoadListener;
import java.io.IOException;
import java.nio.file.Path;
import java.util.List;

/**
 * Summarises with an encoder-decoder, by the settings and with the prefix that {@code
 * task_specific_params} of {@code config.json} has for {@code summarization}:
 *
 * <pre>try (SummarizationPipeline pipeline = SummarizationPipeline.load(directory)) {
 *   System.out.println(pipeline.summarize(article).text());
 * }</pre>
 *
 * A text that has more tokens than the model reads is cut into parts, and its summary is those of
 * the parts: {@link Summary#parts} tells how many there were. Safe for use by many threads, whose
 * texts are computed together.
 */
public final class SummarizationPipeline implements AutoCloseable {
  private static final String TASK = "summarization";

  private final Seq2SeqText parts;
  private final GenerationDefaults defaults;
  private final String prefix;
  private final int most;

  private SummarizationPipeline(Seq2SeqText parts, int partTokens) throws IOException {
    this.parts = parts;
    this.defaults = parts.defaults(TASK);
    this.prefix = parts.prefix(TASK);
    this.most = Math.min(partTokens, parts.maxSourceLength());
  }

  /**
   * Loads a directory on the processor, with parts as long as the model reads.
   *
   * @param directory of an encoder-decoder with its tokenizer, or its GGUF file
   * @return the pipeline, which the caller closes
   * @throws IOException when a file is missing or cannot be read
   * @throws IllegalArgumentException when a file is not as expected
   */
  public static SummarizationPipeline load(Path directory) throws IOException {
    return load(directory, GeneratorOptions.defaults(), Integer.MAX_VALUE, null);
  }

  /**
   * Loads a directory.
   *
   * @param directory of an encoder-decoder with its tokenizer, or its GGUF file
   * @param options how the model computes
   * @param partTokens the most tokens that are read at once, from 1, special ones and the prefix
   *     included; no more than the model's and {@code model_max_length} count
   * @param listener is told of each weight before it is read; null for nobody
   * @return the pipeline, which the caller closes
   * @throws IOException when a file is missing or cannot be read
   * @throws IllegalArgumentException when a file is not as expected, or {@code partTokens} is less
   *     than 1
   */
  public static SummarizationPipeline load(
      Path directory, GeneratorOptions options, int partTokens, LoadListener listener)
      throws IOException {
    if (partTokens < 1) {
      throw new IllegalArgumentException(
          "partTokens is %d, expected a number from 1".formatted(partTokens));
    }
    Seq2SeqText parts = Seq2SeqText.load(directory, options, listener);
    try {
      return new SummarizationPipeline(parts, partTokens);
    } catch (IOException | RuntimeException | Error e) {
      parts.close();
      throw e;
    }
  }

  /** {@return the settings where a call gives none, and what the files say in vain} */
  public GenerationDefaults defaults() {
    return defaults;
  }

  /** {@return the most tokens that are read at once, special ones and the prefix included} */
  public int partTokens() {
    return most;
  }

  /**
   * {@return the parts that a text is summarised in, itself where the model reads it as a whole}
   *
   * @param text of any length
   * @throws IllegalArgumentException when {@link #partTokens} has no room beside the prefix and
   *     special tokens
   */
  public List<String> parts(String text) {
    return new SourceParts(parts.tokenizer(), prefix, most).of(text);
  }

  /**
   * {@return the summary of a text by the {@link #defaults}}
   *
   * @param text of any length
   * @throws IllegalArgumentException as {@link #parts} does
   */
  public Summary summarize(String text) {
    return summarize(text, defaults.config());
  }

  /**
   * {@return the summary of a text, whose parts are computed together}
   *
   * @param text of any length
   * @param settings of each part, all of them: the {@link #defaults} count only where they are in
   *     it
   * @throws IllegalArgumentException as {@link #parts} does
   */
  public Summary summarize(String text, GenerationConfig settings) {
    return new Summary(Seq2SeqText.results(parts(text), part -> stream(part, settings)));
  }

  /**
   * The summary of one of the {@link #parts}, as it comes.
   *
   * @param part without the prefix
   * @param settings all of them
   * @return the stream; closing it early cancels the part
   * @throws IllegalArgumentException when it has more tokens than the model reads
   */
  public GenerationStream stream(String part, GenerationConfig settings) {
    return parts.stream(parts.ids(prefix + part), settings);
  }

  @Override
  public void close() {
    parts.close();
  }
}
