package dev.gatun.djl;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import ai.djl.huggingface.translator.FillMaskTranslatorFactory;
import ai.djl.huggingface.translator.QuestionAnsweringTranslatorFactory;
import ai.djl.huggingface.translator.TextClassificationTranslatorFactory;
import ai.djl.huggingface.translator.TextEmbeddingTranslatorFactory;
import ai.djl.huggingface.translator.TokenClassificationTranslatorFactory;
import ai.djl.huggingface.translator.ZeroShotClassificationTranslatorFactory;
import ai.djl.inference.Predictor;
import ai.djl.modality.Classifications;
import ai.djl.modality.nlp.qa.QAInput;
import ai.djl.modality.nlp.translator.NamedEntity;
import ai.djl.modality.nlp.translator.ZeroShotClassificationInput;
import ai.djl.modality.nlp.translator.ZeroShotClassificationOutput;
import ai.djl.ndarray.NDList;
import ai.djl.repository.zoo.Criteria;
import ai.djl.repository.zoo.ZooModel;
import ai.djl.translate.TranslatorFactory;
import ai.djl.util.StringPair;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import dev.gatun.models.AutoModel;
import dev.gatun.models.EncoderModel;
import dev.gatun.models.Head;
import dev.gatun.pipelines.Classification;
import dev.gatun.pipelines.FillMaskPipeline;
import dev.gatun.pipelines.Filling;
import dev.gatun.pipelines.TextClassificationPipeline;
import dev.gatun.tensor.Tensor;
import dev.gatun.text.EncodeOptions;
import dev.gatun.text.Tokenizer;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** DJL's own translators, unchanged, over models of this engine. */
final class TranslatorsTest {
  private static final List<String> TEXTS = List.of("Hello World!", "a b c d e f g h", "x");

  @TempDir private Path folder;

  private static <I, O> ZooModel<I, O> load(
      Class<I> input,
      Class<O> output,
      Path path,
      TranslatorFactory factory,
      Map<String, Object> arguments)
      throws Exception {
    return Criteria.builder()
        .setTypes(input, output)
        .optModelPath(path)
        .optEngine("Gatun")
        .optTranslatorFactory(factory)
        .optArguments(arguments)
        .build()
        .loadModel();
  }

  @ParameterizedTest
  @ValueSource(strings = {"mean", "cls", "max", "mean_sqrt_len"})
  void texts_become_the_vectors_of_sentence_transformers(String pooling) throws Exception {
    String golden = pooling.equals("mean_sqrt_len") ? "mean_sqrt_len_tokens" : pooling;
    JsonNode expected =
        new ObjectMapper()
            .readTree(
                Models.GOLDENS
                    .resolve("sentence-models/pooling-" + golden + "/expected.json")
                    .toFile());
    List<String> texts = new ArrayList<>();
    expected.get("texts").forEach(text -> texts.add(text.asText()));
    JsonNode vectors = expected.get("calls").get(0).get("vectors");
    Models.givingBack(
        () -> {
          try (ZooModel<String, float[]> model =
                  load(
                      String.class,
                      float[].class,
                      Models.with(folder, "sentence-models/base"),
                      new TextEmbeddingTranslatorFactory(),
                      Map.of("pooling", pooling, "normalize", "false", "includeTokenTypes", true));
              Predictor<String, float[]> predictor = model.newPredictor()) {
            List<float[]> batch = predictor.batchPredict(texts);
            for (int i = 0; i < texts.size(); i++) {
              assertArrayEquals(floats(vectors.get(i)), batch.get(i), 1e-4f, texts.get(i));
              assertArrayEquals(
                  batch.get(i), predictor.predict(texts.get(i)), 1e-5f, "alone: " + texts.get(i));
            }
          }
        });
  }

  private static float[] floats(JsonNode node) {
    float[] values = new float[node.size()];
    for (int i = 0; i < values.length; i++) {
      values[i] = (float) node.get(i).asDouble();
    }
    return values;
  }

  @Test
  void vectors_are_normalized_by_default() throws Exception {
    Models.givingBack(
        () -> {
          try (ZooModel<String, float[]> model =
                  load(
                      String.class,
                      float[].class,
                      Models.with(folder, "sentence-models/base"),
                      new TextEmbeddingTranslatorFactory(),
                      Map.of());
              Predictor<String, float[]> predictor = model.newPredictor()) {
            double square = 0;
            for (float value : predictor.predict("Hello World!")) {
              square += value * value;
            }
            assertEquals(1, square, 1e-5);
          }
        });
  }

  @Test
  void dense_and_norm_layers_follow_the_pooling() throws Exception {
    Path path = Models.with(folder, "sentence-models/base");
    Models.givingBack(
        () -> {
          // NDList files of DJL's layers: y = 2x + 1 of one feature, then a norm of it and others.
          try (var manager = GatunNDManager.system().newSubManager()) {
            var weight = manager.eye(8).mul(2);
            weight.setName("linear.weight");
            var bias = manager.ones(new ai.djl.ndarray.types.Shape(8));
            bias.setName("linear.bias");
            try (var out = Files.newOutputStream(path.resolve("linear.safetensors"))) {
              new NDList(weight, bias).encode(out, NDList.Encoding.SAFETENSORS);
            }
            var gamma = manager.ones(new ai.djl.ndarray.types.Shape(8)).mul(3);
            gamma.setName("norm.weight");
            var beta = manager.zeros(new ai.djl.ndarray.types.Shape(8));
            beta.setName("norm.bias");
            try (var out = Files.newOutputStream(path.resolve("norm.safetensors"))) {
              new NDList(gamma, beta).encode(out, NDList.Encoding.SAFETENSORS);
            }
          }
          float[] plain = vector(path, Map.of("normalize", "false"));
          float[] dense = vector(path, Map.of("normalize", "false", "dense", "linear.safetensors"));
          float[] normed =
              vector(path, Map.of("normalize", "false", "layerNorm", "norm.safetensors"));
          double mean = 0;
          for (float value : plain) {
            mean += value / 8;
          }
          double variance = 0;
          for (float value : plain) {
            variance += (value - mean) * (value - mean) / 8;
          }
          for (int i = 0; i < 8; i++) {
            assertEquals(2 * plain[i] + 1, dense[i], 1e-5);
            assertEquals(3 * (plain[i] - mean) / Math.sqrt(variance + 1e-5), normed[i], 1e-4);
          }
        });
  }

  private static float[] vector(Path path, Map<String, Object> arguments) throws Exception {
    try (ZooModel<String, float[]> model =
            load(
                String.class,
                float[].class,
                path,
                new TextEmbeddingTranslatorFactory(),
                arguments);
        Predictor<String, float[]> predictor = model.newPredictor()) {
      return predictor.predict("Hello World!");
    }
  }

  @Test
  void texts_have_the_classes_of_the_pipeline() throws Exception {
    Path path = Models.with(folder, "bert-classify");
    Models.givingBack(
        () -> {
          try (ZooModel<String, Classifications> model =
                  load(
                      String.class,
                      Classifications.class,
                      path,
                      new TextClassificationTranslatorFactory(),
                      Map.of("includeTokenTypes", true, "topK", 3));
              Predictor<String, Classifications> predictor = model.newPredictor();
              TextClassificationPipeline pipeline = TextClassificationPipeline.load(path)) {
            List<Classifications> batch = predictor.batchPredict(TEXTS);
            for (int i = 0; i < TEXTS.size(); i++) {
              for (Classification expected : pipeline.classify(TEXTS.get(i), 3)) {
                assertEquals(
                    expected.score(), batch.get(i).get(expected.label()).getProbability(), 1e-5);
              }
            }
          }
        });
  }

  @Test
  void pairs_are_scored_as_the_model_scores_them() throws Exception {
    Path path = Models.with(folder, "bert-regression");
    Models.givingBack(
        () -> {
          try (ZooModel<StringPair, float[]> model =
                  load(
                      StringPair.class,
                      float[].class,
                      path,
                      new TextEmbeddingTranslatorFactory(),
                      Map.of("reranking", true, "includeTokenTypes", true, "sigmoid", false));
              Predictor<StringPair, float[]> predictor = model.newPredictor();
              Tokenizer tokenizer = Tokenizer.load(path);
              EncoderModel direct = AutoModel.load(path)) {
            List<StringPair> pairs =
                List.of(new StringPair("a b c", "Hello"), new StringPair("x", "y z World"));
            List<float[]> batch = predictor.batchPredict(pairs);
            for (int i = 0; i < pairs.size(); i++) {
              var encoded =
                  tokenizer.encode(
                      pairs.get(i).getKey(), pairs.get(i).getValue(), EncodeOptions.DEFAULT);
              try (Tensor scores =
                  direct.scores(new long[][] {encoded.ids()}, new long[][] {encoded.typeIds()})) {
                assertArrayEquals(scores.toFloatArray(), batch.get(i), 1e-5f);
              }
            }
          }
        });
  }

  @Test
  void masks_are_filled_as_by_the_pipeline() throws Exception {
    Path path = Models.with(folder, "bert-mlm");
    Models.givingBack(
        () -> {
          try (ZooModel<String, Classifications> model =
                  load(
                      String.class,
                      Classifications.class,
                      path,
                      new FillMaskTranslatorFactory(),
                      Map.of("includeTokenTypes", true, "topK", 3));
              Predictor<String, Classifications> predictor = model.newPredictor();
              FillMaskPipeline pipeline = FillMaskPipeline.load(path)) {
            Classifications classes = predictor.predict("a b [MASK] d");
            List<Filling> expected = pipeline.fill("a b [MASK] d", 3).getFirst();
            for (int i = 0; i < 3; i++) {
              Classifications.Classification item = classes.topK().get(i);
              assertEquals(expected.get(i).score(), item.getProbability(), 1e-5);
            }
          }
        });
  }

  @Test
  void questions_are_answered_as_by_the_pipeline() throws Exception {
    Path path = Models.with(folder, "bert-qa");
    Models.givingBack(
        () -> {
          try (ZooModel<QAInput, String> model =
                  load(
                      QAInput.class,
                      String.class,
                      path,
                      new QuestionAnsweringTranslatorFactory(),
                      Map.of("includeTokenTypes", true));
              Predictor<QAInput, String> predictor = model.newPredictor();
              Tokenizer tokenizer = Tokenizer.load(path);
              EncoderModel direct = AutoModel.load(path)) {
            String question = "a b c?";
            String context = "d e f g. Hello World!";
            var encoded = tokenizer.encode(question, context);
            // DJL's rule: the best start and the best end among the context's tokens, in order.
            int[] best = {-1, -1};
            try (Tensor scores =
                direct.scores(new long[][] {encoded.ids()}, new long[][] {encoded.typeIds()})) {
              float[] logits = scores.toFloatArray();
              for (int i = 0; i < encoded.length(); i++) {
                for (int side = 0; side < 2; side++) {
                  boolean better =
                      best[side] < 0 || logits[2 * i + side] > logits[2 * best[side] + side];
                  if (encoded.sequenceIds()[i] == 1 && better) {
                    best[side] = i;
                  }
                }
              }
            }
            String[] span =
                java.util.Arrays.copyOfRange(
                    encoded.tokens(), Math.min(best[0], best[1]), Math.max(best[0], best[1]) + 1);
            assertEquals(String.join(" ", span), predictor.predict(new QAInput(question, context)));
          }
        });
  }

  @Test
  void tokens_have_classes() throws Exception {
    Path path = Models.with(folder, "bert-tokens");
    Models.givingBack(
        () -> {
          try (ZooModel<String, NamedEntity[]> model =
                  load(
                      String.class,
                      NamedEntity[].class,
                      path,
                      new TokenClassificationTranslatorFactory(),
                      Map.of("includeTokenTypes", true));
              Predictor<String, NamedEntity[]> predictor = model.newPredictor();
              Tokenizer tokenizer = Tokenizer.load(path);
              EncoderModel direct = AutoModel.load(path)) {
            NamedEntity[] entities = predictor.predict("a b c Hello");
            var encoded = tokenizer.encode("a b c Hello");
            try (Tensor scores =
                direct.scores(new long[][] {encoded.ids()}, new long[][] {encoded.typeIds()})) {
              float[] logits = scores.toFloatArray();
              int labels = (int) scores.size(1);
              for (NamedEntity entity : entities) {
                int label = Integer.parseInt(entity.getEntity().replace("LABEL_", ""));
                double sum = 0;
                for (int i = 0; i < labels; i++) {
                  sum += Math.exp(logits[entity.getIndex() * labels + i]);
                }
                double p = Math.exp(logits[entity.getIndex() * labels + label]) / sum;
                assertEquals(p, entity.getScore(), 1e-5);
              }
            }
            assertTrue(entities.length > 0);
          }
        });
  }

  @Test
  void zero_shot_classes_are_scored() throws Exception {
    Path path = Models.with(folder, "bert-classify");
    String config = Files.readString(path.resolve("config.json"));
    config =
        config
            .replaceAll("\"LABEL_0\": 0", "\"contradiction\": 0")
            .replaceAll("\"LABEL_2\": 2", "\"entailment\": 2");
    Files.writeString(path.resolve("config.json"), config);
    Models.givingBack(
        () -> {
          try (ZooModel<ZeroShotClassificationInput, ZeroShotClassificationOutput> model =
                  load(
                      ZeroShotClassificationInput.class,
                      ZeroShotClassificationOutput.class,
                      path,
                      new ZeroShotClassificationTranslatorFactory(),
                      Map.of());
              Predictor<ZeroShotClassificationInput, ZeroShotClassificationOutput> predictor =
                  model.newPredictor();
              Tokenizer tokenizer = Tokenizer.load(path);
              EncoderModel direct =
                  AutoModel.load(
                      path,
                      Head.SEQUENCE_CLASSIFICATION,
                      dev.gatun.tensor.Device.cpu(),
                      dev.gatun.kernels.api.memory.Storage.F32,
                      dev.gatun.nn.Compute.EXACT)) {
            String[] candidates = {"a", "Hello World"};
            ZeroShotClassificationOutput output =
                predictor.predict(new ZeroShotClassificationInput("a b c", candidates));
            double[] logits = new double[candidates.length];
            for (int i = 0; i < candidates.length; i++) {
              var encoded =
                  tokenizer.encode(
                      "a b c", "This example is " + candidates[i] + ".", EncodeOptions.DEFAULT);
              try (Tensor scores =
                  direct.scores(new long[][] {encoded.ids()}, new long[][] {encoded.typeIds()})) {
                logits[i] = scores.toFloatArray()[2];
              }
            }
            double p = 1 / (1 + Math.exp(logits[1] - logits[0]));
            for (int i = 0; i < candidates.length; i++) {
              boolean first = output.getLabels()[i].equals("a");
              assertEquals(first ? p : 1 - p, output.getScores()[i], 1e-4);
            }
          }
        });
  }
}
