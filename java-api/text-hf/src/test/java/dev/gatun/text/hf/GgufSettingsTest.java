package dev.gatun.text.hf;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import dev.gatun.text.Tokenizer;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.Iterator;
import java.util.List;
import java.util.stream.StreamSupport;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/** The keys that say how a vocabulary of GGUF is used, against llama.cpp. */
final class GgufSettingsTest {
  private static final Path GOLDENS = Path.of("..", "..", "test", "goldens", "tokenizers");
  private static final String KEY = "tokenizer.ggml.";
  private static final List<String> FLAGS =
      List.of("add_bos_token", "add_eos_token", "add_space_prefix", "remove_extra_whitespaces");
  private static final int TYPE_BOOL = 7;
  private static final int TYPE_TEXT = 8;

  /** Behind the number of the version and that of the tensors. */
  private static final int COUNT = 16;

  @TempDir Path folder;

  private static JsonNode golden() throws IOException {
    return new ObjectMapper().readTree(GOLDENS.resolve("settings.json").toFile());
  }

  static Iterator<String> ways() throws IOException {
    return golden().path("pre").fieldNames();
  }

  @ParameterizedTest
  @MethodSource("ways")
  void texts_are_cut_as_pre_says(String name) throws IOException {
    JsonNode golden = golden();
    byte[] file = Files.readAllBytes(GOLDENS.resolve("loose-bpe.vocab.gguf"));
    byte[] text = name.getBytes(StandardCharsets.UTF_8);
    byte[] value = numbers(Long.BYTES + text.length).putLong(text.length).put(text).array();
    check(with(file, "pre", TYPE_TEXT, value), golden.path("texts"), golden.path("pre").path(name));
  }

  static Iterator<JsonNode> flags() throws IOException {
    return golden().path("flags").iterator();
  }

  @ParameterizedTest
  @MethodSource("flags")
  void spaces_and_ends_are_as_flags_say(JsonNode each) throws IOException {
    byte[] file = Files.readAllBytes(GOLDENS.resolve(each.path("file").asText() + ".vocab.gguf"));
    for (String flag : FLAGS) {
      file = without(file, flag);
    }
    for (String flag : FLAGS) {
      if (each.path("set").has(flag)) {
        byte value = (byte) (each.path("set").path(flag).booleanValue() ? 1 : 0);
        file = with(file, flag, TYPE_BOOL, new byte[] {value});
      }
    }
    check(file, golden().path("spaced"), each.path("ids"));
  }

  @Test
  void a_text_becomes_no_token_that_is_there_for_its_id_alone() throws IOException {
    try (Tokenizer tokenizer = Tokenizer.load(GOLDENS.resolve("sp-unigram.vocab.gguf"))) {
      int eos = tokenizer.specialTokens().eos().orElseThrow();
      int unknown = tokenizer.specialTokens().unk().orElseThrow();
      String text = tokenizer.idToToken(eos).orElseThrow();
      long[] ids = tokenizer.encode(text + " " + text).ids();
      assertTrue(ids.length > 5, Arrays.toString(ids));
      assertEquals(1, Arrays.stream(ids).filter(id -> id == eos).count());
      assertEquals(text, tokenizer.decode(new long[] {eos}, false));
      assertEquals("", tokenizer.decode(new long[] {eos}, true));
      String spelt = tokenizer.idToToken(unknown).orElseThrow();
      assertTrue(tokenizer.encode(spelt).ids().length > 3);
      assertEquals(spelt, tokenizer.decode(new long[] {unknown}, false));
    }
  }

  private void check(byte[] file, JsonNode texts, JsonNode wanted) throws IOException {
    Path path = Files.write(folder.resolve("model.gguf"), file);
    try (Tokenizer tokenizer = Tokenizer.load(path)) {
      assertTrue(!texts.isEmpty() && texts.size() == wanted.size());
      for (int i = 0; i < texts.size(); i++) {
        String text = texts.get(i).textValue();
        long[] want =
            StreamSupport.stream(wanted.get(i).spliterator(), false)
                .mapToLong(JsonNode::longValue)
                .toArray();
        assertArrayEquals(want, tokenizer.encode(text).ids(), text);
      }
    }
  }

  private static ByteBuffer numbers(int bytes) {
    return ByteBuffer.allocate(bytes).order(ByteOrder.LITTLE_ENDIAN);
  }

  private static byte[] entry(String key, int type) {
    byte[] name = (KEY + key).getBytes(StandardCharsets.US_ASCII);
    return numbers(Long.BYTES + name.length + Integer.BYTES)
        .putLong(name.length)
        .put(name)
        .putInt(type)
        .array();
  }

  /** The file with a key more, before the others. */
  private static byte[] with(byte[] file, String key, int type, byte[] value) {
    ByteArrayOutputStream out = new ByteArrayOutputStream();
    int begin = COUNT + Long.BYTES;
    out.write(file, 0, begin);
    out.writeBytes(entry(key, type));
    out.writeBytes(value);
    out.write(file, begin, file.length - begin);
    return counted(out.toByteArray(), 1);
  }

  /** The file without a flag. */
  private static byte[] without(byte[] file, String key) {
    byte[] entry = entry(key, TYPE_BOOL);
    for (int at = 0; at + entry.length < file.length; at++) {
      if (Arrays.equals(file, at, at + entry.length, entry, 0, entry.length)) {
        ByteArrayOutputStream out = new ByteArrayOutputStream();
        out.write(file, 0, at);
        int rest = at + entry.length + 1;
        out.write(file, rest, file.length - rest);
        return counted(out.toByteArray(), -1);
      }
    }
    return file;
  }

  private static byte[] counted(byte[] file, int more) {
    ByteBuffer header = ByteBuffer.wrap(file).order(ByteOrder.LITTLE_ENDIAN);
    header.putLong(COUNT, header.getLong(COUNT) + more);
    return file;
  }
}
