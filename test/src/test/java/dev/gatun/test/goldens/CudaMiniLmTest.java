package dev.gatun.test.goldens;

import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.gatun.kernels.api.call.matmul.QuantizedActivations;
import dev.gatun.kernels.api.memory.BlockFormat;
import dev.gatun.nn.WeightType;
import dev.gatun.pipelines.EmbeddingPipeline;
import dev.gatun.tensor.Device;
import dev.gatun.test.emulator.Emulator;
import java.io.IOException;
import java.io.InputStream;
import java.nio.file.Files;
import java.nio.file.Path;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** A published model with quantised weights on a CUDA device, beside itself on the processor. */
@Tag("full")
final class CudaMiniLmTest {
  private static final String TEXT = "A canal is a ladder for ships.";

  @TempDir private Path folder;

  @ParameterizedTest
  @CsvSource({"INT8, INT8_PER_TOKEN, 0.99", "INT4:64, EXACT, 0.9", "INT4:32, INT8_BLOCKS, 0.9"})
  void embeddings_are_near_the_processors(
      String format, QuantizedActivations activations, double least) throws IOException {
    copy("/all-minilm-l6-v2.onnx", "model.onnx");
    copy("/all-minilm-l6-v2-tokenizer.json", "tokenizer.json");
    Files.writeString(
        folder.resolve("config.json"),
        """
        {"architectures": ["BertModel"], "model_type": "bert", "hidden_size": 384,
         "num_hidden_layers": 6, "num_attention_heads": 12, "intermediate_size": 1536,
         "hidden_act": "gelu", "vocab_size": 30522, "max_position_embeddings": 512,
         "type_vocab_size": 2, "layer_norm_eps": 1e-12, "pad_token_id": 0}
        """);
    Emulator.open();
    WeightType type = WeightType.quantized(BlockFormat.of(format), activations);
    float[] right = embed(WeightType.F32, Device.cpu());
    float[] same = embed(type, Device.cpu());
    float[] got = embed(type, Device.cuda(0));
    double processor = cosine(same, right);
    assertTrue(cosine(got, right) > least, type + " beside F32: " + cosine(got, right));
    // Other roundings between the layers give an activation now and then the next code, so the two
    // need not agree; but the codes move neither much further from F32.
    assertTrue(
        1 - cosine(got, right) <= 2 * (1 - processor),
        type + " beside F32: " + cosine(got, right) + ", on the processor " + processor);
  }

  private float[] embed(WeightType weights, Device device) throws IOException {
    EmbeddingPipeline.Options options =
        EmbeddingPipeline.Options.DEFAULT.withWeights(weights).withDevice(device);
    try (EmbeddingPipeline pipeline = EmbeddingPipeline.load(folder, options)) {
      return pipeline.embed(TEXT);
    }
  }

  private static double cosine(float[] a, float[] b) {
    double product = 0;
    double left = 0;
    double right = 0;
    for (int i = 0; i < a.length; i++) {
      product += (double) a[i] * b[i];
      left += (double) a[i] * a[i];
      right += (double) b[i] * b[i];
    }
    return product / Math.sqrt(left * right);
  }

  private void copy(String resource, String file) throws IOException {
    try (InputStream in = CudaMiniLmTest.class.getResourceAsStream(resource)) {
      Files.copy(in, folder.resolve(file));
    }
  }
}
