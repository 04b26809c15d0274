package dev.gatun.training;

import static org.junit.jupiter.api.Assertions.assertEquals;

import dev.gatun.nn.Parameter;
import dev.gatun.tensor.Device;
import dev.gatun.tensor.Scope;
import dev.gatun.tensor.Tensor;
import java.util.List;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** Rates fall from the last layer to the embeddings. */
final class ParameterRatesTest {
  private static ParameterRates rates(double decay, String... names) {
    try (Scope _ = Scope.open()) {
      Tensor one = Tensor.zeros(Device.cpu(), 1);
      List<Parameter> parameters = Stream.of(names).map(name -> new Parameter(name, one)).toList();
      return new ParameterRates(parameters, decay);
    }
  }

  @ParameterizedTest
  @CsvSource({
    "bert.embeddings.word_embeddings.weight, bert.encoder.layer.%d.output.dense.weight,"
        + " classifier.weight",
    "transformer.wpe.weight, transformer.h.%d.mlp.c_fc.weight, transformer.ln_f.bias",
    "gpt_neox.embed_in.weight, gpt_neox.layers.%d.mlp.dense_h_to_4h.weight, embed_out.weight",
    "nomic_bert.emb_ln.bias, nomic_bert.encoder.layers.%d.mlp.fc2.weight, classifier.weight",
    "mpnet.encoder.relative_attention_bias.weight, mpnet.encoder.layer.%d.output.dense.bias,"
        + " lm_head.bias",
    "deberta.encoder.LayerNorm.bias, deberta.encoder.layer.%d.output.LayerNorm.bias,"
        + " pooler.dense.bias",
    "model.embed_tokens.weight, model.layers.%d.mlp.up_proj.weight, lm_head.weight"
  })
  void each_layer_has_a_share_of_the_one_above(String embedding, String layer, String head) {
    ParameterRates rates =
        rates(0.5, embedding, layer.formatted(0), layer.formatted(1), layer.formatted(2), head);
    assertEquals(1, rates.factor(head));
    assertEquals(1, rates.factor(layer.formatted(2)));
    assertEquals(0.5, rates.factor(layer.formatted(1)));
    assertEquals(0.25, rates.factor(layer.formatted(0)));
    assertEquals(0.125, rates.factor(embedding));
  }

  @Test
  void the_convolution_of_deberta_is_behind_its_first_layer() {
    String conv = "deberta.encoder.conv.conv.weight";
    assertEquals(0.5, rates(0.5, conv, "deberta.encoder.layer.1.output.dense.bias").factor(conv));
  }

  @Test
  void a_model_without_layers_has_one_rate_beside_that_of_its_embeddings() {
    ParameterRates rates = rates(0.5, "embed.weight", "out.weight");
    assertEquals(1, rates.factor("out.weight"));
    assertEquals(1, rates.factor("embed.weight"));
  }
}
