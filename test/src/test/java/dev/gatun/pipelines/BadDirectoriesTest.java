package dev.gatun.pipelines;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.gatun.tensor.Device;
import dev.gatun.text.TokenizerException;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.util.List;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Whole directories, text to vector: odd texts work, damaged files are named. */
final class BadDirectoriesTest {
  private static final Path GOLDEN = Path.of("goldens/bert-mlm");

  @TempDir private Path folder;

  private long before;

  @BeforeEach
  void model() throws IOException {
    before = Device.cpu().memory().allocatedBytes();
    for (String name : List.of("config.json", "model.safetensors")) {
      Files.copy(GOLDEN.resolve(name), folder.resolve(name));
    }
    write("vocab.txt", "[PAD]\n[UNK]\n[CLS]\n[SEP]\n[MASK]\ngatun\nlake\n");
  }

  @AfterEach
  void nothing_is_held() {
    assertEquals(before, Device.cpu().memory().allocatedBytes());
  }

  private void write(String name, String text) throws IOException {
    Path file = folder.resolve(name);
    Files.createDirectories(file.getParent());
    Files.writeString(file, text);
  }

  @Test
  void an_empty_text_embeds() throws IOException {
    try (EmbeddingPipeline pipeline = EmbeddingPipeline.load(folder)) {
      List<Embedded> all = pipeline.run(List.of("", "lake", " \n"));
      for (Embedded embedded : all) {
        double squares = 0;
        for (float value : embedded.vector()) {
          squares += (double) value * value;
        }
        assertEquals(1, squares, 1e-5);
        assertEquals(0, embedded.droppedTokens());
      }
      assertArrayEquals(all.get(0).vector(), all.get(2).vector());
      assertEquals(0, pipeline.embed(List.of()).length);
    }
  }

  @Test
  void a_text_over_the_limit_is_cut_and_that_is_told() throws IOException {
    String text = "lake ".repeat(100);
    try (EmbeddingPipeline pipeline = EmbeddingPipeline.load(folder)) {
      assertEquals(64, pipeline.maxLength());
      assertEquals(38, pipeline.run(List.of(text)).getFirst().droppedTokens());
      assertArrayEquals(pipeline.embed("lake ".repeat(62)), pipeline.embed(text));
    }
    var options = EmbeddingPipeline.Options.DEFAULT.withError();
    try (EmbeddingPipeline pipeline = EmbeddingPipeline.load(folder, options)) {
      String said = assertThrows(TokenizerException.class, () -> pipeline.embed(text)).getMessage();
      assertTrue(said.contains("102 tokens") && said.contains("64"), said);
    }
  }

  @Test
  void settings_that_cannot_be_are_named() throws IOException {
    write("sentence_bert_config.json", "{\"max_seq_length\": 0}");
    refused("sentence_bert_config.json: 'max_seq_length' is 0, expected a number from 1");
    write("sentence_bert_config.json", "{\"max_seq_length\": \"x\"}");
    refused("'max_seq_length' is \"x\"");
    write("sentence_bert_config.json", "{");
    refused("sentence_bert_config.json: byte ");
    Files.delete(folder.resolve("sentence_bert_config.json"));
    Files.write(folder.resolve("modules.json"), new byte[] {'[', (byte) 0xfe});
    refused("modules.json: byte 1: 0xfe is not UTF-8");
    write("modules.json", "{}");
    refused("modules.json: expected a list of modules");
  }

  @Test
  void the_folder_of_a_module_that_is_not_there() throws IOException {
    write(
        "modules.json",
        """
        [{"idx": 0, "name": "0", "path": "", "type": "sentence_transformers.models.Transformer"},
         {"idx": 1, "name": "1", "path": "1_Pooling", "type": "sentence_transformers.models.Pooling"}]
        """);
    assertEquals(
        "%s: %s lists its folder as Pooling"
            .formatted(folder.resolve("1_Pooling/config.json"), folder.resolve("modules.json")),
        assertThrows(NoSuchFileException.class, () -> EmbeddingPipeline.load(folder)).getMessage());
  }

  @Test
  void a_bad_tokenizer_gives_the_model_back() throws IOException {
    write("vocab.txt", "[PAD]\n");
    refused("vocab.txt: the special token [UNK] is not there");
    Files.delete(folder.resolve("vocab.txt"));
    refused("no tokenizer; looked for");
  }

  @Test
  void every_pipeline_names_what_is_missing() throws IOException {
    interface Loader {
      AutoCloseable load(Path folder) throws Exception;
    }
    write("config.json", "[]");
    List<Loader> loaders =
        List.of(
            EmbeddingPipeline::load,
            TextClassificationPipeline::load,
            TokenClassificationPipeline::load,
            FillMaskPipeline::load,
            QuestionAnsweringPipeline::load);
    Stream.of("[]", "{\"model_type\": \"gpt2\"}", "{")
        .forEach(
            config -> {
              for (Loader loader : loaders) {
                try {
                  write("config.json", config);
                } catch (IOException e) {
                  throw new AssertionError(e);
                }
                String said =
                    assertThrows(IllegalArgumentException.class, () -> loader.load(folder).close())
                        .getMessage();
                assertTrue(said.startsWith(folder.resolve("config.json") + ": "), said);
              }
            });
  }

  private void refused(String message) {
    Exception e = assertThrows(Exception.class, () -> EmbeddingPipeline.load(folder).close());
    assertTrue(e instanceof IOException || e instanceof IllegalArgumentException, e.toString());
    assertTrue(e.getMessage().startsWith(folder.toString()), e.getMessage());
    assertTrue(e.getMessage().contains(message), e.getMessage());
  }
}
