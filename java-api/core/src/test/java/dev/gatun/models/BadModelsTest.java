package dev.gatun.models;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.gatun.kernels.api.memory.Storage;
import dev.gatun.models.ModelFiles.Stored;
import dev.gatun.nn.Compute;
import dev.gatun.tensor.Device;
import dev.gatun.weights.TensorFile;
import dev.gatun.weights.WeightsException;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.logging.Handler;
import java.util.logging.LogRecord;
import java.util.logging.Logger;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.MethodSource;

/** A directory that is no model: what is wrong is named, and no memory is held. */
final class BadModelsTest {
  @TempDir private Path folder;

  private long before;

  @BeforeEach
  void remember() {
    before = Device.cpu().memory().allocatedBytes();
  }

  @AfterEach
  void nothing_is_held() {
    assertEquals(before, Device.cpu().memory().allocatedBytes());
  }

  private interface Change {
    void to(ModelFiles files);
  }

  private static Arguments bad(String golden, String message, Change change) {
    return Arguments.of(golden, message, change);
  }

  private static Arguments key(String golden, String key, String value, String message) {
    return bad(
        golden,
        message,
        files -> {
          if (value == null) {
            files.config.remove(key);
          } else {
            files.config.putRawValue(key, new com.fasterxml.jackson.databind.util.RawValue(value));
          }
        });
  }

  static Stream<Arguments> configurations() {
    String bert = "bert-mlm";
    String v2 = "deberta-v2-conv";
    String known =
        "albert, bart, bert, camembert, deberta, deberta-v2, distilbert, electra, gte, mbart,"
            + " modernbert, mpnet, mt5, new, nomic_bert, roberta, t5, umt5, xlm-roberta";
    return Stream.of(
        key(bert, "model_type", "\"gpt2\"", "no tensors wte.weight, wpe.weight, h.0.ln_1.weight"),
        key(bert, "model_type", null, "'model_type' is null, expected one of " + known),
        key(bert, "model_type", "7", "'model_type' is 7, expected a text"),
        key(bert, "architectures", "[\"BertForSong\"]", "names BertForSong, expected a name that"),
        key(bert, "architectures", "[3]", "'architectures' is [3], expected a list of texts"),
        key(bert, "is_decoder", "true", "'is_decoder' is true, expected false"),
        key(bert, "tie_word_embeddings", "false", "cls.predictions.decoder.weight"),
        key(bert, "hidden_size", null, "'hidden_size' is missing"),
        key(bert, "hidden_size", "\"wide\"", "'hidden_size' is \"wide\", expected an integer"),
        key(bert, "hidden_size", "32.5", "'hidden_size' is 32.5, expected an integer"),
        key(bert, "hidden_size", "1e99", "'hidden_size' is 1.0E99, expected an integer"),
        key(bert, "hidden_size", "-32", "'hidden_size' is -32, expected a number from 1"),
        key(bert, "hidden_size", "0", "'hidden_size' is 0, expected a number from 1"),
        key(bert, "hidden_size", "64", "has shape [101, 32], config.json says [101, 64]"),
        key(bert, "hidden_size", "2147483647", "config.json says [101, 2147483647]"),
        key(bert, "vocab_size", "2147483647", "config.json says [2147483647, 32]"),
        key(bert, "vocab_size", "[]", "'vocab_size' is [], expected an integer"),
        key(bert, "num_attention_heads", "5", "'num_attention_heads' is 5, expected a divisor of"),
        key(bert, "num_attention_heads", "0", "'num_attention_heads' is 0, expected a number from"),
        key(bert, "num_attention_heads", null, "'num_attention_heads' is missing"),
        key(bert, "num_hidden_layers", "-1", "'num_hidden_layers' is -1"),
        key(bert, "num_hidden_layers", "2147483647", "and perhaps more"),
        key(bert, "intermediate_size", "46", "config.json says [46, 32]"),
        key(bert, "max_position_embeddings", "-4", "'max_position_embeddings' is -4"),
        key(bert, "type_vocab_size", "-2", "config.json says [-2, 32]"),
        key(bert, "layer_norm_eps", "-1", "'layer_norm_eps' is -1, expected a finite number"),
        key(bert, "layer_norm_eps", "1e999", "expected a finite number"),
        key(bert, "layer_norm_eps", "\"x\"", "'layer_norm_eps' is \"x\", expected a number"),
        key(bert, "hidden_act", "\"gelo\"", "'hidden_act' is \"gelo\", expected gelu, gelu_new"),
        key(bert, "hidden_act", "{}", "'hidden_act' is {}, expected a text"),
        key("bert-classify", "id2label", "{}", "'id2label' is {}, expected an object"),
        key("bert-classify", "id2label", "[1]", "'id2label' is [1], expected an object"),
        key("bert-classify", "id2label", "{\"0\": \"a\"}", "config.json says [1, 32]"),
        bad(
            "bert-classify",
            "config.json says [2147483647, 32]",
            files -> files.config.put("num_labels", Integer.MAX_VALUE).remove("id2label")),
        bad(
            "bert-classify",
            "'num_labels' is -3, expected a number from 1",
            files -> files.config.put("num_labels", -3).remove("id2label")),
        key("roberta-mlm", "pad_token_id", "-7", "'pad_token_id' is -7, expected 0 to 64"),
        key("roberta-mlm", "pad_token_id", "65", "'pad_token_id' is 65, expected 0 to 64"),
        key("distilbert-mlm", "n_heads", "3", "'n_heads' is 3, expected a divisor of the width"),
        key("electra-mlm", "embedding_size", "0", "'embedding_size' is 0"),
        key(v2, "conv_groups", "0", "'conv_groups' is 0, expected a number from 1"),
        key(v2, "conv_groups", "3", "'conv_groups' is 3, expected a divisor of the width"),
        key(v2, "conv_kernel_size", "2147483647", "has shape"),
        key(v2, "position_buckets", "1", "'position_buckets' is 1, expected at most 0, or from 2"),
        key(v2, "pos_att_type", "7", "'pos_att_type' is 7, expected a list of texts"),
        key(v2, "relative_attention", "\"yes\"", "expected true or false"));
  }

  @ParameterizedTest(name = "{0}: {1}")
  @MethodSource("configurations")
  void a_bad_configuration_is_named(String golden, String message, Change change)
      throws IOException {
    ModelFiles files = ModelFiles.read(golden);
    change.to(files);
    files.write(folder);
    String said = refused();
    assertTrue(said.contains(message), said);
    assertTrue(said.contains(folder.toString()), said);
  }

  private String refused() {
    return assertThrows(IllegalArgumentException.class, () -> AutoModel.load(folder).close())
        .getMessage();
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      textBlock =
          """
          ''               | expected a JSON object
          '{"model_type":' | byte 14: not valid JSON
          '[]'             | expected a JSON object
          'null'           | expected a JSON object
          '{} {}'          | not valid JSON
          'model'          | byte 0: not valid JSON
          """)
  void a_configuration_that_is_no_object(String text, String message) throws IOException {
    ModelFiles.read("bert-mlm").write(folder);
    Files.writeString(folder.resolve("config.json"), text == null ? "" : text);
    String said = refused();
    assertTrue(said.startsWith(folder.resolve("config.json") + ": "), said);
    assertTrue(said.contains(message), said);
  }

  @Test
  void malformed_utf8_gives_file_and_offset() throws IOException {
    Files.write(folder.resolve("config.json"), new byte[] {'{', '"', 'a', (byte) 0xff, '"', '}'});
    String said = refused();
    assertTrue(said.startsWith(folder.resolve("config.json") + ": byte 3: "), said);
  }

  @Test
  void missing_files_are_named() throws IOException {
    String said =
        assertThrows(NoSuchFileException.class, () -> AutoModel.load(folder)).getMessage();
    assertEquals(folder.resolve("config.json").toString(), said);
    ModelFiles.read("bert-mlm").write(folder);
    Files.delete(folder.resolve("model.safetensors"));
    assertTrue(refused().contains(folder + ": no weights; looked for model.safetensors"));
  }

  @Test
  void all_missing_weights_are_named() throws IOException {
    ModelFiles files = ModelFiles.read("bert-mlm");
    List<String> gone =
        List.of(
            "bert.embeddings.LayerNorm.bias",
            "bert.encoder.layer.0.attention.self.key.weight",
            "bert.encoder.layer.1.output.dense.weight",
            "cls.predictions.transform.dense.bias");
    files.tensors.keySet().removeAll(gone);
    files.write(folder);
    String said = assertThrows(WeightsException.class, () -> AutoModel.load(folder)).getMessage();
    for (String name : gone) {
      assertTrue(said.contains(name), said);
    }
    files.tensors.put(gone.get(2), ModelFiles.read("bert-mlm").tensors.get(gone.get(2)));
    files.tensors.keySet().removeIf(name -> name.startsWith("bert.encoder"));
    files.write(folder);
    assertTrue(refused().contains("and perhaps more"));
  }

  /** As the files of sentence encoders are, which name the head that they were trained from. */
  @Test
  void a_head_that_is_not_there_is_named_with_what_to_do() throws IOException {
    ModelFiles files = ModelFiles.read("mpnet-mlm");
    files.tensors.keySet().removeIf(name -> name.startsWith("lm_head."));
    files.write(folder);
    String said = refused();
    assertTrue(said.contains("no tensors lm_head.dense.weight, lm_head.dense.bias, "), said);
    assertTrue(said.endsWith("asked for: Head.BASE loads a model without one"), said);
    AutoModel.load(folder, Head.BASE, Device.cpu(), Storage.F32, Compute.EXACT).close();
  }

  @Test
  void one_missing_weight_comes_with_close_names() throws IOException {
    ModelFiles files = ModelFiles.read("bert-mlm");
    Stored moved = files.tensors.remove("bert.encoder.layer.1.output.dense.weight");
    files.tensors.put("bert.encoder.layer.1.output.dense.weigth", moved);
    files.write(folder);
    String said = refused();
    assertTrue(said.contains("no tensor bert.encoder.layer.1.output.dense.weight;"), said);
    assertTrue(said.contains("close names are "), said);
    assertTrue(said.contains("bert.encoder.layer.1.output.dense.weigth"), said);
  }

  @Test
  void foreign_weights_are_named_and_those_of_other_heads_reported() throws IOException {
    ModelFiles files = ModelFiles.read("bert-mlm");
    files.tensors.put("classifier.weight", new Stored("F32", new long[] {0}, new byte[0]));
    files.write(folder);
    try (EncoderModel model = AutoModel.load(folder)) {
      assertEquals(List.of("classifier.weight"), model.unusedWeights());
    }
    files.tensors.put("adapter.down", new Stored("F32", new long[] {0}, new byte[0]));
    files.write(folder);
    List<String> heard = new ArrayList<>();
    Handler handler =
        new Handler() {
          @Override
          public void publish(LogRecord record) {
            heard.add(record.getLevel() + " " + record.getMessage());
          }

          @Override
          public void flush() {}

          @Override
          public void close() {}
        };
    Logger logger = Logger.getLogger("dev.gatun");
    logger.addHandler(handler);
    try (EncoderModel model = AutoModel.load(folder)) {
      assertEquals(List.of("classifier.weight", "adapter.down"), model.unusedWeights());
    } finally {
      logger.removeHandler(handler);
    }
    assertEquals(
        List.of(
            "WARNING %s: 1 tensors belong to no part of the model that config.json names: adapter.down"
                .formatted(folder)),
        heard);
    System.setProperty("gatun.strict", "true");
    try {
      String said = refused();
      assertTrue(said.contains("1 tensors belong to no part of the model"), said);
      assertTrue(said.contains("adapter.down"), said);
    } finally {
      System.clearProperty("gatun.strict");
    }
  }

  /** As peft leaves them: alone, or beside the model that they change. */
  @Test
  void adapters_are_told_from_models() throws IOException {
    Path adapter = Files.writeString(folder.resolve("adapter_config.json"), "{}");
    Files.writeString(folder.resolve("adapter_model.safetensors"), "");
    String told = adapter + ": an adapter changes the weights of another model";
    assertTrue(refused().startsWith(told), refused());
    ModelFiles.read("bert-mlm").write(folder);
    assertTrue(refused().startsWith(told), refused());
    assertThrows(WeightsException.class, () -> TensorFile.open(folder));
    Files.delete(adapter);
    AutoModel.load(folder).close();
  }

  @Test
  void wrong_shapes_and_dtypes_are_named() throws IOException {
    ModelFiles files = ModelFiles.read("bert-mlm");
    String name = "bert.encoder.layer.0.output.dense.weight";
    Stored good = files.tensors.get(name);
    files.tensors.put(
        name, new Stored("F32", new long[] {good.shape()[1], good.shape()[0]}, good.data()));
    files.write(folder);
    assertTrue(refused().contains("'" + name + "' has shape [64, 32], config.json says [32, 64]"));
    files.tensors.put(name, new Stored("I32", good.shape(), good.data()));
    files.write(folder);
    assertTrue(refused().contains("'" + name + "' is I32, expected a floating-point type"));
    files.tensors.put(name, new Stored("U32", good.shape(), good.data()));
    files.write(folder);
    assertTrue(refused().contains(name + ": dtype U32 is not supported"));
  }
}
