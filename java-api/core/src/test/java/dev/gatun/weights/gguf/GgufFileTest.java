package dev.gatun.weights.gguf;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.gatun.kernels.api.memory.DType;
import dev.gatun.weights.TensorFile;
import dev.gatun.weights.WeightsException;
import java.io.IOException;
import java.lang.foreign.ValueLayout;
import java.nio.file.Files;
import java.nio.file.Path;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/** What is read of a GGUF file, and how what is wrong with one is told. */
final class GgufFileTest {
  private static final int F32 = 0;
  private static final int Q4_0 = 2;

  @TempDir Path folder;

  private Path write(String name, byte[] bytes) throws IOException {
    return Files.write(folder.resolve(name), bytes);
  }

  private String error(byte[] bytes) throws IOException {
    Path file = write("bad.gguf", bytes);
    String message =
        assertThrows(WeightsException.class, () -> TensorFile.open(file).close()).getMessage();
    assertTrue(message.startsWith(file.toString()), message);
    return message;
  }

  private static GgufBytes llama(int version, long tensors) {
    return GgufBytes.file(version, tensors, 1).key("general.architecture", "llama");
  }

  private static byte[] norm(int version) {
    return llama(version, 1).tensor("output_norm.weight", F32, 0, 4).pad(32).zeros(16).bytes();
  }

  @Test
  void versions_2_and_3_are_read() throws IOException {
    for (int version : new int[] {2, 3}) {
      try (TensorFile file = TensorFile.open(write("v.gguf", norm(version)))) {
        TensorFile.Entry entry = file.get("model.norm.weight");
        assertEquals(DType.F32, entry.dtype());
        assertArrayEquals(new long[] {4}, entry.shape());
      }
    }
  }

  @Test
  void other_versions_and_byte_orders_are_refused_by_name() throws IOException {
    assertTrue(error(norm(1)).contains("version 1 of GGUF, expected 2 or 3"));
    assertTrue(error(norm(4)).contains("version 4 of GGUF"));
    assertTrue(error(norm(3 << 24)).contains("big-endian"));
    assertTrue(error("PK\3\4 and more".getBytes()).contains("not a GGUF file"));
    assertTrue(error(new byte[0]).contains("byte 0"));
  }

  @ParameterizedTest
  @CsvSource({"enc.blk.0, t5", "enc.blk.1, umt5", "dec.blk.1, umt5"})
  void a_t5_whose_layers_have_tables_of_their_own_is_a_umt5(String layer, String type)
      throws IOException {
    GgufBytes bytes = GgufBytes.file(3, 1, 4).key("general.architecture", "t5");
    bytes.key("t5.block_count", 2).key("t5.attention.head_count", 2).key("t5.embedding_length", 4);
    bytes.tensor(layer + ".attn_rel_b.weight", F32, 0, 2, 8).pad(32).zeros(64);
    try (GgufFile file = GgufFile.open(write("t5.gguf", bytes.bytes()))) {
      assertEquals(type, file.config().path("model_type").asText());
    }
  }

  @Test
  void architectures_without_a_model_are_refused_by_name() throws IOException {
    String message = error(GgufBytes.file(3, 0, 1).key("general.architecture", "mamba").bytes());
    assertTrue(message.contains("'mamba'") && message.contains("llama"), message);
  }

  @Test
  void types_that_are_not_read_say_what_to_do() throws IOException {
    assertTrue(tensorOf(31).contains("removed from ggml"), tensorOf(31));
    assertTrue(tensorOf(138).contains("ik_llama.cpp"), tensorOf(138));
    assertTrue(tensorOf(77).contains("not known"), tensorOf(77));
  }

  private String tensorOf(int type) throws IOException {
    return error(llama(3, 1).tensor("output.weight", type, 0, 256).pad(32).zeros(512).bytes());
  }

  @Test
  void rows_must_be_whole_blocks() throws IOException {
    String message =
        error(llama(3, 1).tensor("output.weight", Q4_0, 0, 33, 2).pad(32).zeros(64).bytes());
    assertTrue(message.contains("rows of 33, expected a multiple of 32"), message);
  }

  @Test
  void places_must_follow_each_other_within_the_file() throws IOException {
    GgufBytes hole = llama(3, 2).tensor("a", F32, 0, 4).tensor("b", F32, 64, 4).pad(32).zeros(128);
    assertTrue(error(hole.bytes()).contains("there is a hole"));
    GgufBytes overlap =
        llama(3, 2).tensor("a", F32, 0, 16).tensor("b", F32, 32, 4).pad(32).zeros(128);
    assertTrue(error(overlap.bytes()).contains("they overlap"));
    GgufBytes outside = llama(3, 1).tensor("a", F32, 0, 16).pad(32).zeros(63);
    assertTrue(error(outside.bytes()).contains("cut off"));
    GgufBytes huge = llama(3, 1).tensor("a", F32, 0, 1L << 40, 1L << 40).pad(32).zeros(64);
    assertTrue(error(huge.bytes()).contains("more bytes than can be counted"));
    GgufBytes axes = llama(3, 1).text("a").int32(-1).zeros(64);
    assertTrue(error(axes.bytes()).contains("4294967295 axes"));
  }

  @Test
  void names_come_once() throws IOException {
    GgufBytes tensors = llama(3, 2).tensor("a", F32, 0, 8).tensor("a", F32, 32, 8);
    assertTrue(error(tensors.pad(32).zeros(64).bytes()).contains("tensor 'a' is there twice"));
    GgufBytes keys = GgufBytes.file(3, 0, 2).key("k", 1).key("k", 2);
    assertTrue(error(keys.bytes()).contains("key 'k' is there twice"));
  }

  @Test
  void arrays_of_arrays_and_odd_alignments_are_refused() throws IOException {
    GgufBytes nested = GgufBytes.file(3, 0, 1).text("k").int32(9).int32(9).int64(1);
    assertTrue(error(nested.zeros(32).bytes()).contains("array of arrays"));
    for (int alignment : new int[] {0, 33, 1 << 30}) {
      GgufBytes bytes =
          GgufBytes.file(3, 0, 2)
              .key("general.architecture", "llama")
              .key("general.alignment", alignment);
      assertTrue(error(bytes.bytes()).contains("power of two"));
    }
  }

  @Test
  void counts_larger_than_the_file_are_told_before_anything_is_made() throws IOException {
    assertTrue(error(GgufBytes.file(3, 0, 1L << 60).bytes()).contains("byte 24"));
    assertTrue(error(GgufBytes.file(3, -1, 0).bytes()).contains("more than a file holds"));
    GgufBytes text = GgufBytes.file(3, 0, 1).int64(1L << 40);
    assertTrue(error(text.bytes()).contains("length of 1099511627776 bytes"));
    GgufBytes array = GgufBytes.file(3, 0, 1).text("k").int32(9).int32(10).int64(1L << 61);
    assertTrue(error(array.zeros(64).bytes()).contains("2305843009213693952 values"));
  }

  /** The types whose bytes ggml's own code made, with what it made of them again. */
  @ParameterizedTest
  @ValueSource(strings = {"gguf-blocks", "gguf-blocks-more"})
  void every_type_gives_the_numbers_that_ggml_gives(String golden) throws IOException {
    Path expected = Path.of("..", "..", "test", "goldens", golden, "expected.safetensors");
    int types = 0;
    try (TensorFile values = TensorFile.open(expected)) {
      for (String name : values.names()) {
        if (!name.endsWith(".bytes")) {
          continue;
        }
        String type = name.substring("out.".length(), name.length() - ".bytes".length());
        byte[] blocks = values.get(name).data().toArray(ValueLayout.JAVA_BYTE);
        float[] want =
            values.get("out." + type + ".values").data().toArray(ValueLayout.JAVA_FLOAT_UNALIGNED);
        int rows = want.length / 512;
        GgufBytes bytes = llama(3, 1).tensor("output.weight", id(type), 0, 512, rows).pad(32);
        try (TensorFile file = TensorFile.open(write("t.gguf", bytes.raw(blocks).bytes()))) {
          assertEquals(type, file.info("lm_head.weight").type());
          TensorFile.Entry got = file.get("lm_head.weight");
          for (int i = 0; i < want.length; i++) {
            float value =
                switch (got.dtype()) {
                  case F32 -> got.data().getAtIndex(ValueLayout.JAVA_FLOAT_UNALIGNED, i);
                  case F16 ->
                      Float.float16ToFloat(
                          got.data().getAtIndex(ValueLayout.JAVA_SHORT_UNALIGNED, i));
                  default ->
                      Float.intBitsToFloat(
                          got.data().getAtIndex(ValueLayout.JAVA_SHORT_UNALIGNED, i) << 16);
                };
            assertEquals(want[i], value, type + ", element " + i);
          }
        }
        types++;
      }
    }
    assertTrue(types >= 10, types + " types");
  }

  private static int id(String type) {
    for (int id = 0; id < 64; id++) {
      if (GgufType.of(id) != null && GgufType.of(id).name().equals(type)) {
        return id;
      }
    }
    throw new AssertionError("ggml has no type " + type);
  }

  private byte[] shard(int number, int count, int all, boolean architecture) {
    GgufBytes bytes = GgufBytes.file(3, 1, architecture ? 4 : 3);
    if (architecture) {
      bytes.key("general.architecture", "llama");
    }
    bytes.key("split.no", number).key("split.count", count).key("split.tensors.count", all);
    return bytes.tensor("blk." + number + ".attn_norm.weight", F32, 0, 4).pad(32).zeros(16).bytes();
  }

  @Test
  void any_part_of_a_split_file_opens_all() throws IOException {
    Path first = write("m-00001-of-00002.gguf", shard(0, 2, 2, true));
    Path second = write("m-00002-of-00002.gguf", shard(1, 2, 2, false));
    for (Path path : new Path[] {first, second, folder}) {
      try (TensorFile file = TensorFile.open(path)) {
        assertEquals(2, file.names().size());
        assertTrue(file.get("model.layers.1.input_layernorm.weight").source().contains("00002"));
      }
    }
    Files.delete(first);
    String missing =
        assertThrows(WeightsException.class, () -> TensorFile.open(second)).getMessage();
    assertTrue(missing.contains("missing beside it: m-00001-of-00002.gguf"), missing);
    write("m-00001-of-00002.gguf", shard(1, 2, 2, true));
    String wrong = assertThrows(WeightsException.class, () -> TensorFile.open(second)).getMessage();
    assertTrue(wrong.contains("split.no"), wrong);
  }

  @Test
  void a_folder_of_several_models_asks_for_one() throws IOException {
    write("a.gguf", norm(3));
    write("b.gguf", norm(3));
    String message =
        assertThrows(WeightsException.class, () -> TensorFile.open(folder)).getMessage();
    assertTrue(message.contains("a.gguf, b.gguf"), message);
  }
}
