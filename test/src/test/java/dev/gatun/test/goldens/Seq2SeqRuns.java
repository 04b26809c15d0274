package dev.gatun.test.goldens;

import dev.gatun.kernels.api.call.matmul.QuantizedActivations;
import dev.gatun.kernels.api.memory.BlockFormat;
import dev.gatun.kernels.api.memory.Storage;
import dev.gatun.models.AutoModel;
import dev.gatun.models.Seq2SeqLm;
import dev.gatun.models.Seq2SeqOutput;
import dev.gatun.nn.Compute;
import dev.gatun.tensor.Device;
import dev.gatun.weights.TensorFile;
import dev.gatun.weights.WeightTypes;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.file.Files;
import java.nio.file.Path;

/** A program: goldens of encoder-decoders with the backend that the JVM's properties ask for. */
final class Seq2SeqRuns {
  private Seq2SeqRuns() {}

  /**
   * @param args the folder that gets a file of logits for each case, as floats, and the cases:
   *     {@code NAME FORMAT ACTIVATIONS} each
   */
  public static void main(String[] args) throws IOException {
    for (int i = 1; i < args.length; i++) {
      float[] logits = logits(args[i], Device.cpu());
      ByteBuffer bytes = ByteBuffer.allocate(Float.BYTES * logits.length);
      bytes.asFloatBuffer().put(logits);
      Files.write(Path.of(args[0], "" + i), bytes.array());
    }
  }

  /** The logits of a golden's inputs in a case. */
  static float[] logits(String of, Device device) throws IOException {
    String[] words = of.split(" ");
    Path folder = Path.of("goldens/encoder-decoders", words[0]);
    Storage storage = Storage.of(BlockFormat.of(words[1]));
    Compute compute = Compute.of(QuantizedActivations.valueOf(words[2]));
    try (TensorFile expected = TensorFile.open(folder.resolve("expected.safetensors"));
        Seq2SeqLm model =
            AutoModel.loadSeq2SeqLm(folder, device, WeightTypes.of(storage), compute, null);
        Seq2SeqOutput output = model.forward(EncoderDecoderGoldens.labelled(expected))) {
      return output.logits().toFloatArray();
    }
  }
}
