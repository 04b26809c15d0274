package dev.gatun.pipelines;

import dev.gatun.generation.GenerationConfig;
import dev.gatun.generation.GenerationDefaults;
import dev.gatun.generation.GenerationResult;
import dev.gatun.generation.GenerationStream;
import dev.gatun.generation.GeneratorOptions;
import dev.gatun.text.EncodeOptions;
import dev.gatun.text.Languages;
import dev.gatun.weights.LoadListener;
import java.io.IOException;
import java.nio.file.Path;
import java.util.List;

/**
 * Translates with an encoder-decoder:
 *
 * <pre>
 * try (TranslationPipeline pipeline = TranslationPipeline.load(directory, "eng_Latn", "fra_Latn")) {
 *   System.out.println(pipeline.translate("Good morning").text());
 * }</pre>
 *
 * Languages are named as the model names them. mBART, mBART-50, M2M-100 and NLLB have tokens of
 * both languages; models of Marian for several targets have one of the target; T5 has words before
 * the text, those of {@code task_specific_params}; a model for one pair needs neither. Safe for use
 * by many threads, whose texts are computed together.
 */
public final class TranslationPipeline implements AutoCloseable {
  private final Seq2SeqText parts;
  private final TranslationPair pair;
  private final GenerationDefaults defaults;
  private final String prefix;

  private TranslationPipeline(Seq2SeqText parts, String source, String target) throws IOException {
    this.parts = parts;
    this.pair = TranslationPair.of(parts, source, target);
    this.prefix = pair.ofTokens() ? "" : parts.prefix(pair.task());
    GenerationDefaults given = parts.defaults(pair.task());
    GenerationConfig.Builder builder = given.config().toBuilder();
    if (pair.ofTokens()) {
      languages().forcedBosTokenId(target).ifPresent(builder::forcedBosTokenId);
    }
    this.defaults = new GenerationDefaults(builder.build(), given.warnings());
  }

  /**
   * Loads a directory on the processor.
   *
   * @param directory of an encoder-decoder with its tokenizer, or its GGUF file
   * @param source the language of texts; null where the model has one source, or tells none
   * @param target the language to write; null where the model has one target
   * @return the pipeline, which the caller closes
   * @throws IOException when a file is missing or cannot be read
   * @throws IllegalArgumentException when a file is not as expected, or a language is missing or
   *     none of the model's
   */
  public static TranslationPipeline load(Path directory, String source, String target)
      throws IOException {
    return load(directory, GeneratorOptions.defaults(), source, target, null);
  }

  /**
   * Loads a directory.
   *
   * @param directory of an encoder-decoder with its tokenizer, or its GGUF file
   * @param options how the model computes
   * @param source the language of texts; null where the model has one source, or tells none
   * @param target the language to write; null where the model has one target
   * @param listener is told of each weight before it is read; null for nobody
   * @return the pipeline, which the caller closes
   * @throws IOException when a file is missing or cannot be read
   * @throws IllegalArgumentException when a file is not as expected, or a language is missing or
   *     none of the model's
   */
  public static TranslationPipeline load(
      Path directory, GeneratorOptions options, String source, String target, LoadListener listener)
      throws IOException {
    Seq2SeqText parts = Seq2SeqText.load(directory, options, listener);
    try {
      return new TranslationPipeline(parts, source, target);
    } catch (IOException | RuntimeException | Error e) {
      parts.close();
      throw e;
    }
  }

  private Languages languages() {
    return parts.tokenizer().languages();
  }

  /**
   * {@return the settings where a call gives none, the target's language among them, and what the
   * files say in vain}
   */
  public GenerationDefaults defaults() {
    return defaults;
  }

  /**
   * {@return the translation of a text by the {@link #defaults}}
   *
   * @param text in the source's language, without a prefix
   * @throws IllegalArgumentException when it has more tokens than the model reads
   */
  public GenerationResult translate(String text) {
    return translate(text, defaults.config());
  }

  /**
   * {@return the translation of a text}
   *
   * @param text in the source's language, without a prefix
   * @param settings those of {@link #defaults} with changes, for they hold the target's language
   * @throws IllegalArgumentException when it has more tokens than the model reads
   */
  public GenerationResult translate(String text, GenerationConfig settings) {
    return stream(text, settings).result();
  }

  /**
   * The translation of each text; they are computed together.
   *
   * @param texts in the source's language, without a prefix
   * @param settings of each: those of {@link #defaults} with changes
   * @return one for each text, in their order
   * @throws IllegalArgumentException when one has more tokens than the model reads; the others are
   *     cancelled then
   */
  public List<GenerationResult> translate(List<String> texts, GenerationConfig settings) {
    return Seq2SeqText.results(texts, text -> stream(text, settings));
  }

  /**
   * The translation of a text, as it comes.
   *
   * @param text in the source's language, without a prefix
   * @param settings those of {@link #defaults} with changes
   * @return the stream; closing it early cancels the text
   * @throws IllegalArgumentException when it has more tokens than the model reads
   */
  public GenerationStream stream(String text, GenerationConfig settings) {
    return parts.stream(source(text), settings);
  }

  /** The ids that the encoder reads. */
  long[] source(String text) {
    if (!pair.ofTokens()) {
      return parts.ids(prefix + text);
    }
    EncodeOptions bare = EncodeOptions.DEFAULT.withSpecialTokens(false);
    long[] ids = parts.tokenizer().encode(text, bare).ids();
    return languages().source(ids, pair.source(), pair.target());
  }

  @Override
  public void close() {
    parts.close();
  }
}
