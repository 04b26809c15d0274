package dev.gatun.pipelines;

import static org.junit.jupiter.api.Assertions.assertTrue;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import dev.gatun.kernels.api.memory.DType;
import dev.gatun.kernels.api.memory.Storage;
import dev.gatun.nn.Compute;
import dev.gatun.weights.TensorFile;
import java.io.IOException;
import java.io.InputStream;
import java.lang.foreign.ValueLayout;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** The real all-MiniLM-L6-v2, read from its ONNX file, against the reference's embeddings. */
final class MiniLmTest {
  private static final Path GOLDEN = Path.of("goldens/minilm");
  private static final String CONFIG =
      """
      {"architectures": ["BertModel"], "model_type": "bert", "hidden_size": 384,
       "num_hidden_layers": 6, "num_attention_heads": 12, "intermediate_size": 1536,
       "vocab_size": 30522, "max_position_embeddings": 512, "type_vocab_size": 2}
      """;

  private static EmbeddingPipeline.Options options(DType dtype) {
    EmbeddingPipeline.Options options = EmbeddingPipeline.Options.DEFAULT;
    return dtype == DType.I8
        ? options.withWeights(Storage.INT8).withCompute(Compute.INT8_PER_TOKEN)
        : options.withWeights(Storage.of(dtype));
  }

  @ParameterizedTest
  @CsvSource({"F32, 0.99999", "F16, 0.99999", "BF16, 0.9995", "I8, 0.99"})
  void embeddings_agree_with_the_reference(DType dtype, double least, @TempDir Path model)
      throws IOException {
    copy("/all-minilm-l6-v2.onnx", model.resolve("model.onnx"));
    copy("/all-minilm-l6-v2-tokenizer.json", model.resolve("tokenizer.json"));
    Files.writeString(model.resolve("config.json"), CONFIG);
    Files.writeString(model.resolve("sentence_bert_config.json"), "{\"max_seq_length\": 256}");
    JsonNode sentences =
        new ObjectMapper().readTree(GOLDEN.resolve("case.json").toFile()).get("sentences");
    List<String> texts = new ArrayList<>();
    sentences.forEach(sentence -> texts.add(sentence.get("text").textValue()));
    try (EmbeddingPipeline pipeline = EmbeddingPipeline.load(model, options(dtype));
        TensorFile expected = TensorFile.open(GOLDEN.resolve("expected.safetensors"))) {
      float[][] got = pipeline.embed(texts);
      for (int i = 0; i < got.length; i++) {
        float[] want =
            expected.get("out." + i + ".embedding").data().toArray(ValueLayout.JAVA_FLOAT);
        double cosine = cosine(got[i], want);
        assertTrue(cosine >= least, "text %d: cosine %.8f".formatted(i, cosine));
      }
    }
  }

  private static double cosine(float[] a, float[] b) {
    double dot = 0;
    double aa = 0;
    double bb = 0;
    for (int i = 0; i < a.length; i++) {
      dot += (double) a[i] * b[i];
      aa += (double) a[i] * a[i];
      bb += (double) b[i] * b[i];
    }
    return dot / Math.sqrt(aa * bb);
  }

  private static void copy(String resource, Path target) throws IOException {
    try (InputStream in = MiniLmTest.class.getResourceAsStream(resource)) {
      Files.copy(in, target);
    }
  }
}
