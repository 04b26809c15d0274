package dev.gatun.test.goldens;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.gatun.compression.GgufQuantizer;
import dev.gatun.pipelines.EmbeddingPipeline;
import dev.gatun.pipelines.Similarity;
import dev.gatun.text.EncodeOptions;
import dev.gatun.text.Tokenizer;
import dev.gatun.weights.gguf.GgufKeys;
import dev.gatun.weights.gguf.GgufModel;
import dev.gatun.weights.gguf.GgufTensor;
import dev.gatun.weights.gguf.GgufWriter;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.function.Consumer;
import java.util.function.UnaryOperator;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/**
 * Files of decoders that make vectors of texts give those of their directories, which other tests
 * hold to sentence-transformers' and to llama.cpp's.
 */
final class GgufEmbeddingsTest {
  private static final ObjectMapper JSON = new ObjectMapper();
  private static final String LONG = "The water in the lock goes up and up. ".repeat(300);
  private static final float NEAR = 1e-5f;

  @TempDir private Path root;
  private Path folder;
  private Path gguf;

  @BeforeEach
  void lay() throws IOException {
    folder = Files.createDirectory(root.resolve("model"));
    gguf = root.resolve("written.gguf");
  }

  private void write() throws IOException {
    GgufQuantizer.quantize(folder, gguf, "F32", null);
  }

  private void compare() throws IOException {
    write();
    try (EmbeddingPipeline directory = EmbeddingPipeline.load(folder);
        EmbeddingPipeline file = EmbeddingPipeline.load(gguf)) {
      assertEquals(directory.dimension(), file.dimension());
      for (String text : SentenceDecoders.TEXTS) {
        assertArrayEquals(directory.inputIds(text), file.inputIds(text));
        assertArrayEquals(directory.embed(text), file.embed(text), NEAR, text);
      }
      assertArrayEquals(directory.embed(LONG), file.embed(LONG), NEAR);
    }
  }

  /** The file again, with other keys and tensors. */
  private Path changed(Consumer<GgufKeys> keys, UnaryOperator<GgufTensor> tensors)
      throws IOException {
    write();
    Path out = root.resolve("changed.gguf");
    try (GgufModel model = GgufModel.open(gguf)) {
      GgufKeys all = model.keys();
      keys.accept(all);
      List<GgufTensor> changed = model.tensors().stream().map(tensors).toList();
      GgufWriter.write(out, all, changed, GgufTensor::type, _ -> null, (_, _) -> {});
    }
    return out;
  }

  private static String refusal(Path path) {
    return assertThrows(IllegalArgumentException.class, () -> EmbeddingPipeline.load(path).close())
        .getMessage();
  }

  private void refusedToWrite(String told) {
    String message = assertThrows(IllegalArgumentException.class, this::write).getMessage();
    assertTrue(message.contains(told), message);
    assertTrue(Files.notExists(gguf));
  }

  private void edit(String file, Consumer<ObjectNode> change) throws IOException {
    ObjectNode json = (ObjectNode) JSON.readTree(folder.resolve(file).toFile());
    change.accept(json);
    JSON.writeValue(folder.resolve(file).toFile(), json);
  }

  @Test
  void qwen3_gives_the_state_of_the_token_that_texts_get() throws IOException {
    SentenceDecoders.qwen3(folder);
    compare();
  }

  @Test
  void a_text_that_is_cut_keeps_that_token() throws IOException {
    SentenceDecoders.qwen3(folder);
    write();
    EncodeOptions ten =
        EncodeOptions.DEFAULT.withMaxLength(10).withOverflow(EncodeOptions.Overflow.TRUNCATE);
    try (Tokenizer tokenizer = Tokenizer.load(gguf)) {
      for (long[] ids :
          List.of(tokenizer.encode(LONG, ten).ids(), tokenizer.encodeStart(LONG, ten).ids())) {
        assertEquals(10, ids.length);
        assertEquals(0, ids[9]);
        assertFalse(ids[8] == 0);
      }
    }
  }

  @ParameterizedTest
  @ValueSource(booleans = {false, true})
  void embedding_gemma_gives_its_directorys_vectors(boolean dense) throws IOException {
    SentenceDecoders.gemma3(folder, dense);
    compare();
  }

  @Test
  void its_layers_may_be_blocks() throws IOException {
    SentenceDecoders.gemma3(folder, true);
    write();
    Path blocks = root.resolve("blocks.gguf");
    GgufQuantizer.quantize(gguf, blocks, "Q8_0", null);
    String text = SentenceDecoders.TEXTS.get(1);
    try (EmbeddingPipeline floats = EmbeddingPipeline.load(gguf);
        EmbeddingPipeline eight = EmbeddingPipeline.load(blocks)) {
      assertTrue(Similarity.COSINE.of(floats.embed(text), eight.embed(text)) > 0.99);
    }
  }

  @Test
  void the_layers_behind_count() throws IOException {
    SentenceDecoders.gemma3(folder, true);
    Path other =
        changed(
            _ -> {},
            t ->
                t.name().equals("dense_3.weight")
                    ? new GgufTensor("no.weight", t.shape(), t.type(), t.rows())
                    : t);
    try (EmbeddingPipeline one = EmbeddingPipeline.load(other)) {
      assertEquals(96, one.dimension());
    }
  }

  @Test
  void layers_behind_that_do_not_fit_are_refused() throws IOException {
    SentenceDecoders.gemma3(folder, true);
    String told = refusal(changed(k -> k.uint32("gemma-embedding.dense_2_feat_out", 9), t -> t));
    assertTrue(told.contains("'gemma-embedding.dense_2_feat_out' is 9, expected 96"), told);
    told =
        refusal(
            changed(
                _ -> {},
                t ->
                    t.name().equals("dense_2.weight")
                        ? new GgufTensor("no.weight", t.shape(), t.type(), t.rows())
                        : t));
    assertTrue(
        told.contains("'dense_3.weight' has shape [32, 96], expected [out_features, 32]"), told);
  }

  @Test
  void a_file_that_does_not_say_how_a_vector_is_made_is_refused() throws IOException {
    SentenceDecoders.gemma3(folder, false);
    String told = refusal(changed(k -> k.uint32("gemma-embedding.pooling_type", 0), t -> t));
    assertTrue(told.contains("is 0, expected 1 (mean), 2 (first token) or 3 (last token)"), told);
  }

  @Test
  void it_is_known_which_files_say_how_a_vector_is_made() throws IOException {
    SentenceDecoders.gemma3(folder, false);
    assertTrue(EmbeddingPipeline.hasModules(folder));
    assertTrue(EmbeddingPipeline.hasModules(changed(_ -> {}, t -> t)));
    Path none = changed(k -> k.uint32("gemma-embedding.pooling_type", 0), t -> t);
    assertFalse(EmbeddingPipeline.hasModules(none));
    assertFalse(EmbeddingPipeline.hasModules(Path.of("goldens/gguf/qwen3.gguf")));
    assertFalse(EmbeddingPipeline.hasModules(Path.of("goldens/bert-mlm")));
  }

  /** Newer files say themselves which layers have a window, and how those turn. */
  @Test
  void keys_of_windows_count() throws IOException {
    SentenceDecoders.gemma3(folder, false);
    Path file =
        changed(
            k ->
                k.uint32("gemma-embedding.attention.sliding_window_pattern", 3)
                    .float32("gemma-embedding.rope.freq_base_swa", 500),
            t -> t);
    edit(
        "config.json",
        config -> config.put("sliding_window_pattern", 3).put("rope_local_base_freq", 500.0));
    try (EmbeddingPipeline want = EmbeddingPipeline.load(folder);
        EmbeddingPipeline got = EmbeddingPipeline.load(file);
        EmbeddingPipeline other = EmbeddingPipeline.load(gguf)) {
      String text = SentenceDecoders.TEXTS.get(1);
      assertArrayEquals(want.embed(text), got.embed(text), NEAR);
      assertTrue(Math.abs(other.embed(text)[0] - got.embed(text)[0]) > 100 * NEAR);
    }
  }

  @Test
  void tokens_that_see_both_ways_are_written_and_read() throws IOException {
    SentenceDecoders.qwen3(folder);
    edit("config.json", config -> config.put("is_causal", false));
    compare();
  }

  @Test
  void windows_of_other_models_are_not_read_both_ways() throws IOException {
    SentenceDecoders.gemma3(folder, false);
    edit("config.json", config -> config.put("use_bidirectional_attention", false));
    String told = refusal(changed(k -> k.flag("gemma3.attention.causal", false), t -> t));
    assertTrue(told.contains("'gemma3.attention.causal' is false, expected true"), told);
  }

  @Test
  void ollamas_file_of_it_is_told_from_gemma3() throws IOException {
    SentenceDecoders.gemma3(folder, true);
    String told =
        refusal(
            changed(
                k -> k.text("general.architecture", "gemma3"),
                t ->
                    t.name().equals("dense_2.weight")
                        ? new GgufTensor("dense.0.weight", t.shape(), t.type(), t.rows())
                        : t));
    assertTrue(told.contains("expected llama.cpp's file"), told);
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = ';',
      value = {
        "modules.json; ''; modules.json: is missing, expected the modules of a sentence model",
        "2_Dense/config.json; {\"bias\": false}; with the activation Identity",
        "1_Pooling/config.json; {\"pooling_mode\": \"max\"}; pooling of [max], expected one of"
            + " [mean, cls, lasttoken]",
        "1_Pooling/config.json; {\"pooling_mode\": [\"mean\", \"cls\"]}; pooling of [mean, cls]",
        "1_Pooling/config.json; {\"include_prompt\": false}; 'include_prompt' is false",
      })
  void what_gguf_has_no_words_for_is_refused(String file, String text, String told)
      throws IOException {
    SentenceDecoders.gemma3(folder, true);
    if (text.isEmpty()) {
      Files.delete(folder.resolve(file));
      Files.delete(folder.resolve("1_Pooling").resolve("config.json"));
    } else {
      Files.writeString(folder.resolve(file), text);
    }
    refusedToWrite(told);
  }

  @Test
  void layers_behind_others_are_refused_and_so_is_one_alone() throws IOException {
    SentenceDecoders.gemma3(folder, true);
    ArrayNode modules = (ArrayNode) JSON.readTree(folder.resolve("modules.json").toFile());
    edit("config.json", config -> config.put("use_bidirectional_attention", false));
    refusedToWrite("of which GGUF's gemma3 has no words");
    ArrayNode one = modules.deepCopy();
    one.remove(3);
    JSON.writeValue(folder.resolve("modules.json").toFile(), one);
    edit("config.json", config -> config.put("use_bidirectional_attention", true));
    refusedToWrite("has 1 modules Dense, expected none or two");
  }

  @Test
  void a_window_on_both_sides_of_others_is_refused() throws IOException {
    SentenceDecoders.gemma3(folder, false);
    edit("config.json", config -> config.put("is_causal", false));
    refusedToWrite("'is_causal' is false, expected true");
  }
}
