package dev.gatun.models;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.gatun.weights.WeightsException;
import java.io.IOException;
import java.nio.file.Path;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** Files of models whose output layer is the table of the vocabulary. */
final class TiedTableTest {
  private static final long[][] IDS = {{16, 76, 36, 79, 80}, {83, 31, 89}};
  private static final String TIED = "gpt2,transformer.wte\nllama-gqa,model.embed_tokens";

  @TempDir private Path folder;

  private static float[] logits(Path directory) throws IOException {
    try (CausalLm model = AutoModel.loadCausalLm(directory);
        CausalLmOutput output = model.forward(CausalLmInputs.of(IDS))) {
      return output.logits().toFloatArray();
    }
  }

  /**
   * Such files are written by what knows nothing of the model, and keeps the first of two names.
   */
  @ParameterizedTest
  @CsvSource(textBlock = TIED)
  void it_may_have_either_name(String golden, String table) throws IOException {
    ModelFiles files = ModelFiles.read("decoders/" + golden);
    files.tensors.put("lm_head.weight", files.tensors.remove(table + ".weight"));
    files.write(folder);
    assertArrayEquals(logits(ModelFiles.GOLDENS.resolve("decoders/" + golden)), logits(folder));
  }

  /** As in transformers, what the file has goes before what the configuration says. */
  @ParameterizedTest
  @CsvSource(textBlock = TIED)
  void another_layer_in_the_file_is_the_output_layer(String golden, String table)
      throws IOException {
    ModelFiles files = ModelFiles.read("decoders/" + golden);
    ModelFiles.Stored stored = files.tensors.get(table + ".weight");
    files.tensors.put("lm_head.weight", stored.moved(29));
    files.write(folder);
    float[] want = logits(ModelFiles.GOLDENS.resolve("decoders/" + golden));
    float[] got = logits(folder);
    int rows = (int) stored.shape()[0];
    float[] back = new float[got.length];
    for (int i = 0; i < got.length; i++) {
      back[i] = got[i / rows * rows + (i % rows + 29) % rows];
    }
    assertArrayEquals(want, back, 1e-5f);
  }

  @Test
  void an_output_layer_of_its_own_must_be_there() throws IOException {
    ModelFiles files = ModelFiles.read("decoders/llama");
    files.tensors.remove("lm_head.weight");
    files.write(folder);
    String message = assertThrows(WeightsException.class, () -> logits(folder)).getMessage();
    assertTrue(message.contains("lm_head.weight"), message);
  }

  /** Encoders, the table, the output layer and the bias that it has by another name. */
  private static final String MASKED =
      """
      albert-mlm, albert.embeddings.word_embeddings, predictions.decoder, predictions.bias
      bert-mlm, bert.embeddings.word_embeddings, cls.predictions.decoder, cls.predictions.bias
      deberta-mlm, deberta.embeddings.word_embeddings, cls.predictions.decoder, cls.predictions.bias
      deberta-v2-mlm, deberta.embeddings.word_embeddings, cls.predictions.decoder, cls.predictions.bias
      distilbert-mlm, distilbert.embeddings.word_embeddings, vocab_projector,
      electra-mlm, electra.embeddings.word_embeddings, generator_lm_head,
      gte-mlm, gte.embeddings.word_embeddings, lm_head.decoder,
      modernbert-mlm, model.embeddings.tok_embeddings, decoder,
      mpnet-mlm, mpnet.embeddings.word_embeddings, lm_head.decoder, lm_head.bias
      nomic-bert-mlm, nomic_bert.embeddings.word_embeddings, cls.predictions.decoder, cls.predictions.bias
      xlm-roberta-mlm, roberta.embeddings.word_embeddings, lm_head.decoder, lm_head.bias
      """;

  private static float[] scores(Path directory) throws IOException {
    try (EncoderModel model = AutoModel.load(directory);
        EncoderOutput output = model.forward(EncoderInputs.of(new long[][] {{16, 76, 36, 79}}))) {
      return output.logits().toFloatArray();
    }
  }

  private float[] scores(ModelFiles files) throws IOException {
    files.write(folder);
    return scores(folder);
  }

  @ParameterizedTest
  @CsvSource(textBlock = MASKED)
  void that_of_an_encoder_may_have_either_name(
      String golden, String table, String layer, String bias) throws IOException {
    float[] want = scores(ModelFiles.GOLDENS.resolve(golden));
    ModelFiles files = ModelFiles.read(golden);
    files.tensors.put(layer + ".weight", files.tensors.remove(table + ".weight"));
    assertArrayEquals(want, scores(files));
    if (bias != null) {
      files.tensors.put(layer + ".bias", files.tensors.get(bias));
      assertArrayEquals(want, scores(files));
      files.tensors.remove(bias);
      assertArrayEquals(want, scores(files));
    }
  }

  @ParameterizedTest
  @CsvSource(textBlock = MASKED)
  void another_layer_in_the_file_is_that_of_an_encoder(
      String golden, String table, String layer, String bias) throws IOException {
    ModelFiles files = ModelFiles.read(golden);
    String own = bias == null ? layer + ".bias" : bias;
    files.tensors.put(own, files.tensors.get(own).moved(29));
    float[] want = scores(files);
    if (bias != null) {
      ModelFiles both = ModelFiles.read(golden);
      both.tensors.put(layer + ".bias", files.tensors.get(own));
      assertArrayEquals(want, scores(both));
    }
    files = ModelFiles.read(golden);
    ModelFiles.Stored stored = files.tensors.get(table + ".weight");
    files.tensors.put(layer + ".weight", stored.moved(29));
    files.tensors.put(layer + ".bias", files.tensors.get(own).moved(29));
    want = scores(ModelFiles.GOLDENS.resolve(golden));
    float[] got = scores(files);
    int rows = (int) stored.shape()[0];
    float[] back = new float[got.length];
    for (int i = 0; i < got.length; i++) {
      back[i] = got[i / rows * rows + (i % rows + 29) % rows];
    }
    assertArrayEquals(want, back, 1e-5f);
  }
}
