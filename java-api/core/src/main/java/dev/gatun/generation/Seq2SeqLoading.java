package dev.gatun.generation;

import dev.gatun.models.AutoModel;
import dev.gatun.models.Config;
import dev.gatun.models.Seq2SeqLm;
import dev.gatun.nn.KvCache;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.stream.Collectors;

/** How a directory of an encoder-decoder becomes steps of generation. */
final class Seq2SeqLoading {
  private static final String START = "decoder_start_token_id";

  /** Tokens of a source that memory is planned for where nobody said how much. */
  private static final int SOURCE_TOKENS = 1024;

  private Seq2SeqLoading() {}

  /**
   * Whether a directory has an encoder-decoder.
   *
   * @throws IllegalArgumentException where it has neither that nor a decoder
   */
  static boolean isSeq2Seq(Path directory) throws IOException {
    Config config = Config.read(directory);
    String type = config.text("model_type", null);
    String kind = type == null ? "" : AutoModel.kind(type).orElse("");
    return switch (kind) {
      case "decoder" -> false;
      case "encoder-decoder" -> true;
      default ->
          throw config.error(
              "'model_type' is %s%s, expected a decoder, one of %s, or an encoder-decoder, one of %s"
                  .formatted(
                      type,
                      kind.isEmpty() ? "" : ", an " + kind,
                      types("decoder"),
                      types("encoder-decoder")));
    };
  }

  private static String types(String kind) {
    return AutoModel.modelTypes().stream()
        .filter(type -> AutoModel.kind(type).orElseThrow().equals(kind))
        .collect(Collectors.joining(", "));
  }

  /**
   * The token that targets begin with, as transformers finds it: of the generation config, of the
   * model's, else the beginning of a text.
   *
   * @throws IllegalArgumentException where no file names it, or the vocabulary lacks it
   */
  static int startTokenId(Path directory, Seq2SeqLm model) throws IOException {
    Path file = directory.resolve("generation_config.json");
    Config own = Files.exists(file) ? Config.of(file) : model.config();
    for (Config config : new Config[] {own, model.config()}) {
      for (String key : new String[] {START, "bos_token_id"}) {
        List<Integer> ids = config.integers(key);
        if (!ids.isEmpty()) {
          int id = ids.getFirst();
          if (ids.size() > 1) {
            throw config.wrong(key, "one id: each text of a batch begins with the same one");
          }
          if (id < 0 || id >= model.vocabSize()) {
            throw config.wrong(key, "an id of the vocabulary of " + model.vocabSize());
          }
          return id;
        }
      }
    }
    throw model
        .config()
        .error(
            "'%s' is missing, which a text begins with, and so is 'bos_token_id'".formatted(START));
  }

  /**
   * The model with its caches. Those of sources and of targets have half the bytes each that are
   * asked for.
   *
   * @param most bytes of each where nobody asked
   */
  static StepModel steps(Seq2SeqLm model, GeneratorOptions options, int start, long most) {
    KvCache cache = null;
    try {
      cache = cache(model, model.cacheShape(), model.maxLength(), options, most);
      int length = Math.min(SOURCE_TOKENS, model.maxSourceLength());
      KvCache sources = cache(model, model.sourceShape(), length, options, most);
      return new Seq2SeqSteps(model, cache, sources, start);
    } catch (RuntimeException | Error e) {
      if (cache != null) {
        cache.close();
      }
      throw e;
    }
  }

  private static KvCache cache(
      Seq2SeqLm model, KvCache.Shape kept, int length, GeneratorOptions options, long most) {
    KvCache.Shape shape = options.cacheDtype().map(kept::withDtype).orElse(kept);
    int size = Math.min(options.pageSize(), length);
    long page = Math.max(1, shape.tokenBytes() * size);
    long pages = Math.ceilDiv(length, size) + 1L;
    long bytes =
        options.cacheBytes().isPresent()
            ? options.cacheBytes().getAsLong() / 2
            : Math.max(page, Math.min(most, pages * options.maxSequences() * page));
    if (bytes < page) {
      throw new IllegalArgumentException(
          "cacheBytes is %d, expected at least %d, of which half has one page of %d tokens"
              .formatted(options.cacheBytes().getAsLong(), 2 * page, size));
    }
    return KvCache.ofBytes(model.device(), shape, size, bytes);
  }
}
