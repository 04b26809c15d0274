package dev.gatun.djl;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import ai.djl.huggingface.translator.FillMaskTranslatorFactory;
import ai.djl.huggingface.translator.QuestionAnsweringTranslatorFactory;
import ai.djl.huggingface.translator.TextClassificationTranslatorFactory;
import ai.djl.huggingface.translator.TextEmbeddingTranslatorFactory;
import ai.djl.huggingface.translator.TokenClassificationTranslatorFactory;
import ai.djl.huggingface.translator.ZeroShotClassificationTranslatorFactory;
import ai.djl.inference.Predictor;
import ai.djl.modality.Input;
import ai.djl.modality.Output;
import ai.djl.repository.zoo.Criteria;
import ai.djl.repository.zoo.ZooModel;
import ai.djl.translate.TranslateException;
import ai.djl.translate.TranslatorFactory;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import dev.gatun.models.AutoModel;
import dev.gatun.models.EncoderModel;
import dev.gatun.models.Head;
import dev.gatun.tensor.Tensor;
import dev.gatun.text.EncodeOptions;
import dev.gatun.text.Tokenizer;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/**
 * DJL's translators as a server calls them, from {@code Input} to {@code Output}: plain text, JSON,
 * batches of a client and of the server, held to what the model itself gives of each text alone.
 */
final class ServingTest {
  private static final ObjectMapper JSON = new ObjectMapper();
  private static final List<String> TEXTS = List.of("Hello World!", "a b c d e f g h", "x");

  @TempDir private Path folder;

  /** A test's work with the predictor of a server. */
  private interface Serving {
    void run(Predictor<Input, Output> predictor, Direct direct) throws Exception;
  }

  /** The model itself, whose scores DJL has no part in. */
  private record Direct(Tokenizer tokenizer, EncoderModel model) {
    float[] scores(String first, String second) {
      var encoded =
          second == null
              ? tokenizer.encode(first, EncodeOptions.DEFAULT)
              : tokenizer.encode(first, second, EncodeOptions.DEFAULT);
      try (Tensor scores =
          model.scores(new long[][] {encoded.ids()}, new long[][] {encoded.typeIds()})) {
        return scores.toFloatArray();
      }
    }

    /** The first token's state, scaled to length 1. */
    double[] vector(String text) {
      var encoded = tokenizer.encode(text, EncodeOptions.DEFAULT);
      try (var states =
          model.encode(new long[][] {encoded.ids()}, new long[][] {encoded.typeIds()})) {
        float[] all = states.hidden().toFloatArray();
        double[] first = new double[all.length / encoded.length()];
        double square = 0;
        for (int i = 0; i < first.length; i++) {
          first[i] = all[i];
          square += first[i] * first[i];
        }
        for (int i = 0; i < first.length; i++) {
          first[i] /= Math.sqrt(square);
        }
        return first;
      }
    }
  }

  private static void serve(
      Path path, Head head, TranslatorFactory factory, Map<String, Object> arguments, Serving work)
      throws Exception {
    Models.givingBack(
        () -> {
          try (ZooModel<Input, Output> model =
                  Criteria.builder()
                      .setTypes(Input.class, Output.class)
                      .optModelPath(path)
                      .optEngine("Gatun")
                      .optTranslatorFactory(factory)
                      .optArguments(new HashMap<>(arguments))
                      .optArgument("includeTokenTypes", true)
                      .build()
                      .loadModel();
              Predictor<Input, Output> predictor = model.newPredictor();
              Tokenizer tokenizer = Tokenizer.load(path);
              EncoderModel direct =
                  AutoModel.load(
                      path,
                      head,
                      dev.gatun.tensor.Device.cpu(),
                      dev.gatun.kernels.api.memory.Storage.F32,
                      dev.gatun.nn.Compute.EXACT)) {
            work.run(predictor, new Direct(tokenizer, direct));
          }
        });
  }

  private static Input plain(String text) {
    Input input = new Input();
    input.add(text);
    return input;
  }

  private static Input json(Object value) throws Exception {
    return sent(JSON.writeValueAsString(value));
  }

  private static Input sent(String json) {
    Input input = new Input();
    input.addProperty("Content-Type", "application/json; charset=utf-8");
    input.add("data", json);
    return input;
  }

  private static Input parts(String... namesAndValues) {
    Input input = new Input();
    for (int i = 0; i < namesAndValues.length; i += 2) {
      input.add(namesAndValues[i], namesAndValues[i + 1]);
    }
    return input;
  }

  /** What a server would send. */
  private static JsonNode body(Output output) throws Exception {
    assertEquals("application/json", output.getProperty("Content-Type", null));
    return JSON.readTree(output.getData().getAsString());
  }

  private static void same(double[] expected, JsonNode values) {
    assertEquals(expected.length, values.size());
    for (int i = 0; i < expected.length; i++) {
      assertEquals(expected[i], values.get(i).asDouble(), 1e-5, "number " + i);
    }
  }

  private static double[] wide(float[] values) {
    double[] wide = new double[values.length];
    for (int i = 0; i < wide.length; i++) {
      wide[i] = values[i];
    }
    return wide;
  }

  private static double[] softmax(float[] scores, int from, int to) {
    double sum = 0;
    double[] values = new double[to - from];
    for (int i = from; i < to; i++) {
      values[i - from] = Math.exp(scores[i]);
      sum += values[i - from];
    }
    for (int i = 0; i < values.length; i++) {
      values[i] /= sum;
    }
    return values;
  }

  private static void isRefused(Predictor<Input, Output> predictor, Input input) {
    assertThrows(TranslateException.class, () -> predictor.predict(input));
  }

  @Test
  void texts_become_vectors() throws Exception {
    serve(
        Models.with(folder, "sentence-models/base"),
        Head.BASE,
        new TextEmbeddingTranslatorFactory(),
        Map.of("pooling", "cls"),
        (predictor, direct) -> {
          double[] first = direct.vector(TEXTS.getFirst());
          same(first, body(predictor.predict(plain(TEXTS.getFirst()))));
          same(first, body(predictor.predict(json(TEXTS.getFirst()))));
          same(first, body(predictor.predict(json(Map.of("inputs", TEXTS.getFirst())))));
          JsonNode client = body(predictor.predict(json(TEXTS)));
          JsonNode named = body(predictor.predict(json(Map.of("inputs", TEXTS))));
          List<Output> server =
              predictor.batchPredict(
                  List.of(plain(TEXTS.get(2)), json(TEXTS), plain(TEXTS.get(1))));
          assertEquals(TEXTS.size(), client.size());
          for (int i = 0; i < TEXTS.size(); i++) {
            double[] expected = direct.vector(TEXTS.get(i));
            same(expected, client.get(i));
            same(expected, named.get(i));
            same(expected, body(server.get(1)).get(i));
          }
          same(direct.vector(TEXTS.get(2)), body(server.get(0)));
          same(direct.vector(TEXTS.get(1)), body(server.get(2)));
          isRefused(predictor, new Input());
          isRefused(predictor, sent("{\"texts\": []}"));
          isRefused(predictor, sent("{\"inputs\": "));
        });
  }

  @Test
  void pairs_have_scores() throws Exception {
    serve(
        Models.with(folder, "bert-regression"),
        Head.SEQUENCE_CLASSIFICATION,
        new TextEmbeddingTranslatorFactory(),
        Map.of("reranking", true, "sigmoid", false),
        (predictor, direct) -> {
          double[] expected = wide(direct.scores("a b c", "Hello"));
          double[] other = wide(direct.scores("a b c", "y z World"));
          same(expected, body(predictor.predict(parts("key", "a b c", "value", "Hello"))));
          same(expected, body(predictor.predict(parts("text", "a b c", "text_pair", "Hello"))));
          Map<String, String> pair = Map.of("text", "a b c", "text_pair", "Hello");
          Map<String, Object> query =
              Map.of("query", "a b c", "texts", List.of("y z World", "Hello"));
          same(expected, body(predictor.predict(json(pair))));
          same(expected, body(predictor.predict(json(List.of(pair)))).get(0));
          JsonNode ranked = body(predictor.predict(json(query)));
          same(other, ranked.get(0));
          same(expected, ranked.get(1));
          List<Output> server = predictor.batchPredict(List.of(json(query), json(pair)));
          same(other, body(server.get(0)).get(0));
          same(expected, body(server.get(0)).get(1));
          same(expected, body(server.get(1)));
          isRefused(predictor, new Input());
          isRefused(predictor, parts("text", "a b c"));
          isRefused(predictor, json(Map.of("text", "a b c")));
        });
  }

  @Test
  void texts_have_classes() throws Exception {
    serve(
        Models.with(folder, "bert-classify"),
        Head.SEQUENCE_CLASSIFICATION,
        new TextClassificationTranslatorFactory(),
        Map.of("topK", 3),
        (predictor, direct) -> {
          JsonNode batch = body(predictor.predict(json(TEXTS)));
          for (int i = 0; i < TEXTS.size(); i++) {
            float[] scores = direct.scores(TEXTS.get(i), null);
            double[] expected = softmax(scores, 0, scores.length);
            JsonNode alone = body(predictor.predict(plain(TEXTS.get(i))));
            for (JsonNode classes : List.of(alone, batch.get(i))) {
              assertEquals(3, classes.size());
              for (JsonNode item : classes) {
                int label = Integer.parseInt(item.get("className").asText().substring(6));
                assertEquals(expected[label], item.get("probability").asDouble(), 1e-5);
              }
            }
          }
          isRefused(predictor, new Input());
        });
  }

  @Test
  void tokens_have_classes() throws Exception {
    serve(
        Models.with(folder, "bert-tokens"),
        Head.TOKEN_CLASSIFICATION,
        new TokenClassificationTranslatorFactory(),
        Map.of(),
        (predictor, direct) -> {
          JsonNode batch = body(predictor.predict(json(Map.of("inputs", TEXTS))));
          for (int i = 0; i < TEXTS.size(); i++) {
            String text = TEXTS.get(i);
            float[] scores = direct.scores(text, null);
            JsonNode alone = body(predictor.predict(plain(text)));
            for (JsonNode entities : List.of(alone, batch.get(i))) {
              assertTrue(!entities.isEmpty());
              for (JsonNode entity : entities) {
                int at = 5 * entity.get("index").asInt();
                int label = Integer.parseInt(entity.get("entity").asText().substring(6));
                assertEquals(
                    softmax(scores, at, at + 5)[label], entity.get("score").asDouble(), 1e-5);
                String word = entity.get("word").asText().replace("##", "");
                int start = entity.get("start").asInt();
                assertEquals(word, text.substring(start, entity.get("end").asInt()));
              }
            }
          }
          isRefused(predictor, new Input());
        });
  }

  @Test
  void tokens_of_one_class_are_one_entity() throws Exception {
    // A kind behind B- and I-, for all that the model can say.
    Path path = Models.with(folder, "bert-tokens");
    String config = Files.readString(path.resolve("config.json"));
    for (int i = 0; i < 5; i++) {
      config = config.replaceAll("\"" + i + "\": \"LABEL_" + i + "\"", "\"" + i + "\": \"I-PER\"");
    }
    Files.writeString(path.resolve("config.json"), config);
    serve(
        path,
        Head.TOKEN_CLASSIFICATION,
        new TokenClassificationTranslatorFactory(),
        Map.of("aggregation_strategy", "simple"),
        (predictor, direct) -> {
          JsonNode entities = body(predictor.predict(plain("Hello World!")));
          assertEquals(1, entities.size());
          assertEquals("PER", entities.get(0).get("entity").asText());
          assertEquals(0, entities.get(0).get("start").asInt());
          assertEquals(12, entities.get(0).get("end").asInt());
          float[] scores = direct.scores("Hello World!", null);
          int tokens = scores.length / 5 - 2;
          double mean = 0;
          for (int i = 1; i <= tokens; i++) {
            double most = 0;
            for (double p : softmax(scores, 5 * i, 5 * i + 5)) {
              most = Math.max(most, p);
            }
            mean += most / tokens;
          }
          assertEquals(mean, entities.get(0).get("score").asDouble(), 1e-5);
        });
  }

  @Test
  void masks_are_filled() throws Exception {
    List<String> texts = List.of("a b [MASK] d", "[MASK] World!", "Hello [MASK]");
    serve(
        Models.with(folder, "bert-mlm"),
        Head.MASKED_LM,
        new FillMaskTranslatorFactory(),
        Map.of("topK", 2),
        (predictor, direct) -> {
          JsonNode batch = body(predictor.predict(json(texts)));
          for (int i = 0; i < texts.size(); i++) {
            long[] ids = direct.tokenizer().encode(texts.get(i), EncodeOptions.DEFAULT).ids();
            int mask = 0;
            while (ids[mask] != 4) {
              mask++;
            }
            float[] scores = direct.scores(texts.get(i), null);
            int words = scores.length / ids.length;
            double[] expected = softmax(scores, mask * words, (mask + 1) * words);
            java.util.Arrays.sort(expected);
            JsonNode alone = body(predictor.predict(plain(texts.get(i))));
            for (JsonNode filled : List.of(alone, batch.get(i))) {
              assertEquals(expected[words - 1], filled.get(0).get("probability").asDouble(), 1e-5);
              assertEquals(expected[words - 2], filled.get(1).get("probability").asDouble(), 1e-5);
            }
          }
          isRefused(predictor, plain("a b c d"));
          isRefused(predictor, plain("a [MASK] [MASK] d"));
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
    String[] candidates = {"a", "Hello World", "x y"};
    serve(
        path,
        Head.SEQUENCE_CLASSIFICATION,
        new ZeroShotClassificationTranslatorFactory(),
        Map.of(),
        (predictor, direct) -> {
          double[][] scores = new double[candidates.length][];
          double sum = 0;
          for (int i = 0; i < candidates.length; i++) {
            scores[i] = wide(direct.scores("a b c", "h " + candidates[i] + "!"));
            sum += Math.exp(scores[i][2]);
          }
          for (boolean many : new boolean[] {false, true}) {
            Map<String, Object> request =
                Map.of(
                    "text",
                    "a b c",
                    "candidate_labels",
                    candidates,
                    "multi_label",
                    many,
                    "hypothesis_template",
                    "h {}!");
            JsonNode output = body(predictor.predict(json(request)));
            double last = 1;
            for (int i = 0; i < candidates.length; i++) {
              int at = List.of(candidates).indexOf(output.get("labels").get(i).asText());
              double no = scores[at][0];
              double yes = scores[at][2];
              double expected = many ? 1 / (1 + Math.exp(no - yes)) : Math.exp(yes) / sum;
              double given = output.get("scores").get(i).asDouble();
              assertEquals(expected, given, 1e-5, candidates[at]);
              assertTrue(given <= last, "the best comes first");
              last = given;
            }
          }
          isRefused(predictor, json(Map.of("text", "a b c")));
        });
  }

  /** The best start and end among the context's tokens, and their probabilities' product. */
  private record Answer(int start, int end, double score, boolean questionIsBetter) {
    static Answer of(Direct direct, String question, String context) {
      var encoded = direct.tokenizer().encode(question, context);
      float[] scores = direct.scores(question, context);
      int[] best = {-1, -1};
      double[] sums = new double[2];
      boolean better = false;
      for (int side = 0; side < 2; side++) {
        int all = 0;
        for (int i = 0; i < encoded.length(); i++) {
          float score = scores[2 * i + side];
          all = score > scores[2 * all + side] ? i : all;
          if (encoded.sequenceIds()[i] == 1) {
            sums[side] += Math.exp(score);
            if (best[side] < 0 || score > scores[2 * best[side] + side]) {
              best[side] = i;
            }
          }
        }
        better |= encoded.sequenceIds()[all] == 0;
      }
      double score =
          Math.exp(scores[2 * best[0]]) / sums[0] * Math.exp(scores[2 * best[1] + 1]) / sums[1];
      return new Answer(Math.min(best[0], best[1]), Math.max(best[0], best[1]), score, better);
    }

    String text(Direct direct, String question, String context) {
      String[] tokens = direct.tokenizer().encode(question, context).tokens();
      return String.join(" ", java.util.Arrays.copyOfRange(tokens, start, end + 1));
    }
  }

  @Test
  void questions_are_answered() throws Exception {
    String context = "d e f g. x!";
    List<String> questions = List.of("a b c", "h i j k", "l m n o p q", "r", "z z");
    serve(
        Models.with(folder, "bert-qa"),
        Head.QUESTION_ANSWERING,
        new QuestionAnsweringTranslatorFactory(),
        Map.of(),
        (predictor, direct) -> {
          boolean tempting = false;
          for (String question : questions) {
            Answer answer = Answer.of(direct, question, context);
            tempting |= answer.questionIsBetter();
            String expected = answer.text(direct, question, context);
            for (Input input :
                List.of(
                    parts("question", question, "context", context),
                    parts("question", question, "paragraph", context),
                    json(Map.of("question", question, "context", context)),
                    json(Map.of("question", question, "paragraph", context)))) {
              assertEquals(expected, body(predictor.predict(input)).get("answer").asText());
            }
          }
          assertTrue(tempting, "no question has a token of better scores than the context");
          JsonNode batch =
              body(
                  predictor.predict(
                      json(
                          questions.stream()
                              .map(question -> Map.of("question", question, "context", context))
                              .toList())));
          for (int i = 0; i < questions.size(); i++) {
            assertEquals(
                Answer.of(direct, questions.get(i), context)
                    .text(direct, questions.get(i), context),
                batch.get(i).get("answer").asText());
          }
          isRefused(predictor, new Input());
          isRefused(predictor, parts("question", "a"));
          isRefused(predictor, json(Map.of("question", "a")));
          isRefused(predictor, sent("no json"));
        });
  }

  @Test
  void answers_have_details() throws Exception {
    serve(
        Models.with(folder, "bert-qa"),
        Head.QUESTION_ANSWERING,
        new QuestionAnsweringTranslatorFactory(),
        Map.of("detail", true),
        (predictor, direct) -> {
          for (String context : List.of("d e f g. x!", "d")) {
            Answer expected = Answer.of(direct, "a b c", context);
            JsonNode answer =
                JSON.readTree(
                    body(predictor.predict(parts("question", "a b c", "context", context)))
                        .get("answer")
                        .asText());
            assertEquals(expected.start(), answer.get("start").asInt());
            assertEquals(expected.end(), answer.get("end").asInt());
            assertEquals(expected.text(direct, "a b c", context), answer.get("answer").asText());
            assertEquals(expected.score(), answer.get("score").asDouble(), 1e-5);
          }
        });
  }
}
