package dev.gatun.pipelines;

import dev.gatun.kernels.api.memory.Storage;
import dev.gatun.models.AutoModel;
import dev.gatun.models.EncoderInputs;
import dev.gatun.models.EncoderModel;
import dev.gatun.models.EncoderOutput;
import dev.gatun.nn.Compute;
import dev.gatun.tensor.Device;
import dev.gatun.tensor.Tensor;
import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;

/** Where the pipelines get their models from. */
final class TextModels {
  /** What a model gives. */
  enum Head {
    /** Last hidden states, a row a token. */
    NONE(dev.gatun.models.Head.BASE),
    /** A score a label, a row a text. */
    SEQUENCE_CLASSIFICATION(dev.gatun.models.Head.SEQUENCE_CLASSIFICATION),
    /** A score a label, a row a token. */
    TOKEN_CLASSIFICATION(dev.gatun.models.Head.TOKEN_CLASSIFICATION),
    /** How a token likes to begin and to end an answer, a row a token. */
    QUESTION_ANSWERING(dev.gatun.models.Head.QUESTION_ANSWERING),
    /** A score a token of the vocabulary, a row a token. */
    MASKED_LM(dev.gatun.models.Head.MASKED_LM);

    private final dev.gatun.models.Head head;

    Head(dev.gatun.models.Head head) {
      this.head = head;
    }
  }

  private TextModels() {}

  /** Opens the model of a directory. */
  static TextModel load(Path directory, Head head) throws IOException {
    return load(directory, head, Device.cpu(), Storage.F32, Compute.EXACT);
  }

  /**
   * Opens the model of a directory on a device, with its linear weights kept and computed with so.
   */
  static TextModel load(Path directory, Head head, Device device, Storage storage, Compute compute)
      throws IOException {
    return new Loaded(AutoModel.load(directory, head.head, device, storage, compute), head);
  }

  private record Loaded(EncoderModel model, Head head) implements TextModel {
    @Override
    public float[] run(long[][] ids, long[][] typeIds) {
      if (head == Head.NONE) {
        try (EncoderModel.Encoded encoded = model.encode(ids, typeIds)) {
          return encoded.hidden().toFloatArray();
        }
      }
      try (EncoderOutput output = model.forward(EncoderInputs.of(ids, null, typeIds))) {
        return switch (head) {
          case SEQUENCE_CLASSIFICATION -> output.logits().toFloatArray();
          case QUESTION_ANSWERING -> tokens(List.of(output.startLogits(), output.endLogits()), ids);
          default -> tokens(List.of(output.logits()), ids);
        };
      }
    }

    /**
     * The rows of real tokens of padded [texts, length, ...], the tensors' columns side by side.
     */
    private static float[] tokens(List<Tensor> padded, long[][] ids) {
      List<float[]> sources = new ArrayList<>();
      int width = 0;
      for (Tensor tensor : padded) {
        sources.add(tensor.toFloatArray());
        width += tensor.rank() == 2 ? 1 : (int) tensor.size(2);
      }
      int length = (int) padded.getFirst().size(1);
      int count = 0;
      for (long[] text : ids) {
        count += text.length;
      }
      float[] rows = new float[count * width];
      int each = width / padded.size();
      int row = 0;
      for (int text = 0; text < ids.length; text++) {
        for (int token = 0; token < ids[text].length; token++, row++) {
          for (int i = 0; i < sources.size(); i++) {
            System.arraycopy(
                sources.get(i), (text * length + token) * each, rows, row * width + i * each, each);
          }
        }
      }
      return rows;
    }

    @Override
    public int columns() {
      return switch (head) {
        case NONE -> model.hiddenSize();
        case QUESTION_ANSWERING -> 2;
        case MASKED_LM -> model.vocabSize();
        default -> model.config().labels().size();
      };
    }

    @Override
    public int maxLength() {
      return model.maxLength();
    }

    @Override
    public void close() {
      model.close();
    }
  }
}
