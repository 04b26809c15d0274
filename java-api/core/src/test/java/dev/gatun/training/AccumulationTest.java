package dev.gatun.training;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.gatun.autograd.Gradients;
import dev.gatun.autograd.Tape;
import dev.gatun.models.AutoModel;
import dev.gatun.models.CausalLm;
import dev.gatun.models.CausalLmInputs;
import dev.gatun.models.EncoderInputs;
import dev.gatun.models.EncoderModel;
import dev.gatun.models.LossCounts;
import dev.gatun.models.TrainingSettings;
import dev.gatun.nn.Parameter;
import dev.gatun.tensor.Device;
import dev.gatun.tensor.Tensor;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** What a step keeps, and the gradients of several batches added up. */
final class AccumulationTest {
  private static final Path GOLDENS = Path.of("../../test/goldens");
  private static final Device CPU = Device.cpu();

  @TempDir Path folder;

  private static void add(CausalLm model, Gradients into, LossCounts counts, long[][] ids) {
    CausalLmInputs inputs = new CausalLmInputs(ids, null, ids, false, false);
    try (Tape tape = Tape.record(model.parameters().stream().map(Parameter::tensor).toList());
        Tensor loss = model.loss(inputs, counts)) {
      tape.backward(loss, into);
    }
  }

  /** Weights that are stored turned, a tied table, and joined ones. */
  @Test
  void gradients_of_batches_add_up_to_those_of_all() throws IOException {
    long[][] ids = {{5, 6, 7, 8, 9}, {1, 2, 3}, {9, 8, 7, 6, 5, 4, 3}};
    for (String name : List.of("gpt2", "llama-gqa")) {
      try (CausalLm model =
              AutoModel.causalLmForTraining(
                  GOLDENS.resolve("decoders").resolve(name), CPU, TrainingSettings.DEFAULT);
          Gradients whole = new Gradients();
          Gradients parts = new Gradients()) {
        LossCounts counts = new LossCounts(12, 3, 1);
        add(model, whole, counts, ids);
        long held = 0;
        for (long[] row : ids) {
          long before = CPU.memory().allocatedBytes();
          add(model, parts, counts, new long[][] {row});
          held += CPU.memory().allocatedBytes() - before;
        }
        long bytes = 0;
        for (Parameter parameter : model.parameters()) {
          float[] want = whole.of(parameter.tensor()).toFloatArray();
          float[] got = parts.of(parameter.tensor()).toFloatArray();
          bytes += 4 * parameter.count();
          double norm = 0;
          for (float each : want) {
            norm += each * each;
          }
          for (int i = 0; i < want.length; i++) {
            assertEquals(want[i], got[i], 1e-5 * Math.sqrt(norm), parameter.name());
          }
        }
        // Blocks of memory are rounded up to classes of sizes.
        assertTrue(held < 1.5 * bytes, "%s holds %d of %d".formatted(name, held, bytes));
      }
    }
  }

  private long saved(int layers, int tokens, int hidden, int heads) throws IOException {
    ObjectNode config =
        (ObjectNode) new ObjectMapper().readTree(GOLDENS.resolve("bert-mlm/config.json").toFile());
    config.put("num_hidden_layers", layers).put("hidden_size", hidden);
    config.put("intermediate_size", 4 * hidden).put("num_attention_heads", heads);
    config.put("max_position_embeddings", tokens);
    Path file = folder.resolve("config.json");
    Files.writeString(file, config.toString());
    long[][] ids = new long[4][tokens];
    EncoderInputs inputs =
        new EncoderInputs(ids, null, null, ids, null, null, null, null, false, false);
    try (EncoderModel model = AutoModel.forTraining(file, null, CPU)) {
      List<Tensor> leaves = model.parameters().stream().map(Parameter::tensor).toList();
      // Weights are packed when they are first used.
      model.loss(inputs, null).close();
      long before = CPU.memory().allocatedBytes();
      try (Tape tape = Tape.record(leaves);
          Tensor loss = model.loss(inputs, null)) {
        long kept = CPU.memory().allocatedBytes() - before;
        try (Gradients _ = tape.backward(loss)) {
          return kept;
        }
      }
    }
  }

  /**
   * A layer of BERT saves sixteen rows of its width a token, and the log-sum-exps: queries, keys,
   * values, what attention gives, both sums with their norms, and the wide ones before and behind
   * the activation.
   */
  @Test
  void a_layer_saves_what_the_formula_says() throws IOException {
    int tokens = 64;
    int hidden = 256;
    int heads = 4;
    long layer = saved(3, tokens, hidden, heads) - saved(2, tokens, hidden, heads);
    long formula = 4L * 4 * tokens * (16 * hidden + heads);
    assertTrue(layer <= 1.1 * formula, "saves %d, the formula says %d".formatted(layer, formula));
    assertTrue(layer >= 0.9 * formula, "saves %d, the formula says %d".formatted(layer, formula));
  }
}
