package dev.gatun.djl;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import ai.djl.huggingface.translator.TextEmbeddingTranslatorFactory;
import ai.djl.inference.Predictor;
import ai.djl.modality.Input;
import ai.djl.modality.Output;
import ai.djl.modality.nlp.EmbeddingOutput;
import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDList;
import ai.djl.ndarray.types.Shape;
import ai.djl.repository.zoo.Criteria;
import ai.djl.repository.zoo.ZooModel;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import dev.gatun.models.AutoModel;
import dev.gatun.models.EncoderModel;
import dev.gatun.text.EncodeOptions;
import dev.gatun.text.Encoding;
import dev.gatun.text.Tokenizer;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.stream.LongStream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** DJL's other ways from hidden states to vectors, held to the model's own hidden states. */
final class RetrievalTest {
  private static final String TEXT = "Hello World! h i j w x z";
  private static final int WIDTH = 8;

  @TempDir private Path folder;

  /** What the model gives, and the ids that DJL takes for those of special tokens. */
  private record States(Encoding encoding, float[] hidden, Set<Long> unused) {}

  private static States states(Path path) throws Exception {
    try (Tokenizer tokenizer = Tokenizer.load(path);
        EncoderModel model = AutoModel.load(path)) {
      Encoding encoding = tokenizer.encode(TEXT, EncodeOptions.DEFAULT);
      try (var encoded =
          model.encode(new long[][] {encoding.ids()}, new long[][] {encoding.typeIds()})) {
        Set<Long> unused = new HashSet<>();
        for (String name : List.of("cls_token", "eos_token", "pad_token", "unk_token")) {
          LongStream.of(tokenizer.encode(name, EncodeOptions.DEFAULT).ids()).forEach(unused::add);
        }
        return new States(encoding, encoded.hidden().toFloatArray(), unused);
      }
    }
  }

  private static <O> O predict(Path path, Class<O> output, Map<String, Object> arguments)
      throws Exception {
    try (ZooModel<String, O> model =
            Criteria.builder()
                .setTypes(String.class, output)
                .optModelPath(path)
                .optEngine("Gatun")
                .optTranslatorFactory(new TextEmbeddingTranslatorFactory())
                .optArguments(arguments)
                .optArgument("includeTokenTypes", true)
                .build()
                .loadModel();
        Predictor<String, O> predictor = model.newPredictor()) {
      return predictor.predict(TEXT);
    }
  }

  @Test
  void tokens_have_weights() throws Exception {
    Path path = Models.with(folder, "sentence-models/base");
    float[] weights = {1, -1, 2, 0.5f, -0.25f, 1.5f, -2, 1};
    Models.givingBack(
        () -> {
          try (var manager = GatunNDManager.system().newSubManager()) {
            NDArray weight = manager.create(weights, new Shape(1, WIDTH));
            weight.setName("weight");
            NDArray bias = manager.create(new float[] {0.1f});
            bias.setName("bias");
            try (var out = Files.newOutputStream(path.resolve("sparse_linear.safetensors"))) {
              new NDList(weight, bias).encode(out, NDList.Encoding.SAFETENSORS);
            }
          }
          EmbeddingOutput output =
              predict(
                  path,
                  EmbeddingOutput.class,
                  new HashMap<>(
                      Map.of("sparse", true, "returnDenseEmbedding", true, "normalize", false)));
          States states = states(path);
          int positive = 0;
          for (int i = 1; i < states.encoding().length() - 1; i++) {
            double score = 0.1;
            for (int k = 0; k < WIDTH; k++) {
              score += weights[k] * states.hidden()[i * WIDTH + k];
            }
            String id = "" + states.encoding().ids()[i];
            boolean kept = output.getLexicalWeights().containsKey(id);
            if (score > 0 && kept) {
              assertEquals(score, output.getLexicalWeights().get(id), 1e-4);
              positive++;
            } else {
              assertTrue(score <= 1e-4 || states.unused().contains(states.encoding().ids()[i]), id);
            }
          }
          assertTrue(positive > 0, "no token has a weight");
          assertEquals(WIDTH, output.getDenseEmbedding().length);
          // The same in what a server sends, of a batch of its own and of a client's.
          try (ZooModel<Input, Output> model =
                  Criteria.builder()
                      .setTypes(Input.class, Output.class)
                      .optModelPath(path)
                      .optEngine("Gatun")
                      .optTranslatorFactory(new TextEmbeddingTranslatorFactory())
                      .optArgument("sparse", true)
                      .optArgument("includeTokenTypes", true)
                      .build()
                      .loadModel();
              Predictor<Input, Output> predictor = model.newPredictor()) {
            Input plain = new Input();
            plain.add(TEXT);
            Input both = new Input();
            both.addProperty("Content-Type", "application/json");
            both.add("data", "{\"inputs\": [\"x\", \"" + TEXT + "\"]}");
            List<Output> answers = predictor.batchPredict(List.of(plain, both));
            ObjectMapper json = new ObjectMapper();
            for (JsonNode answer :
                List.of(
                    json.readTree(answers.get(0).getData().getAsString()),
                    json.readTree(answers.get(1).getData().getAsString()).get(1))) {
              JsonNode sent = answer.get("lexical_weights");
              assertEquals(output.getLexicalWeights().size(), sent.size());
              output
                  .getLexicalWeights()
                  .forEach((id, value) -> assertEquals(value, sent.get(id).asDouble(), 1e-5));
            }
          }
        });
  }

  @Test
  void one_text_is_pooled_by_its_last_token_or_by_weights() throws Exception {
    Path path = Models.with(folder, "sentence-models/base");
    Models.givingBack(
        () -> {
          States states = states(path);
          int length = states.encoding().length();
          float[] last = new float[WIDTH];
          float[] mean = new float[WIDTH];
          for (int k = 0; k < WIDTH; k++) {
            last[k] = states.hidden()[(length - 1) * WIDTH + k];
            for (int i = 0; i < length; i++) {
              mean[k] += states.hidden()[i * WIDTH + k] / length;
            }
          }
          assertArrayEquals(last, pooled(path, "lasttoken"), 1e-5f);
          // DJL weighs by the row of the batch, so that one text has its mean.
          assertArrayEquals(mean, pooled(path, "weightedmean"), 1e-5f);
        });
  }

  private static float[] pooled(Path path, String pooling) throws Exception {
    return predict(
        path, float[].class, new HashMap<>(Map.of("pooling", pooling, "normalize", false)));
  }
}
