package dev.gatun.weights;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.gatun.kernels.api.memory.DType;
import java.io.IOException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.file.FileAlreadyExistsException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Random;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

final class SafetensorsWriterTest {
  private static final long[][] SHAPES = {{}, {0}, {1}, {7}, {3, 5}, {2, 0, 3}, {65, 3}};

  @TempDir Path folder;

  private static TensorFile.Entry tensor(Random random, String name, DType dtype, long... shape) {
    long elements = 1;
    for (long axis : shape) {
      elements *= axis;
    }
    byte[] bytes = new byte[(int) elements * dtype.bytes()];
    random.nextBytes(bytes);
    MemorySegment data =
        Arena.ofAuto().allocate(bytes.length, 8).copyFrom(MemorySegment.ofArray(bytes));
    return new TensorFile.Entry(name, dtype, shape, data, "a test");
  }

  /** Every element type and odd shapes, beside each other, come back as they were. */
  @Test
  void what_is_written_is_read() throws IOException {
    Random random = new Random(1);
    List<TensorFile.Entry> tensors = new ArrayList<>();
    for (long[] shape : SHAPES) {
      for (DType dtype : DType.values()) {
        tensors.add(tensor(random, "layer \"" + tensors.size() + "\" \u00e9", dtype, shape));
      }
    }
    Path path = folder.resolve("model.safetensors");
    SafetensorsWriter.write(path, tensors, Map.of("format", "pt"));
    try (TensorFile file = TensorFile.open(path)) {
      assertEquals(Map.of("format", "pt"), file.metadata());
      assertEquals(tensors.size(), file.names().size());
      for (TensorFile.Entry written : tensors) {
        TensorFile.Entry read = file.get(written.name());
        assertEquals(written.dtype(), read.dtype());
        assertArrayEquals(written.shape(), read.shape());
        assertEquals(-1, written.data().mismatch(read.data()), written.name());
        assertTrue(read.data().isMapped(), "copied, for it is not aligned: " + read);
      }
    }
  }

  @Test
  void a_file_without_tensors_and_metadata_is_a_file() throws IOException {
    Path path = folder.resolve("model.safetensors");
    SafetensorsWriter.write(path, List.of(), Map.of());
    try (TensorFile file = TensorFile.open(path)) {
      assertTrue(file.names().isEmpty());
      assertTrue(file.metadata().isEmpty());
    }
  }

  /** The bytes that the format's page asks for, the numbers at multiples of 64. */
  @Test
  void the_bytes_are_those_of_the_format() throws IOException {
    TensorFile.Entry narrow = tensor(new Random(2), "n", DType.U8, 3);
    TensorFile.Entry wide = tensor(new Random(3), "w", DType.F32, 1, 2);
    Path path = folder.resolve("model.safetensors");
    SafetensorsWriter.write(path, List.of(narrow, wide), Map.of());
    ByteBuffer bytes = ByteBuffer.wrap(Files.readAllBytes(path)).order(ByteOrder.LITTLE_ENDIAN);
    String header =
        "{\"w\":{\"dtype\":\"F32\",\"shape\":[1,2],\"data_offsets\":[0,8]},"
            + "\"n\":{\"dtype\":\"U8\",\"shape\":[3],\"data_offsets\":[8,11]}}";
    long length = bytes.getLong();
    byte[] json = new byte[(int) length];
    bytes.get(json);
    assertEquals(header, new String(json, java.nio.charset.StandardCharsets.UTF_8).stripTrailing());
    assertEquals(0, (8 + length) % 64);
    byte[] data = new byte[bytes.remaining()];
    bytes.get(data);
    assertEquals(11, data.length);
    MemorySegment found = MemorySegment.ofArray(data);
    assertEquals(-1, wide.data().mismatch(found.asSlice(0, 8)));
    assertArrayEquals(
        narrow.data().toArray(ValueLayout.JAVA_BYTE),
        found.asSlice(8, 3).toArray(ValueLayout.JAVA_BYTE));
  }

  @Test
  void names_are_unique_and_files_are_not_overwritten() throws IOException {
    Random random = new Random(4);
    Path path = folder.resolve("model.safetensors");
    TensorFile.Entry one = tensor(random, "one", DType.F32, 2);
    assertThrows(
        IllegalArgumentException.class,
        () -> SafetensorsWriter.write(path, List.of(one, one), Map.of()));
    assertThrows(
        IllegalArgumentException.class,
        () ->
            SafetensorsWriter.write(
                path, List.of(tensor(random, "__metadata__", DType.F32, 2)), Map.of()));
    assertTrue(Files.notExists(path));
    SafetensorsWriter.write(path, List.of(one), Map.of());
    assertThrows(
        FileAlreadyExistsException.class,
        () -> SafetensorsWriter.write(path, List.of(one), Map.of()));
  }
}
