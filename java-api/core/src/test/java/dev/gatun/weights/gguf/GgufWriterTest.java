package dev.gatun.weights.gguf;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.gatun.kernels.api.memory.DType;
import dev.gatun.weights.TensorFile;
import dev.gatun.weights.WeightsException;
import dev.gatun.weights.gguf.GgufArchitecture.Move;
import java.io.IOException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Random;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** What is written is what is read, whole or not at all. */
final class GgufWriterTest {
  @TempDir private Path folder;

  private static GgufTensor floats(String name, float[] values, long... shape) {
    MemorySegment data = Arena.ofAuto().allocate(4L * values.length, 64);
    MemorySegment.copy(values, 0, data, ValueLayout.JAVA_FLOAT, 0, values.length);
    TensorFile.Entry entry = new TensorFile.Entry(name, DType.F32, shape, data, "here");
    long columns = shape[shape.length - 1];
    return new GgufTensor(
        name,
        shape,
        "F32",
        new HfRows(List.of(entry), Move.NONE, null, values.length / columns, columns));
  }

  private static float[] random(int count) {
    Random random = new Random(7);
    float[] values = new float[count];
    for (int i = 0; i < count; i++) {
      values[i] = (float) random.nextGaussian();
    }
    return values;
  }

  private static GgufHeader read(Path file, Arena arena) throws IOException {
    try (var channel = java.nio.channels.FileChannel.open(file)) {
      MemorySegment all =
          channel.map(java.nio.channels.FileChannel.MapMode.READ_ONLY, 0, channel.size(), arena);
      return GgufHeader.parse(all, file.toString());
    }
  }

  @Test
  void every_kind_of_value_is_read_again() throws IOException {
    GgufKeys keys = new GgufKeys();
    Object[] values = {
      200L, -7L, 60000L, -300L, 4000000000L, -5L, 1.5, true, null, null, -9L, 1L << 40, 0.1
    };
    for (GgufValue.Type type : GgufValue.Type.values()) {
      Object value = values[type.ordinal()];
      if (value != null) {
        keys.put("of." + type, new GgufValue.Scalar(type, value));
      }
    }
    keys.text("a.text", "héllo ▁ 😀").texts("texts", List.of("a", "", "漢字"));
    keys.floats("floats", new float[] {1, -0.25f}).ints("ints", new int[] {3, -4});
    keys.bytes("bytes", new byte[] {1, -1}).uint32("u", 4294967295L).float32("f", 1e-6);
    keys.flag("no", false);
    Path file = folder.resolve("keys.gguf");
    GgufWriter.write(file, keys, List.of(), _ -> "F32", _ -> null, (_, _) -> {});
    try (Arena arena = Arena.ofConfined()) {
      GgufHeader header = read(file, arena);
      GgufMetadata found = new GgufMetadata("it", header.values());
      for (GgufValue.Type type : GgufValue.Type.values()) {
        if (values[type.ordinal()] != null) {
          assertEquals(values[type.ordinal()], found.scalar("of." + type), type.toString());
        }
      }
      assertEquals("héllo ▁ 😀", found.text("a.text").orElseThrow());
      assertEquals(List.of("a", "", "漢字"), found.texts("texts"));
      assertArrayEquals(new double[] {1, -0.25}, found.numbers("floats"));
      assertArrayEquals(new long[] {3, -4}, found.integers("ints"));
      assertArrayEquals(new long[] {1, 255}, found.integers("bytes"));
      assertEquals((double) 1e-6f, found.number("f", 0));
      assertEquals(4294967295L, found.scalar("u"));
      assertEquals(3, header.version());
    }
    assertThrows(IllegalArgumentException.class, () -> keys.uint32("u", -1));
  }

  @Test
  void tensors_lie_at_the_alignment_that_the_keys_say() throws IOException {
    Path file = folder.resolve("aligned.gguf");
    float[] values = random(3 * 64);
    GgufKeys keys = new GgufKeys().uint32("general.alignment", 256);
    GgufWriter.write(
        file,
        keys,
        List.of(floats("a", values, 3, 64), floats("b", new float[] {1, 2, 3}, 3)),
        t -> t.name().equals("a") ? "F16" : "F32",
        _ -> null,
        (_, _) -> {});
    try (Arena arena = Arena.ofConfined()) {
      GgufHeader header = read(file, arena);
      GgufHeader.Slot a = header.tensors().get("a");
      assertEquals(0, a.begin() % 256);
      assertEquals(0, header.tensors().get("b").begin() % 256);
      assertArrayEquals(new long[] {3, 64}, a.shape());
      MemorySegment all = MemorySegment.ofArray(Files.readAllBytes(file));
      for (int i = 0; i < values.length; i++) {
        short half = all.get(ValueLayout.JAVA_SHORT_UNALIGNED, a.begin() + 2L * i);
        assertEquals(
            Float.float16ToFloat(Float.floatToFloat16(values[i])), Float.float16ToFloat(half));
      }
    }
  }

  @Test
  void a_file_that_cannot_be_written_is_as_it_was_before() throws IOException {
    Path file = folder.resolve("kept.gguf");
    Files.writeString(file, "before");
    float[] values = random(64);
    values[5] = Float.NaN;
    List<GgufTensor> tensors = List.of(floats("blk.0.attn_q.weight", values, 1, 64));
    String message =
        assertThrows(
                WeightsException.class,
                () ->
                    GgufWriter.write(
                        file, new GgufKeys(), tensors, _ -> "Q4_0", _ -> null, (_, _) -> {}))
            .getMessage();
    assertTrue(message.contains("'blk.0.attn_q.weight' as Q4_0"), message);
    assertEquals("before", Files.readString(file));
    GgufKeys wrong = new GgufKeys().uint32("general.alignment", 48);
    assertThrows(
        WeightsException.class,
        () -> GgufWriter.write(file, wrong, tensors, _ -> "F32", _ -> null, (_, _) -> {}));
    message =
        assertThrows(
                WeightsException.class,
                () ->
                    GgufWriter.write(
                        file, new GgufKeys(), tensors, _ -> "Q4_K", _ -> null, (_, _) -> {}))
            .getMessage();
    assertTrue(message.contains("rows of 64, expected a multiple of 256"), message);
    Path nowhere = folder.resolve("no/such/file.gguf");
    message =
        assertThrows(
                IOException.class,
                () ->
                    GgufWriter.write(
                        nowhere, new GgufKeys(), tensors, _ -> "F32", _ -> null, (_, _) -> {}))
            .getMessage();
    assertTrue(message.contains("there is no directory"), message);
    try (Stream<Path> left = Files.list(folder)) {
      assertEquals(List.of(file), left.toList());
    }
  }
}
