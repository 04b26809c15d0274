package dev.gatun.models;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertSame;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.gatun.autograd.Checkpoint;
import dev.gatun.autograd.Gradients;
import dev.gatun.autograd.Tape;
import dev.gatun.kernels.api.device.Devices;
import dev.gatun.kernels.cpu.CpuBackend;
import dev.gatun.nn.Dropout;
import dev.gatun.nn.Parameter;
import dev.gatun.ops.Elementwise;
import dev.gatun.ops.Reductions;
import dev.gatun.tensor.Device;
import dev.gatun.tensor.Scope;
import dev.gatun.tensor.Tensor;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.BitSet;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import java.util.function.Supplier;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** What models drop while they are trained, and that they do so nowhere else. */
final class DropoutTest {
  private static final ObjectMapper JSON = new ObjectMapper();
  private static final Device CPU = Device.cpu();

  @TempDir Path folder;

  static Model model(String golden, Path config) throws IOException {
    if (golden.startsWith("decoders/")) {
      return AutoModel.causalLmForTraining(config, CPU, TrainingSettings.DEFAULT);
    }
    return golden.startsWith("encoder-decoders/")
        ? AutoModel.seq2SeqLmForTraining(config, CPU, TrainingSettings.DEFAULT)
        : AutoModel.forTraining(config, null, CPU);
  }

  private static AutoCloseable pass(Model model) {
    long[][] ids = {{5, 6, 7, 8, 9, Math.max(0, model.config().integer("eos_token_id", 2))}};
    return switch (model) {
      case EncoderModel encoder -> encoder.forward(EncoderInputs.of(ids, null, null));
      case CausalLm decoder -> decoder.forward(new CausalLmInputs(ids, null, null, false, false));
      case Seq2SeqLm both -> both.forward(Seq2SeqInputs.ofLabels(ids, null, ids));
    };
  }

  /** How often a new model of a configuration drops something in a pass. */
  private long uses(String golden, ObjectNode config) throws Exception {
    Path file = folder.resolve("config.json");
    Files.write(file, JSON.writeValueAsBytes(config));
    try (Model model = model(golden, file);
        Tape tape = Tape.record(List.of()).withSeed(1);
        var _ = pass(model)) {
      return tape.seeds();
    }
  }

  private static ObjectNode config(String golden) throws IOException {
    return (ObjectNode)
        JSON.readTree(ModelFiles.GOLDENS.resolve(golden).resolve("config.json").toFile());
  }

  /** Each of the places where transformers drops, by the key that says how much. */
  @Test
  void every_place_of_a_family_drops_as_often_as_in_transformers() throws Exception {
    JsonNode golden = JSON.readTree(ModelFiles.GOLDENS.resolve("dropout.json").toFile());
    Map<String, Long> expected = new TreeMap<>();
    Map<String, Long> got = new TreeMap<>();
    for (var model : golden.get("uses").properties()) {
      ObjectNode without = config(model.getKey());
      List<String> keys = new ArrayList<>();
      model.getValue().fieldNames().forEachRemaining(keys::add);
      keys.remove("none");
      without.remove(keys);
      expected.put(model.getKey(), model.getValue().get("none").longValue());
      got.put(model.getKey(), uses(model.getKey(), without));
      for (String key : keys) {
        ObjectNode config = without.deepCopy();
        keys.forEach(each -> config.put(each, each.equals(key) ? 0.5 : 0));
        String name = model.getKey() + " " + key;
        expected.put(name, model.getValue().get(key).longValue());
        got.put(name, uses(model.getKey(), config));
      }
    }
    assertTrue(expected.size() > 200);
    assertEquals(expected, got);
  }

  /** Experts drop all of their tokens at once here, and one expert after another there. */
  @Test
  void mixtures_of_switch_transformers_drop_between_their_layers_and_behind() throws Exception {
    ObjectNode config = config("encoder-decoders/switch").put("dropout_rate", 0.1);
    assertEquals(24, uses("encoder-decoders/switch", config));
    config.put("num_sparse_encoder_layers", 0).put("num_sparse_decoder_layers", 0);
    assertEquals(24, uses("encoder-decoders/switch", config));
  }

  @Test
  void a_mask_is_fair_and_another_at_each_place_and_with_each_seed() {
    int count = 1 << 16;
    float[] ones = new float[count];
    Arrays.fill(ones, 1);
    Set<BitSet> masks = new HashSet<>();
    for (float probability : new float[] {0.1f, 0.5f, 0.9f}) {
      Dropout dropout = new Dropout(probability);
      for (long seed = 0; seed < 4; seed++) {
        try (Scope _ = Scope.open();
            Tape _ = Tape.record(List.of()).withSeed(seed)) {
          Tensor x = Tensor.of(CPU, ones, count);
          for (int place = 0; place < 4; place++) {
            float[] y = dropout.forward(x).toFloatArray();
            BitSet kept = new BitSet();
            double sum = 0;
            for (int i = 0; i < count; i++) {
              float each = y[i];
              kept.set(i, each != 0);
              sum += each;
              assertTrue(each == 0 || each == 1 / (1 - probability), "is " + each);
            }
            // Five standard deviations of a binomial distribution.
            double off = 5 * Math.sqrt(count * probability * (1 - probability));
            assertEquals(count * (1 - probability), kept.cardinality(), off);
            assertEquals(count, sum, off / (1 - probability));
            assertTrue(masks.add(kept));
          }
        }
      }
    }
  }

  @Test
  void nothing_is_dropped_without_a_seed_while_recording_pauses_and_by_0() {
    Dropout dropout = new Dropout(0.5f);
    try (Scope _ = Scope.open();
        Tensor x = Tensor.of(CPU, new float[] {1, 2}, 2)) {
      assertSame(x, dropout.forward(x));
      try (Tape tape = Tape.record(x)) {
        assertSame(x, dropout.forward(x));
        tape.withSeed(1);
        assertSame(x, Dropout.NONE.forward(x));
        try (var _ = Tape.pause()) {
          assertSame(x, dropout.forward(x));
        }
        assertEquals(0, tape.seeds());
        assertFalse(x == dropout.forward(x));
        assertEquals(1, tape.seeds());
      }
    }
    for (float bad : new float[] {-0.1f, 1, Float.NaN}) {
      assertEquals(
          "dropout: probability is %s, expected 0 to below 1".formatted(bad),
          assertThrows(IllegalArgumentException.class, () -> new Dropout(bad)).getMessage());
    }
  }

  /** A checkpoint's second pass drops what its first dropped, and so do those behind it. */
  @Test
  void checkpoints_drop_the_same_again() {
    Dropout dropout = new Dropout(0.5f);
    float[] numbers = new float[64];
    for (int i = 0; i < numbers.length; i++) {
      numbers[i] = i + 1;
    }
    float[][] gradients = new float[2][];
    float[][] results = new float[2][];
    for (int i = 0; i < 2; i++) {
      boolean checkpointed = i == 1;
      try (Scope _ = Scope.open();
          Tensor x = Tensor.of(CPU, numbers, numbers.length);
          Tape tape = Tape.record(x).withSeed(7)) {
        Tensor y = dropout.forward(x);
        Tensor first = y;
        Supplier<Tensor> work =
            () -> dropout.forward(Elementwise.multiply(dropout.forward(first), first));
        y = checkpointed ? Checkpoint.of(work) : work.get();
        y = dropout.forward(y);
        results[i] = y.toFloatArray();
        assertEquals(4, tape.seeds());
        try (Tensor sum = Reductions.sum(y).reshape(1);
            Gradients all = tape.backward(sum)) {
          gradients[i] = all.of(x).toFloatArray();
        }
      }
    }
    assertArrayEquals(results[0], results[1]);
    assertArrayEquals(gradients[0], gradients[1]);
    assertTrue(IntStream.range(0, 64).anyMatch(i -> gradients[1][i] != 0), "all dropped");
  }

  private static float[] gradients(EncoderModel model, long seed) {
    List<Tensor> leaves = model.parameters().stream().map(Parameter::tensor).toList();
    long[][] ids = {{5, 6, 7, 8, 9, 3}, {8, 4}};
    EncoderInputs inputs =
        new EncoderInputs(ids, null, null, ids, null, null, null, null, false, false);
    try (Scope _ = Scope.open();
        Tape tape = Tape.record(leaves).withSeed(seed);
        Tensor loss = model.loss(inputs, null);
        Gradients all = tape.backward(loss)) {
      Tensor table = all.of(model.parameters().getFirst().tensor());
      float[] row = table.toFloatArray();
      row[0] = loss.toFloatArray()[0];
      return row;
    }
  }

  @Test
  void any_number_of_threads_drops_the_same_and_evaluation_nothing() throws IOException {
    Path file = folder.resolve("config.json");
    ObjectNode config = config("bert-mlm");
    config.put("hidden_dropout_prob", 0.1).put("attention_probs_dropout_prob", 0.1);
    Files.write(file, JSON.writeValueAsBytes(config));
    var host = (CpuBackend) Devices.host();
    int before = host.threads();
    try (EncoderModel model = AutoModel.forTraining(file, null, CPU)) {
      float[] expected = gradients(model, 3);
      for (int threads : new int[] {1, 2, 3, 7}) {
        host.setThreads(threads);
        assertArrayEquals(expected, gradients(model, 3), threads + " threads");
      }
      assertFalse(Arrays.equals(expected, gradients(model, 4)));
      try (EncoderOutput one = (EncoderOutput) pass(model);
          EncoderOutput other = (EncoderOutput) pass(model)) {
        assertArrayEquals(one.logits().toFloatArray(), other.logits().toFloatArray());
      }
    } finally {
      host.setThreads(before);
    }
  }

  @Test
  void a_probability_that_is_none_is_named() throws IOException {
    Path file = folder.resolve("config.json");
    for (Object bad : new Object[] {1.0, -0.5, "a"}) {
      ObjectNode config = config("decoders/gpt2");
      config.putPOJO("resid_pdrop", bad);
      Files.write(file, JSON.writeValueAsBytes(config));
      String message =
          assertThrows(IllegalArgumentException.class, () -> model("decoders/gpt2", file))
              .getMessage();
      assertTrue(message.contains("'resid_pdrop'"), message);
    }
  }
}
