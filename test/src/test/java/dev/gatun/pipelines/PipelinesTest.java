package dev.gatun.pipelines;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.gatun.models.Config;
import dev.gatun.models.EncoderModel.Encoded;
import dev.gatun.tensor.Device;
import dev.gatun.tensor.Segments;
import dev.gatun.tensor.Tensor;
import dev.gatun.text.Tokenizer;
import dev.gatun.text.TokenizerException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.stream.LongStream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.function.Executable;
import org.junit.jupiter.api.io.TempDir;

/** The pipelines with a real tokenizer and a model that tells ids and nothing more. */
class PipelinesTest {
  private static final String VOCABULARY =
      "[PAD]\n[UNK]\n[CLS]\n[SEP]\n[MASK]\ngatun\nlake\nis\nbig\n##ger\nwhat\n";

  @TempDir private Path directory;

  /** A row has a 9 in the column of the token's id. */
  private record OneHot(int columns, int maxLength, boolean scoresSequences, Config config)
      implements TextModel {
    private Tensor rows(long[][] ids, boolean secondOnly) {
      long[] tokens =
          Arrays.stream(ids)
              .flatMapToLong(text -> secondOnly ? LongStream.of(text[1]) : LongStream.of(text))
              .toArray();
      float[] out = new float[tokens.length * columns];
      for (int i = 0; i < tokens.length; i++) {
        out[i * columns + (int) (tokens[i] % columns)] = 9;
      }
      return Tensor.of(device(), out, tokens.length, columns);
    }

    @Override
    public Encoded encode(long[][] ids, long[][] typeIds) {
      int[] lengths = Arrays.stream(ids).mapToInt(text -> text.length).toArray();
      return new Encoded(rows(ids, false), Segments.of(device(), lengths));
    }

    @Override
    public Tensor scores(long[][] ids, long[][] typeIds) {
      return rows(ids, scoresSequences);
    }

    @Override
    public Tensor scoresAt(long[][] ids, long[][] typeIds, long... tokens) {
      long[] chosen = Arrays.stream(tokens).map(i -> ids[0][(int) i]).toArray();
      return rows(new long[][] {chosen}, false);
    }

    @Override
    public Device device() {
      return Device.cpu();
    }

    @Override
    public int hiddenSize() {
      return columns;
    }

    @Override
    public int batchTokens() {
      return 7;
    }

    @Override
    public void close() {}
  }

  private Tokenizer tokenizer() throws Exception {
    Files.writeString(directory.resolve("vocab.txt"), VOCABULARY);
    return Tokenizer.load(directory);
  }

  private Parts parts(int columns, boolean scoresSequences, String config) throws Exception {
    return parts(columns, 16, scoresSequences, config);
  }

  private Parts parts(int columns, int limit, boolean scoresSequences, String config)
      throws Exception {
    Files.writeString(directory.resolve("config.json"), config);
    return new Parts(
        tokenizer(), new OneHot(columns, limit, scoresSequences, Config.read(directory)));
  }

  @Test
  void embedsRaggedBatchesInTheOrderGiven() throws Exception {
    try (EmbeddingPipeline pipeline =
        EmbeddingPipeline.of(
            tokenizer(), new OneHot(11, 5, false, null), EmbeddingPipeline.Options.DEFAULT)) {
      List<String> texts = List.of("gatun lake is big", "", "lake");
      List<Embedded> embedded = pipeline.run(texts);
      assertEquals(1, embedded.get(0).droppedTokens());
      assertEquals(0, embedded.get(1).droppedTokens());
      for (int i = 0; i < texts.size(); i++) {
        assertArrayEquals(pipeline.embed(texts.get(i)), embedded.get(i).vector());
      }
      assertEquals(Math.sqrt(1 / 3.0), embedded.get(2).vector()[6], 1e-6);
      assertEquals(6, pipeline.inputIds("gatun lake is big").length);
      assertEquals(0, pipeline.embed(List.of()).length);
    }
  }

  @Test
  void whatIsNullIsNamed() throws Exception {
    try (EmbeddingPipeline pipeline =
        EmbeddingPipeline.of(
            tokenizer(), new OneHot(11, 5, false, null), EmbeddingPipeline.Options.DEFAULT)) {
      String text = null;
      List<String> none = null;
      List<String> texts = Arrays.asList("lake", null);
      for (var call :
          Map.<String, Executable>of(
                  "text", () -> pipeline.embed(text),
                  "texts", () -> pipeline.embed(none),
                  "texts[1] is null", () -> pipeline.run(texts))
              .entrySet()) {
        assertEquals(
            call.getKey(), assertThrows(NullPointerException.class, call.getValue()).getMessage());
      }
    }
  }

  @Test
  void tooLongTextsAreAnErrorByChoice() throws Exception {
    try (EmbeddingPipeline pipeline =
        EmbeddingPipeline.of(
            tokenizer(),
            new OneHot(11, 5, false, null),
            EmbeddingPipeline.Options.DEFAULT.withError())) {
      assertThrows(TokenizerException.class, () -> pipeline.embed("gatun lake is big"));
    }
  }

  @Test
  void classifiesTexts() throws Exception {
    String config = "{\"id2label\": {\"0\": \"no\", \"1\": \"or\", \"2\": \"start\"}}";
    try (var pipeline = new TextClassificationPipeline(parts(3, true, config))) {
      assertEquals("start", pipeline.classify("gatun").label());
      assertEquals(2, pipeline.classify("lake", "big", 2).size());
    }
  }

  @Test
  void findsEntities() throws Exception {
    try (var pipeline = new TokenClassificationPipeline(parts(11, false, "{\"num_labels\": 11}"))) {
      List<Entity> entities =
          pipeline.entities("Gatun bigger", AggregationStrategy.FIRST, Set.of("LABEL_5"));
      assertEquals(1, entities.size());
      assertEquals("bigger", entities.getFirst().word());
      assertEquals(6, entities.getFirst().start());
      assertEquals("LABEL_8", entities.getFirst().label());
    }
  }

  /** The tokens' labels are theirs alone here, so that windows must not show. */
  @Test
  void longTextsAreTaggedAsShortOnes() throws Exception {
    String words = "Gatun bigger lake is what ";
    List<String> texts = new ArrayList<>();
    for (int count = 0; count < 60; count++) {
      texts.add(words.repeat(1 + count / 5).substring(0, words.length() * (count / 5) + count % 5));
    }
    String config = "{\"num_labels\": 11}";
    for (int limit : new int[] {4, 5, 8, 11, 30}) {
      try (var whole = new TokenClassificationPipeline(parts(11, 1000, false, config));
          var cut = new TokenClassificationPipeline(parts(11, limit, false, config))) {
        for (AggregationStrategy strategy : AggregationStrategy.values()) {
          List<List<Entity>> expected = new ArrayList<>();
          texts.forEach(text -> expected.add(whole.entities(text, strategy, Set.of())));
          assertEquals(expected, cut.entities(texts, strategy, Set.of()), limit + " " + strategy);
        }
      }
    }
  }

  @Test
  void longTextsAreClassifiedByTheMeanOfTheirWindows() throws Exception {
    // Windows of 6 words and 4, of which 2 are shared; they begin with lake and gatun.
    String config = "{\"num_labels\": 11, \"problem_type\": \"regression\"}";
    try (var pipeline = new TextClassificationPipeline(parts(11, 8, true, config))) {
      List<List<Classification>> all =
          pipeline.classify(List.of("lake", "lake is big what gatun lake is big", "big"), 11);
      assertEquals(3, all.size());
      assertEquals(all.get(0), pipeline.classify("lake", 11));
      assertEquals(all.get(2), pipeline.classify("big", 11));
      assertEquals(new Classification("LABEL_6", 5.4f), all.get(1).get(0));
      assertEquals(new Classification("LABEL_5", 3.6f), all.get(1).get(1));
      assertEquals(new Classification("LABEL_0", 0), all.get(1).get(2));
      assertThrows(
          NullPointerException.class, () -> pipeline.classify(Arrays.asList("a", null), 1));
    }
  }

  @Test
  void fillsMasks() throws Exception {
    try (var pipeline = new FillMaskPipeline(parts(11, false, "{\"num_labels\": 11}"))) {
      List<List<Filling>> all = pipeline.fill("[MASK] is [MASK]", 2, "lake", "big");
      assertEquals(2, all.size());
      assertEquals("lake", all.getFirst().getFirst().token());
      assertThrows(IllegalArgumentException.class, () -> pipeline.fill("lake", 2));
      assertThrows(IllegalArgumentException.class, () -> pipeline.fill("[MASK]", 2, "sea"));
    }
  }

  @Test
  void answersOverWindows() throws Exception {
    try (var pipeline = new QuestionAnsweringPipeline(parts(2, false, "{}"))) {
      String context = "gatun lake is big ".repeat(9).strip();
      Answer answer = pipeline.answer("what", context);
      assertEquals(answer.text(), context.substring(answer.start(), answer.end()));
      assertTrue(answer.score() > 0);
    }
  }

  @Test
  void answersAreWholeWordsByChoice() throws Exception {
    try (var pipeline = new QuestionAnsweringPipeline(parts(2, false, "{}"))) {
      String context = "gatun bigger lake";
      Set<String> whole = Set.of("gatun", "bigger", "lake");
      boolean cut = false;
      for (boolean align : new boolean[] {true, false}) {
        var options = new QuestionAnsweringPipeline.Options(20, 1, 2, false, align);
        for (Answer answer : pipeline.answers("what", context, options)) {
          assertEquals(answer.text(), context.substring(answer.start(), answer.end()));
          assertTrue(!align || whole.contains(answer.text()), answer.toString());
          cut |= !align && answer.text().equals("ger");
        }
      }
      assertTrue(cut, "without alignment a piece of a word can be an answer");
    }
  }
}
