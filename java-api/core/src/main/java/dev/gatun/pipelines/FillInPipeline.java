package dev.gatun.pipelines;

import dev.gatun.generation.Completion;
import dev.gatun.generation.GeneratedToken;
import dev.gatun.generation.GenerationConfig;
import dev.gatun.generation.GenerationDefaults;
import dev.gatun.generation.GenerationResult;
import dev.gatun.generation.GeneratorOptions;
import dev.gatun.text.Tokenizer;
import dev.gatun.weights.LoadListener;
import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.OptionalInt;

/**
 * Writes what a text leaves out, with an encoder-decoder that was trained to: T5 for sentinels,
 * {@code <extra_id_0>}, {@code <extra_id_1>} and so on, each some words; BART for its mask, {@code
 * <mask>}. Safe for use by many threads, whose texts are computed together.
 */
public final class FillInPipeline implements AutoCloseable {
  /**
   * A text with what it left out.
   *
   * @param text all of it
   * @param fillings what stands for each sentinel of T5, in the order of the text, empty where the
   *     model wrote nothing for it; none for BART, which writes the text anew
   * @param result what the model wrote
   */
  public record Filled(String text, List<String> fillings, GenerationResult result) {
    /** Copies. */
    public Filled {
      fillings = List.copyOf(fillings);
    }
  }

  private final Seq2SeqText parts;
  private final GenerationDefaults defaults;

  /** Ids of sentinels by their spelling. */
  private final Map<String, Integer> sentinels = new LinkedHashMap<>();

  private final String mask;

  private FillInPipeline(Seq2SeqText parts) throws IOException {
    this.parts = parts;
    this.defaults = parts.defaults(null);
    Tokenizer tokenizer = parts.tokenizer();
    for (int i = 0; ; i++) {
      String name = "<extra_id_" + i + ">";
      // mT5's vocabulary has them with the space that begins a word.
      OptionalInt id = tokenizer.tokenToId(name);
      id = id.isPresent() ? id : tokenizer.tokenToId("\u2581" + name);
      if (id.isEmpty()) {
        break;
      }
      sentinels.put(name, id.getAsInt());
    }
    OptionalInt id = tokenizer.specialTokens().mask();
    this.mask = id.isPresent() ? tokenizer.idToToken(id.getAsInt()).orElseThrow() : null;
    if (sentinels.isEmpty() && mask == null) {
      throw new IllegalArgumentException(
          "%s: the tokenizer has neither T5's sentinels (<extra_id_0>) nor a mask token"
              .formatted(parts.directory()));
    }
  }

  /**
   * Loads a directory on the processor.
   *
   * @param directory of an encoder-decoder with its tokenizer, or its GGUF file
   * @return the pipeline, which the caller closes
   * @throws IOException when a file is missing or cannot be read
   * @throws IllegalArgumentException when a file is not as expected, or the tokenizer has nothing
   *     that stands for what a text leaves out
   */
  public static FillInPipeline load(Path directory) throws IOException {
    return load(directory, GeneratorOptions.defaults(), null);
  }

  /**
   * Loads a directory.
   *
   * @param directory of an encoder-decoder with its tokenizer, or its GGUF file
   * @param options how the model computes
   * @param listener is told of each weight before it is read; null for nobody
   * @return the pipeline, which the caller closes
   * @throws IOException when a file is missing or cannot be read
   * @throws IllegalArgumentException when a file is not as expected, or the tokenizer has nothing
   *     that stands for what a text leaves out
   */
  public static FillInPipeline load(Path directory, GeneratorOptions options, LoadListener listener)
      throws IOException {
    Seq2SeqText parts = Seq2SeqText.load(directory, options, listener);
    try {
      return new FillInPipeline(parts);
    } catch (IOException | RuntimeException | Error e) {
      parts.close();
      throw e;
    }
  }

  /** {@return the settings where a call gives none, and what the files say in vain} */
  public GenerationDefaults defaults() {
    return defaults;
  }

  /**
   * {@return a text with what it left out, by the {@link #defaults}}
   *
   * @param text with sentinels of T5, or BART's mask
   * @throws IllegalArgumentException when it leaves nothing out, or has more tokens than the model
   *     reads
   */
  public Filled fill(String text) {
    return fill(text, defaults.config());
  }

  /**
   * {@return a text with what it left out, of the first sequence where several are asked for}
   *
   * @param text with sentinels of T5, or BART's mask
   * @param settings all of them: the {@link #defaults} count only where they are in it
   * @throws IllegalArgumentException when it leaves nothing out, or has more tokens than the model
   *     reads
   */
  public Filled fill(String text, GenerationConfig settings) {
    List<String> there =
        sentinels.keySet().stream()
            .filter(text::contains)
            .sorted((a, b) -> Integer.compare(text.indexOf(a), text.indexOf(b)))
            .toList();
    if (there.isEmpty() && (mask == null || !text.contains(mask))) {
      throw new IllegalArgumentException(
          "the text leaves nothing out: it has no %s"
              .formatted(sentinels.isEmpty() ? mask : "<extra_id_0>"));
    }
    GenerationResult result = parts.stream(parts.ids(text), settings).result();
    if (there.isEmpty()) {
      return new Filled(result.text(), List.of(), result);
    }
    Map<Integer, String> written = written(result.completions().getFirst());
    List<String> fillings = new ArrayList<>();
    StringBuilder filled = new StringBuilder();
    int from = 0;
    for (String name : there) {
      int at = text.indexOf(name);
      String filling = written.getOrDefault(sentinels.get(name), "");
      fillings.add(filling);
      filled.append(text, from, at).append(filling);
      from = at + name.length();
    }
    return new Filled(filled.append(text.substring(from)).toString(), fillings, result);
  }

  /** What follows each sentinel, up to the next. */
  private Map<Integer, String> written(Completion completion) {
    Map<Integer, List<Long>> ids = new LinkedHashMap<>();
    List<Long> now = new ArrayList<>();
    for (GeneratedToken token : completion.tokens()) {
      if (sentinels.containsValue(token.id())) {
        now = new ArrayList<>();
        // What a sentinel stands for is told once.
        ids.putIfAbsent(token.id(), now);
      } else {
        now.add((long) token.id());
      }
    }
    Map<Integer, String> texts = new LinkedHashMap<>();
    ids.forEach(
        (sentinel, some) ->
            texts.put(
                sentinel,
                parts
                    .tokenizer()
                    .decode(some.stream().mapToLong(Long::longValue).toArray(), true)
                    .strip()));
    return texts;
  }

  @Override
  public void close() {
    parts.close();
  }
}
