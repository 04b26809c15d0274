package dev.gatun.pipelines;

import dev.gatun.kernels.api.memory.Storage;
import dev.gatun.models.AutoModel;
import dev.gatun.models.Head;
import dev.gatun.nn.Compute;
import dev.gatun.tensor.Device;
import dev.gatun.tensor.Tensor;
import dev.gatun.text.EncodeOptions;
import dev.gatun.text.Encoding;
import dev.gatun.text.Tokenizer;
import java.io.IOException;
import java.nio.file.Path;

/**
 * What every pipeline with a head is made of.
 *
 * @param tokenizer text to ids
 * @param model ids to scores
 */
record Parts(Tokenizer tokenizer, TextModel model) implements AutoCloseable {

  static Parts load(Path directory, Head head) throws IOException {
    TextModel model =
        TextModel.of(AutoModel.load(directory, head, Device.cpu(), Storage.F32, Compute.EXACT));
    try {
      return new Parts(Tokenizer.load(directory), model);
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

  /** The head's scores of one text [rows, columns]. */
  Tensor scores(Encoding encoding) {
    return model.scores(new long[][] {encoding.ids()}, new long[][] {encoding.typeIds()});
  }

  @Override
  public void close() {
    try (model) {
      tokenizer.close();
    }
  }
}
