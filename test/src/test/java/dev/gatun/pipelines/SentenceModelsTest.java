package dev.gatun.pipelines;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import dev.gatun.tensor.Device;
import dev.gatun.test.emulator.Emulator;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.util.ArrayList;
import java.util.List;
import java.util.function.Consumer;
import java.util.logging.Handler;
import java.util.logging.LogRecord;
import java.util.logging.Logger;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.MethodSource;
import org.junit.jupiter.params.provider.ValueSource;

/** Models of sentence-transformers, held to its own vectors. */
final class SentenceModelsTest {
  private static final Path GOLDENS = Path.of("goldens/sentence-models");
  private static final double TOLERANCE = 2e-6;
  private static final List<String> TEXTS = List.of("Hello World!", "x");

  @TempDir private Path folder;

  private long before;

  @BeforeEach
  void count() {
    before = Device.cpu().memory().allocatedBytes();
  }

  @AfterEach
  void nothing_is_held() {
    assertEquals(before, Device.cpu().memory().allocatedBytes());
  }

  static List<String> cases() throws IOException {
    try (Stream<Path> all = Files.list(GOLDENS)) {
      return all.map(p -> p.getFileName().toString())
          .filter(n -> !n.equals("base"))
          .sorted()
          .toList();
    }
  }

  @ParameterizedTest
  @MethodSource("cases")
  void gives_the_vectors_of_the_reference(String name) throws IOException {
    JsonNode expected = lay(name);
    List<String> said = warnings(() -> compare(expected, Device.cpu()));
    assertEquals(List.of(), said);
  }

  /** An encoder, and a decoder whose tokens see both ways, some of them by a window. */
  @ParameterizedTest
  @ValueSource(strings = {"dense", "sentence-gemma3"})
  void gives_them_on_a_cuda_device(String name) throws IOException {
    Emulator.open();
    Device cuda = Device.cuda(0);
    long held = cuda.memory().allocatedBytes();
    compare(lay(name), cuda);
    assertEquals(held, cuda.memory().allocatedBytes());
  }

  private void compare(JsonNode expected, Device device) throws IOException {
    List<String> texts = new ArrayList<>();
    expected.path("texts").forEach(text -> texts.add(text.textValue()));
    for (JsonNode call : expected.path("calls")) {
      var options = EmbeddingPipeline.Options.DEFAULT.withDevice(device);
      if (call.has("truncate_dim")) {
        options = options.withTruncateDim(call.path("truncate_dim").intValue());
      }
      if (call.has("normalize_embeddings")) {
        options = options.withNormalize(true);
      }
      try (EmbeddingPipeline pipeline = EmbeddingPipeline.load(folder, options)) {
        float[][] got = pipeline.embed(texts, prompt(pipeline, call));
        for (int i = 0; i < got.length; i++) {
          JsonNode vector = call.path("vectors").path(i);
          assertEquals(vector.size(), got[i].length);
          assertEquals(vector.size(), pipeline.dimension());
          for (int j = 0; j < got[i].length; j++) {
            assertEquals(
                vector.path(j).doubleValue(), got[i][j], TOLERANCE, call + " " + i + ", " + j);
          }
        }
        assertArrayEquals(got[1], pipeline.embed(texts.get(1), prompt(pipeline, call)));
      }
    }
  }

  private static Prompt prompt(EmbeddingPipeline pipeline, JsonNode call) {
    if (call.has("prompt")) {
      return new Prompt(call.path("prompt").textValue());
    }
    if (call.has("prompt_name")) {
      return pipeline.prompt(call.path("prompt_name").textValue());
    }
    return switch (call.path("method").asText()) {
      case "encode_query" -> pipeline.queryPrompt();
      case "encode_document" -> pipeline.documentPrompt();
      default -> pipeline.defaultPrompt();
    };
  }

  @Test
  void tells_the_prompts_and_the_similarity() throws IOException {
    lay("prompts");
    try (EmbeddingPipeline pipeline = EmbeddingPipeline.load(folder)) {
      assertEquals("[query, document, other]", pipeline.prompts().keySet().toString());
      assertEquals(Similarity.DOT, pipeline.similarity());
      String said =
          assertThrows(IllegalArgumentException.class, () -> pipeline.prompt("passage"))
              .getMessage();
      assertEquals(
          "the model has no prompt 'passage', its prompts are [query, document, other]", said);
    }
  }

  @Test
  void a_document_gets_the_first_prompt_of_three_names() throws IOException {
    lay("prompts");
    for (String names : List.of("corpus", "corpus passage", "corpus passage document")) {
      StringBuilder all = new StringBuilder("\"o\": \"other\"");
      for (String name : names.split(" ")) {
        all.append(", \"%s\": \"%s: \"".formatted(name, name));
      }
      write(
          "config_sentence_transformers.json",
          "{\"prompts\": {%s}, \"default_prompt_name\": \"o\"}".formatted(all));
      try (EmbeddingPipeline pipeline = EmbeddingPipeline.load(folder)) {
        String last = names.substring(names.lastIndexOf(' ') + 1);
        assertEquals(last + ": ", pipeline.documentPrompt().text());
        assertEquals("other", pipeline.queryPrompt().text());
      }
    }
  }

  @ParameterizedTest
  @CsvSource({"COSINE, -0.3333333333", "DOT, -5", "EUCLIDEAN, -6.6332495807", "MANHATTAN, -10"})
  void similarities_are_those_of_their_formulas(Similarity similarity, double expected) {
    assertEquals(expected, similarity.of(new float[] {3, 0, -4}, new float[] {1, 2, 2}), 1e-9);
    assertThrows(IllegalArgumentException.class, () -> similarity.of(new float[2], new float[3]));
  }

  @Test
  void a_prompt_of_all_tokens_that_are_kept_is_refused_where_it_is_not_pooled() throws IOException {
    lay("prompts-not-pooled");
    Prompt prompt = new Prompt("a ".repeat(50));
    try (EmbeddingPipeline pipeline = EmbeddingPipeline.load(folder)) {
      String said =
          assertThrows(IllegalArgumentException.class, () -> pipeline.embed("x", prompt))
              .getMessage();
      assertTrue(said.startsWith("text 0: all its 40 tokens are the prompt's"), said);
    }
  }

  @Test
  void what_nobody_reads_is_named() throws IOException {
    lay("dense");
    write(
        "modules.json",
        Files.readString(folder.resolve("modules.json")).replace("\"name\"", "\"kwargs\""));
    write("1_Pooling/config.json", "{\"embedding_dimension\": 9, \"pooling\": \"mean\"}");
    write("2_Dense/config.json", read("2_Dense/config.json").replace("}", ", \"dropout\": 0.1}"));
    write("config_sentence_transformers.json", "{\"prompt\": {}}");
    write("sentence_bert_config.json", "{\"max_length\": 3, \"model_args\": {\"a\": 1}}");
    write("sentence_xlnet_config.json", "{}");
    List<String> said = warnings(() -> EmbeddingPipeline.load(folder).close());
    List<String> expected =
        List.of(
            "modules.json: [0].kwargs is not read",
            "modules.json: [1].kwargs is not read",
            "modules.json: [2].kwargs is not read",
            "modules.json: [3].kwargs is not read",
            "config_sentence_transformers.json: not known, and not read: 'prompt'",
            "sentence_xlnet_config.json: not read: sentence_bert_config.json is",
            "sentence_bert_config.json: 'model_args' is not read",
            "sentence_bert_config.json: not known, and not read: 'max_length'",
            "1_Pooling/config.json: not known, and not read: 'pooling'",
            "1_Pooling/config.json: 'embedding_dimension' is 9, but tokens have 8 features, which"
                + " counts",
            "2_Dense/config.json: not known, and not read: 'dropout'");
    assertEquals(expected.stream().map(each -> folder + "/" + each).toList(), said);
    System.setProperty("gatun.strict", "true");
    try {
      refused("modules.json: [0].kwargs is not read (an error, since gatun.strict is true)");
    } finally {
      System.clearProperty("gatun.strict");
    }
  }

  /** As sentence-transformers, which makes a model with the mean of the tokens then. */
  @Test
  void folders_of_modules_that_no_file_lists_are_passed_by_and_named() throws IOException {
    lay("dense");
    Files.delete(folder.resolve("modules.json"));
    JsonNode mean =
        new ObjectMapper().readTree(GOLDENS.resolve("pooling-mean/expected.json").toFile());
    List<String> said =
        warnings(
            () -> {
              try (EmbeddingPipeline pipeline = EmbeddingPipeline.load(folder)) {
                for (int i = 0; i < mean.path("texts").size(); i++) {
                  float[] got = pipeline.embed(mean.path("texts").path(i).textValue());
                  JsonNode vector = mean.path("calls").path(0).path("vectors").path(i);
                  double squares = 0;
                  for (JsonNode x : vector) {
                    squares += x.doubleValue() * x.doubleValue();
                  }
                  for (int j = 0; j < got.length; j++) {
                    double want = vector.path(j).doubleValue() / Math.sqrt(squares);
                    assertEquals(want, got[j], TOLERANCE, i + ", " + j);
                  }
                }
              }
            });
    String why = " is not read: there is no modules.json that lists it as a module";
    assertEquals(List.of(folder + "/1_Pooling" + why, folder + "/2_Dense" + why), said);
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = ';',
      value = {
        "models.Dense; models.CNN; modules.json: module CNN (2_Dense) is not known, expected one of"
            + " Transformer, Pooling, Dense",
        "sentence_transformers.models.Dense; my.Dense; [2].type is my.Dense, code of the model's"
            + " own",
        "models.Transformer; models.WordEmbeddings; the first module is WordEmbeddings, expected"
            + " Transformer",
        "models.Dense; models.Transformer; a second Transformer",
        "models.Pooling; models.Dropout; module Dense (2_Dense) reads sentence_embedding, which no"
            + " module before it makes",
        "\"1_Pooling\"; \"../1_Pooling\"; [1].path is \"../1_Pooling\", expected a folder of the",
        "\"1_Pooling\"; 7; expected an object with 'type' and 'path'",
      })
  void modules_that_cannot_be_are_refused(String from, String to, String message)
      throws IOException {
    lay("dense");
    write("modules.json", read("modules.json").replace(from, to));
    refused(message);
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = ';',
      value = {
        "1_Pooling/config.json; {\"pooling_mode\": \"median\"}; 'pooling_mode' is \"median\","
            + " expected some of cls, max, mean, mean_sqrt_len_tokens, weightedmean, lasttoken",
        "2_Dense/config.json; {\"in_features\": 9, \"out_features\": 6}; 'in_features' is 9,"
            + " expected 8, the features that it is given",
        "2_Dense/config.json; {\"in_features\": 8, \"out_features\": 6, \"activation_function\":"
            + " \"torch.nn.modules.activation.Softplus\"}; expected one of torch.nn.modules'",
        "2_Dense/config.json; {\"in_features\": 8, \"out_features\": 7}; tensor 'linear.weight' has"
            + " shape [6, 8], config.json says [7, 8]",
        "2_Dense/config.json; {\"in_features\": 8, \"out_features\": 6, \"use_residual\": true};"
            + " no tensor residual.weight",
        "2_Dense/config.json; {\"in_features\": 8, \"out_features\": 6, \"module_input_name\":"
            + " \"all_layer_embeddings\"}; expected token_embeddings or sentence_embedding",
        "config_sentence_transformers.json; {\"default_prompt_name\": \"q\"};"
            + " 'default_prompt_name' is \"q\", expected one of the prompts []",
        "config_sentence_transformers.json; {\"similarity_fn_name\": \"maxsim\"}; expected one of"
            + " cosine, dot, euclidean, manhattan",
        "config_sentence_transformers.json; {\"model_type\": \"CrossEncoder\"}; 'model_type' is"
            + " \"CrossEncoder\", expected SentenceTransformer",
        "config_sentence_transformers.json; {\"truncate_dim\": 0}; expected a number from 1",
        "sentence_bert_config.json; {\"transformer_task\": \"fill-mask\"}; expected"
            + " feature-extraction",
      })
  void settings_that_cannot_be_are_refused(String file, String text, String message)
      throws IOException {
    lay("dense");
    write(file, text);
    refused(message);
  }

  private void refused(String message) {
    IllegalArgumentException e =
        assertThrows(IllegalArgumentException.class, () -> EmbeddingPipeline.load(folder).close());
    assertTrue(e.getMessage().startsWith(folder.toString()), e.getMessage());
    assertTrue(e.getMessage().contains(message), e.getMessage());
  }

  private interface Work {
    void run() throws IOException;
  }

  /** What the logger says meanwhile. */
  private static List<String> warnings(Work work) throws IOException {
    List<String> said = new ArrayList<>();
    Logger logger = Logger.getLogger("dev.gatun");
    Handler handler = new Ears(record -> said.add(record.getMessage()));
    logger.addHandler(handler);
    logger.setUseParentHandlers(false);
    try {
      work.run();
    } finally {
      logger.removeHandler(handler);
      logger.setUseParentHandlers(true);
    }
    return said;
  }

  private static final class Ears extends Handler {
    private final Consumer<LogRecord> then;

    private Ears(Consumer<LogRecord> then) {
      this.then = then;
    }

    @Override
    public void publish(LogRecord record) {
      then.accept(record);
    }

    @Override
    public void flush() {}

    @Override
    public void close() {}
  }

  private String read(String name) throws IOException {
    return Files.readString(folder.resolve(name));
  }

  private void write(String name, String text) throws IOException {
    Files.writeString(folder.resolve(name), text);
  }

  /** Puts a case's files over those that all share; gives what is expected of it. */
  private JsonNode lay(String name) throws IOException {
    JsonNode expected =
        new ObjectMapper().readTree(GOLDENS.resolve(name).resolve("expected.json").toFile());
    copy(GOLDENS.resolve("base"), folder.resolve(expected.path("transformer").asText()));
    copy(GOLDENS.resolve(name), folder);
    return expected;
  }

  private static void copy(Path from, Path to) throws IOException {
    try (Stream<Path> all = Files.walk(from)) {
      for (Path each : all.filter(Files::isRegularFile).toList()) {
        Path target = to.resolve(from.relativize(each).toString());
        Files.createDirectories(target.getParent());
        Files.copy(each, target, StandardCopyOption.REPLACE_EXISTING);
      }
    }
  }
}
