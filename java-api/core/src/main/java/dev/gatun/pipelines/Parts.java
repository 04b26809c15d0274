package dev.gatun.pipelines;

import com.fasterxml.jackson.databind.JsonNode;
import dev.gatun.files.TextFile;
import dev.gatun.text.EncodeOptions;
import dev.gatun.text.Encoding;
import dev.gatun.text.Tokenizer;
import java.io.IOException;
import java.nio.file.Path;
import java.util.Arrays;

/**
 * What every pipeline with a head is made of.
 *
 * @param tokenizer text to ids
 * @param model ids to logits
 * @param config the model's {@code config.json}
 */
record Parts(Tokenizer tokenizer, TextModel model, JsonNode config) implements AutoCloseable {

  static Parts load(Path directory, TextModels.Head head) throws IOException {
    JsonNode config =
        TextFile.json(directory.resolve("config.json"), IllegalArgumentException::new);
    TextModel model = TextModels.load(directory, head);
    try {
      return new Parts(Tokenizer.load(directory), model, config);
    } catch (IOException | RuntimeException e) {
      model.close();
      throw e;
    }
  }

  /** The most tokens that model and tokenizer take. */
  int maxLength() {
    return Math.min(model.maxLength(), tokenizer.modelMaxLength().orElse(Integer.MAX_VALUE));
  }

  /** Longer texts are an error: a part of the answer would be missing. */
  EncodeOptions whole() {
    return EncodeOptions.DEFAULT
        .withMaxLength(maxLength())
        .withOverflow(EncodeOptions.Overflow.ERROR);
  }

  /** The rows that the model gives for one text. */
  float[][] rows(Encoding encoding) {
    float[] packed = model.run(new long[][] {encoding.ids()}, new long[][] {encoding.typeIds()});
    int columns = model.columns();
    float[][] rows = new float[packed.length / columns][];
    for (int i = 0; i < rows.length; i++) {
      rows[i] = Arrays.copyOfRange(packed, i * columns, (i + 1) * columns);
    }
    return rows;
  }

  @Override
  public void close() {
    try (model) {
      tokenizer.close();
    }
  }
}
