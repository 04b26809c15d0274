package dev.gatun.pipelines;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.gatun.models.EncoderModel;
import dev.gatun.models.Head;
import dev.gatun.tensor.Tensor;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Random;
import java.util.Set;
import java.util.stream.IntStream;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.EnumSource;
import org.junit.jupiter.params.provider.ValueSource;

/** Each pipeline on a model's goldens: its scores are those of the reference's logits. */
final class GoldenPipelinesTest {
  private static final double TOLERANCE = 1e-4;

  @ParameterizedTest
  @CsvSource({
    "bert-classify, softmax",
    "bert-multi-label, sigmoid",
    "bert-regression, none",
    "roberta-classify, softmax",
    "distilbert-classify, softmax",
    "electra-classify, softmax",
    "deberta-classify, softmax",
    "deberta-v2-classify, softmax",
    "bart-classify, softmax",
    "mbart-classify, softmax"
  })
  void classifies_texts(String name, String function) throws Exception {
    try (Golden golden = new Golden(name);
        var pipeline =
            new TextClassificationPipeline(golden.parts(Head.SEQUENCE_CLASSIFICATION, -1))) {
      for (int row = 0; row < golden.rows(); row++) {
        float[] logits = golden.row("out.logits", row);
        double[] scores = scores(logits, function);
        List<Classification> got = pipeline.classify(GoldenTokenizer.text(row), logits.length);
        assertEquals(logits.length, got.size());
        for (int i = 0; i < got.size(); i++) {
          int label = golden.label(got.get(i).label());
          assertEquals(scores[label], got.get(i).score(), TOLERANCE, name + " label " + label);
          assertEquals(i == 0 || got.get(i - 1).score() >= got.get(i).score(), true);
        }
      }
    }
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "bert-tokens",
        "roberta-tokens",
        "distilbert-tokens",
        "electra-tokens",
        "deberta-tokens",
        "deberta-v2-tokens"
      })
  void classifies_tokens(String name) throws Exception {
    try (Golden golden = new Golden(name);
        var pipeline =
            new TokenClassificationPipeline(golden.parts(Head.TOKEN_CLASSIFICATION, -1))) {
      for (int row = 0; row < golden.rows(); row++) {
        List<Entity> got =
            pipeline.entities(GoldenTokenizer.text(row), AggregationStrategy.NONE, Set.of());
        assertEquals(golden.ids()[row].length, got.size());
        for (int token = 0; token < got.size(); token++) {
          double[] scores = softmax(golden.token("out.logits", row, token));
          Entity entity = got.get(token);
          assertEquals(scores[golden.label(entity.label())], entity.score(), TOLERANCE);
          assertEquals(Arrays.stream(scores).max().orElseThrow(), entity.score(), TOLERANCE);
          assertEquals(token, entity.start());
          assertEquals(token + 1, entity.end());
        }
      }
    }
  }

  @ParameterizedTest
  @ValueSource(strings = {"bert-mlm", "roberta-mlm", "distilbert-mlm", "deberta-v2-mlm"})
  void fills_masks(String name) throws Exception {
    try (Golden golden = new Golden(name)) {
      int place = 2;
      int mask = (int) golden.ids()[0][place];
      int[] places =
          IntStream.range(0, golden.ids()[0].length)
              .filter(i -> golden.ids()[0][i] == mask)
              .toArray();
      try (var pipeline = new FillMaskPipeline(golden.parts(Head.MASKED_LM, mask))) {
        List<List<Filling>> all = pipeline.fill(GoldenTokenizer.text(0), 5);
        assertEquals(places.length, all.size());
        for (int i = 0; i < places.length; i++) {
          double[] scores = softmax(golden.token("out.logits", 0, places[i]));
          double[] best = Arrays.stream(scores).sorted().toArray();
          for (int k = 0; k < 5; k++) {
            Filling filling = all.get(i).get(k);
            assertEquals(best[best.length - 1 - k], filling.score(), TOLERANCE);
            assertEquals(scores[filling.id()], filling.score(), TOLERANCE);
          }
        }
      }
    }
  }

  @ParameterizedTest
  @ValueSource(
      strings = {"bert-qa", "electra-qa", "deberta-qa", "deberta-v2-qa", "bart-qa", "mbart-qa"})
  void answers_questions(String name) throws Exception {
    try (Golden golden = new Golden(name);
        var pipeline = new QuestionAnsweringPipeline(golden.parts(Head.QUESTION_ANSWERING, -1))) {
      GoldenTokenizer tokenizer = golden.tokenizer(-1);
      for (int row = 0; row < golden.rows(); row++) {
        String text = GoldenTokenizer.text(row);
        int[] sequences = tokenizer.encode(text).sequenceIds();
        if (Arrays.stream(sequences).noneMatch(s -> s == 1)) {
          continue; // a row without a context has no answer
        }
        double[] starts = among(golden.row("out.start_logits", row), sequences);
        double[] ends = among(golden.row("out.end_logits", row), sequences);
        double best = 0;
        for (int s = 0; s < starts.length; s++) {
          for (int e = s; e < Math.min(ends.length, s + 15); e++) {
            best = Math.max(best, starts[s] * ends[e]);
          }
        }
        Answer answer = pipeline.answer(text, "x".repeat(sequences.length));
        assertEquals(best, answer.score(), TOLERANCE, name + " row " + row);
        assertEquals(
            best, starts[answer.start()] * ends[answer.end() - 1], TOLERANCE, name + " span");
      }
    }
  }

  @ParameterizedTest
  @EnumSource(Pooling.class)
  void embeds(Pooling pooling) throws Exception {
    try (Golden golden = new Golden("bert-mlm");
        EmbeddingPipeline pipeline =
            EmbeddingPipeline.of(
                golden.tokenizer(-1),
                golden.model(Head.BASE),
                EmbeddingPipeline.Options.DEFAULT.withPooling(pooling).withNormalize(false))) {
      for (int row = 0; row < golden.rows(); row++) {
        int tokens = golden.ids()[row].length;
        float[] expected = golden.token(golden.lastHiddenState(), row, 0);
        for (int token = 1; token < tokens; token++) {
          float[] next = golden.token(golden.lastHiddenState(), row, token);
          for (int d = 0; d < next.length; d++) {
            expected[d] =
                switch (pooling) {
                  case MEAN, MEAN_SQRT_LEN_TOKENS -> expected[d] + next[d];
                  case WEIGHTEDMEAN -> expected[d] + (token + 1) * next[d];
                  case MAX -> Math.max(expected[d], next[d]);
                  case CLS -> expected[d];
                  case LASTTOKEN -> next[d];
                };
          }
        }
        double divisor =
            switch (pooling) {
              case MEAN -> tokens;
              case MEAN_SQRT_LEN_TOKENS -> Math.sqrt(tokens);
              case WEIGHTEDMEAN -> tokens * (tokens + 1) / 2.0;
              case CLS, MAX, LASTTOKEN -> 1;
            };
        for (int d = 0; d < expected.length; d++) {
          expected[d] = (float) (expected[d] / divisor);
        }
        assertArrayEquals(
            expected, pipeline.embed(GoldenTokenizer.text(row)), 4 * (float) TOLERANCE);
      }
    }
  }

  /** A batch that goes through the model in parts gives what its sequences give alone. */
  @ParameterizedTest
  @ValueSource(strings = {"bert-mlm", "deberta-v2-conv", "roberta-mlm"})
  void vectors_do_not_depend_on_the_batch(String name) throws Exception {
    Random random = new Random(7);
    List<long[]> ids = new ArrayList<>();
    for (int i = 0; i < 9000; i++) {
      ids.add(random.longs(1 + random.nextInt(13), 5, 60).toArray());
    }
    try (Golden golden = new Golden(name);
        EmbeddingPipeline pipeline =
            EmbeddingPipeline.of(
                golden.tokenizer(-1), golden.model(Head.BASE), EmbeddingPipeline.Options.DEFAULT)) {
      List<Integer> batches = new ArrayList<>();
      float[][] all = pipeline.embedTokens(ids, Prompt.NONE, batches::add);
      assertEquals(9000, batches.stream().mapToInt(Integer::intValue).sum());
      assertTrue(batches.size() > 1, "one batch has no parts");
      for (int i : new int[] {0, 1, 4000, 4001, 7000, 8999}) {
        assertArrayEquals(
            pipeline.embedTokens(List.of(ids.get(i)), Prompt.NONE, _ -> {})[0],
            all[i],
            "sequence " + i);
      }
    }
  }

  private static double[] scores(float[] logits, String function) {
    return switch (function) {
      case "softmax" -> softmax(logits);
      case "sigmoid" ->
          IntStream.range(0, logits.length)
              .mapToDouble(i -> 1 / (1 + Math.exp(-logits[i])))
              .toArray();
      default -> IntStream.range(0, logits.length).mapToDouble(i -> logits[i]).toArray();
    };
  }

  private static double[] softmax(float[] logits) {
    double[] scores =
        IntStream.range(0, logits.length).mapToDouble(i -> Math.exp(logits[i])).toArray();
    double total = Arrays.stream(scores).sum();
    return Arrays.stream(scores).map(x -> x / total).toArray();
  }

  /** Each has its own length, and its second text begins at a place of its own. */
  @ParameterizedTest
  @ValueSource(strings = {"bert-qa", "electra-qa", "deberta-v2-qa"})
  void token_types_are_those_of_the_sequence(String name) throws Exception {
    try (Golden golden = new Golden(name);
        EncoderModel model = golden.model(Head.QUESTION_ANSWERING)) {
      long[][] ids = new long[golden.rows()][];
      long[][] types = new long[golden.rows()][];
      List<float[]> alone = new ArrayList<>();
      for (int row = 0; row < ids.length; row++) {
        ids[row] = golden.tokenizer(-1).encode(GoldenTokenizer.text(row)).ids();
        types[row] = new long[ids[row].length];
        Arrays.fill(types[row], Math.min(row + 1, types[row].length), types[row].length, 1);
        alone.add(scores(model, new long[][] {ids[row]}, new long[][] {types[row]}));
      }
      float[] together = scores(model, ids, types);
      int at = 0;
      for (float[] expected : alone) {
        assertArrayEquals(expected, Arrays.copyOfRange(together, at, at += expected.length), name);
      }
      assertEquals(together.length, at);
    }
  }

  private static float[] scores(EncoderModel model, long[][] ids, long[][] types) {
    try (Tensor scores = model.scores(ids, types)) {
      return scores.toFloatArray();
    }
  }

  /** The softmax over the first token and those of the context, 0 for all but these. */
  private static double[] among(float[] logits, int[] sequences) {
    double[] scores = new double[sequences.length];
    double total = Math.exp(logits[0]);
    for (int i = 1; i < sequences.length; i++) {
      scores[i] = sequences[i] == 1 ? Math.exp(logits[i]) : 0;
      total += scores[i];
    }
    double sum = total;
    return Arrays.stream(scores).map(x -> x / sum).toArray();
  }
}
