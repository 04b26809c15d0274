package dev.gatun.pipelines;

import dev.gatun.pipelines.SentenceModule.Feature;
import dev.gatun.weights.gguf.GgufFile;
import dev.gatun.weights.gguf.GgufMetadata;
import java.io.IOException;
import java.nio.file.Path;
import java.util.List;
import java.util.Optional;

/** What a GGUF file says of the vector of a text. */
final class GgufPooling {
  private static final int MEAN = 1;
  private static final int CLS = 2;
  private static final int LAST = 3;

  private GgufPooling() {}

  /** The modules behind the transformer; null where no file says what they are. */
  static List<SentenceModule> of(Path model) throws IOException {
    Optional<Path> file = GgufFile.find(model);
    return file.isEmpty() ? null : GgufFile.readMetadata(file.get(), GgufPooling::of);
  }

  private static List<SentenceModule> of(GgufMetadata keys) {
    String key = keys.text("general.architecture").orElse("") + ".pooling_type";
    if (!keys.has(key)) {
      return null;
    }
    Pooling mode =
        switch (keys.integer(key, MEAN)) {
          case MEAN -> Pooling.MEAN;
          case CLS -> Pooling.CLS;
          case LAST -> Pooling.LASTTOKEN;
          default -> throw keys.wrong(key, "1 (mean), 2 (first token) or 3 (last token)");
        };
    return List.of(
        new SentenceModule.Pool(List.of(mode), true),
        new SentenceModule.Normalize(Feature.SENTENCE_EMBEDDING, Feature.SENTENCE_EMBEDDING));
  }
}
