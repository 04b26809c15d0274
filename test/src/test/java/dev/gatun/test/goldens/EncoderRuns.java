package dev.gatun.test.goldens;

import dev.gatun.kernels.api.call.matmul.QuantizedActivations;
import dev.gatun.kernels.api.memory.BlockFormat;
import dev.gatun.models.AutoModel;
import dev.gatun.models.EncoderModel;
import dev.gatun.models.EncoderOutput;
import dev.gatun.nn.WeightType;
import dev.gatun.tensor.Device;
import dev.gatun.weights.TensorFile;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.file.Files;
import java.nio.file.Path;

/** A program: a golden's encoder with the backend that the JVM's properties ask for. */
final class EncoderRuns {
  private EncoderRuns() {}

  /**
   * @param args the golden's folder, the blocks of its weights, what becomes of activations, and
   *     the file that gets the last hidden states, as floats
   */
  public static void main(String[] args) throws IOException {
    WeightType type =
        WeightType.quantized(BlockFormat.of(args[1]), QuantizedActivations.valueOf(args[2]));
    float[] hidden = lastHidden(Path.of(args[0]), Device.cpu(), type);
    ByteBuffer bytes = ByteBuffer.allocate(Float.BYTES * hidden.length);
    bytes.asFloatBuffer().put(hidden);
    Files.write(Path.of(args[3]), bytes.array());
  }

  /** The last hidden states of a golden's inputs. */
  static float[] lastHidden(Path golden, Device device, WeightType type) throws IOException {
    try (TensorFile expected = TensorFile.open(golden.resolve("expected.safetensors"));
        EncoderModel model = AutoModel.load(golden, device, type);
        EncoderOutput output = model.forward(Goldens.inputs(expected))) {
      return output.hiddenStates().getLast().toFloatArray();
    }
  }
}
