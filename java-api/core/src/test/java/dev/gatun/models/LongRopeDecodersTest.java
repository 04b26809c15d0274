package dev.gatun.models;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.gatun.nn.KvCache;
import dev.gatun.nn.KvSequence;
import dev.gatun.tensor.Tensor;
import java.io.IOException;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/**
 * LongRoPE in every family of decoders that has rotary settings. Where all short factors are 1, all
 * long ones 2 and attention has no factor, it is plain for sequences up to the original length, and
 * linear scaling by 2 for longer ones.
 */
final class LongRopeDecodersTest {
  private static final int ORIGINAL = 8;
  private static final long[] SHORT = {3, 9, 27, 81, 41, 22};
  private static final long[] LONG = {5, 4, 60, 33, 17, 8, 96, 71, 12, 50, 9, 6};

  @TempDir private Path folder;

  @ParameterizedTest
  @CsvSource({
    "cohere,4",
    "falcon,4",
    "gemma,8",
    "gemma2,8",
    "gemma3,8",
    "gpt-neox,2",
    "gpt-oss,4",
    "llama,4",
    "mixtral,4",
    "starcoder2,4"
  })
  void each_sequence_turns_by_its_length(String golden, int pairs) throws IOException {
    float[] plain = logits(golden, settings(golden, "default", pairs), SHORT);
    float[] linear = logits(golden, settings(golden, "linear", pairs), LONG);
    ObjectNode longRope = settings(golden, "longrope", pairs);
    int length = plain.length;
    float[] both = Arrays.copyOf(plain, length + linear.length);
    System.arraycopy(linear, 0, both, length, linear.length);
    assertArrayEquals(both, logits(golden, longRope, SHORT, LONG), 1e-5f);

    write(golden, longRope);
    try (CausalLm model = AutoModel.loadCausalLm(folder);
        KvCache cache = KvCache.paged(model.device(), model.cacheShape(), 4, 8);
        KvSequence sequence = cache.open();
        TokenBatch batch = model.batch(List.of(Chunk.of(sequence, LONG)));
        Tensor last = model.logits(batch)) {
      int vocabulary = linear.length / LONG.length;
      float[] want = Arrays.copyOfRange(linear, linear.length - vocabulary, linear.length);
      assertArrayEquals(want, last.toFloatArray(), 1e-5f);
    }
  }

  @Test
  void layers_that_turn_otherwise_at_two_lengths_are_refused() throws IOException {
    ObjectNode both = settings("gemma3", "longrope", 8);
    ObjectNode local = ((ObjectNode) both.get("full_attention")).deepCopy();
    both.set("sliding_attention", local.put("original_max_position_embeddings", ORIGINAL + 1));
    write("gemma3", both);
    IllegalArgumentException e =
        assertThrows(IllegalArgumentException.class, () -> AutoModel.loadCausalLm(folder));
    assertTrue(
        e.getMessage().contains("'original_max_position_embeddings' is 8 for some layers and 9"),
        e.getMessage());
  }

  private float[] logits(String golden, ObjectNode rope, long[]... ids) throws IOException {
    write(golden, rope);
    try (CausalLm model = AutoModel.loadCausalLm(folder)) {
      float[] all = new float[0];
      // Of a batch of two, padding has rows of its own.
      try (CausalLmOutput output = model.forward(CausalLmInputs.of(ids))) {
        float[] padded = output.logits().toFloatArray();
        int longest = Arrays.stream(ids).mapToInt(row -> row.length).max().orElseThrow();
        int vocabulary = padded.length / ids.length / longest;
        for (int s = 0; s < ids.length; s++) {
          int from = s * longest * vocabulary;
          float[] own = Arrays.copyOfRange(padded, from, from + ids[s].length * vocabulary);
          int before = all.length;
          all = Arrays.copyOf(all, before + own.length);
          System.arraycopy(own, 0, all, before, own.length);
        }
      }
      return all;
    }
  }

  private void write(String golden, ObjectNode rope) throws IOException {
    ModelFiles files = ModelFiles.read("decoders/" + golden);
    files.config.set("rope_parameters", rope);
    files.write(folder);
  }

  private static ObjectNode settings(String golden, String type, int pairs) throws IOException {
    ObjectNode config = ModelFiles.read("decoders/" + golden).config;
    ObjectNode rope = config.objectNode().put("rope_type", type).put("rope_theta", 10000.0);
    switch (type) {
      case "linear" -> rope.put("factor", 2.0);
      case "longrope" -> {
        rope.put("original_max_position_embeddings", ORIGINAL).put("attention_factor", 1.0);
        factors(rope.putArray("short_factor"), 1, pairs);
        factors(rope.putArray("long_factor"), 2, pairs);
      }
      default -> {}
    }
    if (!golden.equals("gemma3")) {
      return rope;
    }
    ObjectNode both = config.objectNode();
    both.set("full_attention", rope);
    both.set("sliding_attention", config.path("rope_parameters").path("sliding_attention"));
    return both;
  }

  private static void factors(ArrayNode all, double factor, int count) {
    for (int i = 0; i < count; i++) {
      all.add(factor);
    }
  }
}
