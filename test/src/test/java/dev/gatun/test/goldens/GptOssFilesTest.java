package dev.gatun.test.goldens;

import static java.lang.foreign.ValueLayout.JAVA_BYTE;
import static java.lang.foreign.ValueLayout.JAVA_FLOAT;
import static java.lang.foreign.ValueLayout.JAVA_SHORT_UNALIGNED;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.gatun.kernels.api.memory.DType;
import dev.gatun.models.AutoModel;
import dev.gatun.models.TrainingSettings;
import dev.gatun.tensor.Device;
import dev.gatun.weights.SafetensorsWriter;
import dev.gatun.weights.TensorFile;
import dev.gatun.weights.WeightsException;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** The golden of gpt-oss in the other files that people have of it, with the same numbers. */
final class GptOssFilesTest {
  private static final Path GOLDEN = Path.of("goldens", "decoders", "gpt-oss");

  /** The numbers of E2M1 (OCP Microscaling Formats, 1.0, table 5). */
  private static final float[] VALUES = {
    0, 0.5f, 1, 1.5f, 2, 3, 4, 6, -0f, -0.5f, -1, -1.5f, -2, -3, -4, -6
  };

  private static final int BLOCK = 32;

  @TempDir private Path folder;

  /** An experts' weight of the golden, [experts][out_features][in_features / 32]. */
  private record Blocks(MemorySegment codes, MemorySegment scales, int experts, int out, int in) {
    static Blocks of(TensorFile file, String name) {
      TensorFile.Entry codes = file.get(name + "_blocks");
      long[] shape = codes.shape();
      return new Blocks(
          codes.data(),
          file.get(name + "_scales").data(),
          (int) shape[0],
          (int) shape[1],
          (int) shape[2] * BLOCK);
    }

    int code(int expert, int row, int column) {
      long at = ((long) expert * out + row) * in + column;
      int both = codes.get(JAVA_BYTE, at / 2) & 0xff;
      return column % 2 == 0 ? both & 15 : both >> 4;
    }

    int scale(int expert, int row, int column) {
      return scales.get(JAVA_BYTE, (((long) expert * out + row) * in + column) / BLOCK) & 0xff;
    }

    float value(int expert, int row, int column) {
      return VALUES[code(expert, row, column)] * Math.scalb(1f, scale(expert, row, column) - 127);
    }

    /** Every {@code step}th row from one on, as GGML's blocks. */
    byte[] ggml(int first, int step) {
      ByteArrayOutputStream bytes = new ByteArrayOutputStream();
      for (int e = 0; e < experts; e++) {
        for (int row = first; row < out; row += step) {
          for (int k = 0; k < in; k += BLOCK) {
            bytes.write(scale(e, row, k));
            for (int i = 0; i < BLOCK / 2; i++) {
              bytes.write(code(e, row, k + i) | code(e, row, k + BLOCK / 2 + i) << 4);
            }
          }
        }
      }
      return bytes.toByteArray();
    }
  }

  @Test
  void experts_of_numbers_equal_the_reference() throws IOException {
    DecoderGoldens.check(GOLDEN, dense(), Device.cpu());
  }

  private Path dense() throws IOException {
    ObjectNode config = config();
    config.remove("quantization_config");
    new ObjectMapper().writeValue(folder.resolve("config.json").toFile(), config);
    Files.copy(GOLDEN.resolve("generation_config.json"), folder.resolve("generation_config.json"));
    List<TensorFile.Entry> all = new ArrayList<>();
    try (TensorFile file = TensorFile.open(GOLDEN)) {
      for (String name : file.names()) {
        if (name.endsWith("_blocks")) {
          String weight = name.substring(0, name.length() - "_blocks".length());
          all.add(numbers(weight, Blocks.of(file, weight)));
        } else if (!name.endsWith("_scales")) {
          all.add(file.get(name));
        }
      }
      SafetensorsWriter.write(folder.resolve("model.safetensors"), all, Map.of());
    }
    return folder;
  }

  private static ObjectNode config() throws IOException {
    return (ObjectNode) new ObjectMapper().readTree(GOLDEN.resolve("config.json").toFile());
  }

  /** F32 [experts, in_features, out_features]. */
  private static TensorFile.Entry numbers(String name, Blocks blocks) {
    long[] shape = {blocks.experts, blocks.in, blocks.out};
    MemorySegment data = Arena.ofAuto().allocate(4L * blocks.experts * blocks.in * blocks.out, 64);
    long at = 0;
    for (int e = 0; e < blocks.experts; e++) {
      for (int k = 0; k < blocks.in; k++) {
        for (int row = 0; row < blocks.out; row++) {
          data.setAtIndex(JAVA_FLOAT, at++, blocks.value(e, row, k));
        }
      }
    }
    return new TensorFile.Entry(name, DType.F32, shape, data, "the test");
  }

  @Test
  void a_gguf_file_equals_the_reference() throws IOException {
    DecoderGoldens.check(GOLDEN, gguf(), Device.cpu());
  }

  /** As llama.cpp's converter names it, the experts' weights in MXFP4 and all others in F32. */
  private Path gguf() throws IOException {
    Gguf made = new Gguf();
    ObjectNode config = config();
    made.text("general.architecture", "gpt-oss");
    made.number("gpt-oss.context_length", config.get("max_position_embeddings").intValue());
    made.number("gpt-oss.embedding_length", config.get("hidden_size").intValue());
    made.number("gpt-oss.block_count", config.get("num_hidden_layers").intValue());
    made.number("gpt-oss.feed_forward_length", config.get("intermediate_size").intValue());
    made.number("gpt-oss.expert_feed_forward_length", config.get("intermediate_size").intValue());
    made.number("gpt-oss.attention.head_count", config.get("num_attention_heads").intValue());
    made.number("gpt-oss.attention.head_count_kv", config.get("num_key_value_heads").intValue());
    made.number("gpt-oss.attention.key_length", config.get("head_dim").intValue());
    made.number("gpt-oss.attention.value_length", config.get("head_dim").intValue());
    made.number("gpt-oss.attention.sliding_window", config.get("sliding_window").intValue());
    made.number("gpt-oss.expert_count", config.get("num_local_experts").intValue());
    made.number("gpt-oss.expert_used_count", config.get("num_experts_per_tok").intValue());
    made.decimal("gpt-oss.attention.layer_norm_rms_epsilon", 1e-5f);
    made.decimal("gpt-oss.rope.freq_base", 150000);
    made.text("gpt-oss.rope.scaling.type", "yarn");
    made.decimal("gpt-oss.rope.scaling.factor", 32);
    made.number("gpt-oss.rope.scaling.original_context_length", 4096);
    try (TensorFile file = TensorFile.open(GOLDEN)) {
      for (String name : file.names()) {
        String weight = name.replaceFirst("_(blocks|scales)$", "");
        if (name.endsWith("_blocks")) {
          Blocks blocks = Blocks.of(file, weight);
          boolean joined = weight.endsWith("gate_up_proj");
          long rows = joined ? blocks.out / 2 : blocks.out;
          for (String part : joined ? List.of("gate", "up") : List.of("down")) {
            made.tensor(
                "blk.%s.ffn_%s_exps.weight".formatted(layer(name), part),
                39,
                blocks.ggml(part.equals("up") ? 1 : 0, joined ? 2 : 1),
                blocks.in,
                rows,
                blocks.experts);
          }
        } else if (name.endsWith("gate_up_proj_bias")) {
          float[] turns = floats(file.get(name));
          long[] shape = file.get(name).shape();
          made.floats(name(name, "gate"), every(turns, 0), shape[1] / 2, shape[0]);
          made.floats(name(name, "up"), every(turns, 1), shape[1] / 2, shape[0]);
        } else if (!name.endsWith("_scales")) {
          long[] shape = file.get(name).shape();
          long[] axes = new long[shape.length];
          for (int i = 0; i < axes.length; i++) {
            axes[i] = shape[axes.length - 1 - i];
          }
          made.floats(name(name, "down"), floats(file.get(name)), axes);
        }
      }
    }
    Path path = folder.resolve("model.gguf");
    Files.write(path, made.bytes());
    return path;
  }

  private static String layer(String name) {
    return name.replaceFirst("model\\.layers\\.(\\d+)\\..*", "$1");
  }

  /** A tensor's name in GGUF. */
  private static String name(String name, String part) {
    Map<String, String> parts = new LinkedHashMap<>();
    parts.put("model.embed_tokens", "token_embd");
    parts.put("model.norm", "output_norm");
    parts.put("lm_head", "output");
    parts.put("input_layernorm", "attn_norm");
    parts.put("post_attention_layernorm", "post_attention_norm");
    parts.put("self_attn.q_proj", "attn_q");
    parts.put("self_attn.k_proj", "attn_k");
    parts.put("self_attn.v_proj", "attn_v");
    parts.put("self_attn.o_proj", "attn_output");
    parts.put("self_attn.sinks", "attn_sinks.weight");
    parts.put("mlp.router", "ffn_gate_inp");
    parts.put("mlp.experts.gate_up_proj_bias", "ffn_" + part + "_exps.bias");
    parts.put("mlp.experts.down_proj_bias", "ffn_down_exps.bias");
    String made = name.replace("model.layers.", "blk.");
    for (Map.Entry<String, String> each : parts.entrySet()) {
      made = made.replace(each.getKey(), each.getValue());
    }
    return made;
  }

  private static float[] every(float[] turns, int first) {
    float[] some = new float[turns.length / 2];
    for (int i = 0; i < some.length; i++) {
      some[i] = turns[2 * i + first];
    }
    return some;
  }

  /** The numbers of a tensor of BF16. */
  private static float[] floats(TensorFile.Entry entry) {
    assertEquals(DType.BF16, entry.dtype());
    float[] numbers = new float[(int) entry.elements()];
    for (int i = 0; i < numbers.length; i++) {
      numbers[i] = Float.intBitsToFloat(entry.data().getAtIndex(JAVA_SHORT_UNALIGNED, i) << 16);
    }
    return numbers;
  }

  /** The bytes of a file. */
  private static final class Gguf {
    private final ByteArrayOutputStream keys = new ByteArrayOutputStream();
    private final ByteArrayOutputStream entries = new ByteArrayOutputStream();
    private final ByteArrayOutputStream data = new ByteArrayOutputStream();
    private int keyCount;
    private int tensorCount;

    void text(String key, String value) {
      key(key, 8);
      text(keys, value);
    }

    void number(String key, int value) {
      key(key, 4);
      keys.writeBytes(little(4).putInt(value).array());
    }

    void decimal(String key, float value) {
      key(key, 6);
      keys.writeBytes(little(4).putFloat(value).array());
    }

    private void key(String key, int type) {
      keyCount++;
      text(keys, key);
      keys.writeBytes(little(4).putInt(type).array());
    }

    void floats(String name, float[] numbers, long... axes) {
      ByteBuffer bytes = little(4 * numbers.length);
      bytes.asFloatBuffer().put(numbers);
      tensor(name, 0, bytes.array(), axes);
    }

    void tensor(String name, int type, byte[] bytes, long... axes) {
      tensorCount++;
      text(entries, name);
      entries.writeBytes(little(4).putInt(axes.length).array());
      for (long axis : axes) {
        entries.writeBytes(little(8).putLong(axis).array());
      }
      entries.writeBytes(little(4).putInt(type).array());
      entries.writeBytes(little(8).putLong(data.size()).array());
      data.writeBytes(bytes);
      pad(data, 0);
    }

    byte[] bytes() {
      ByteArrayOutputStream all = new ByteArrayOutputStream();
      all.writeBytes("GGUF".getBytes(StandardCharsets.US_ASCII));
      all.writeBytes(little(4).putInt(3).array());
      all.writeBytes(little(16).putLong(tensorCount).putLong(keyCount).array());
      all.writeBytes(keys.toByteArray());
      all.writeBytes(entries.toByteArray());
      pad(all, 0);
      all.writeBytes(data.toByteArray());
      return all.toByteArray();
    }

    private static void pad(ByteArrayOutputStream to, int with) {
      while (to.size() % 32 != 0) {
        to.write(with);
      }
    }

    private static void text(ByteArrayOutputStream to, String text) {
      byte[] bytes = text.getBytes(StandardCharsets.UTF_8);
      to.writeBytes(little(8).putLong(bytes.length).array());
      to.writeBytes(bytes);
    }

    private static ByteBuffer little(int bytes) {
      return ByteBuffer.allocate(bytes).order(ByteOrder.LITTLE_ENDIAN);
    }
  }

  @Test
  void damaged_experts_are_named() throws IOException {
    new ObjectMapper().writeValue(folder.resolve("config.json").toFile(), config());
    String name = "model.layers.1.mlp.experts.down_proj";
    List<TensorFile.Entry> all = new ArrayList<>();
    try (TensorFile file = TensorFile.open(GOLDEN)) {
      for (String each : file.names()) {
        TensorFile.Entry entry = file.get(each);
        long[] shape = entry.shape();
        all.add(
            each.equals(name + "_scales")
                ? new TensorFile.Entry(
                    each,
                    DType.U8,
                    new long[] {shape[0], shape[1] / 2, 2 * shape[2]},
                    entry.data(),
                    "the test")
                : entry);
      }
      SafetensorsWriter.write(folder.resolve("model.safetensors"), all, Map.of());
    }
    WeightsException e =
        assertThrows(WeightsException.class, () -> AutoModel.loadCausalLm(folder).close());
    assertTrue(e.getMessage().contains(name + "_scales"), e.getMessage());
    assertTrue(e.getMessage().contains("expected U8 [3, 32, 2]"), e.getMessage());
  }

  @Test
  void it_is_not_trained() throws IOException {
    Path model = dense();
    IllegalArgumentException e =
        assertThrows(
            IllegalArgumentException.class,
            () ->
                AutoModel.causalLmForTraining(model, Device.cpu(), TrainingSettings.DEFAULT)
                    .close());
    assertTrue(e.getMessage().contains("gpt_oss"), e.getMessage());
  }
}
