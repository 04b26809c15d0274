package dev.gatun.weights;

import static dev.gatun.weights.Safetensors.file;
import static dev.gatun.weights.Safetensors.tensor;
import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.gatun.kernels.api.memory.DType;
import java.io.IOException;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.EnumSource;

class SafetensorsTest {
  private static final String TWO =
      "{\"__metadata__\":{\"format\":\"pt\"},"
          + tensor("layer.weight", "F32", "[2,3]", 0, 24)
          + ","
          + tensor("layer.bias", "I64", "[]", 24, 32)
          + "}";

  @TempDir Path directory;

  private Path write(String name, byte[] bytes) throws IOException {
    return Files.write(directory.resolve(name), bytes);
  }

  private static String error(String header, int data) {
    byte[] bytes = file(header, data);
    return assertThrows(
            WeightsException.class,
            () -> SafetensorsHeader.parse(MemorySegment.ofArray(bytes), "f.safetensors"))
        .getMessage();
  }

  @Test
  void readsTensorsAndMetadataInPlace() throws IOException {
    write("model.safetensors", file(TWO, 32));
    try (TensorFile file = TensorFile.open(directory)) {
      assertEquals(List.of("layer.weight", "layer.bias"), List.copyOf(file.names()));
      assertEquals(Map.of("format", "pt"), file.metadata());
      TensorFile.Entry weight = file.get("layer.weight");
      assertEquals(DType.F32, weight.dtype());
      assertArrayEquals(new long[] {2, 3}, weight.shape());
      assertEquals(6, weight.elements());
      assertEquals(0x03020100, weight.data().get(ValueLayout.JAVA_INT, 0));
      TensorFile.Entry bias = file.get("layer.bias");
      assertEquals(1, bias.elements());
      assertEquals(0x1f1e1d1c1b1a1918L, bias.data().get(ValueLayout.JAVA_LONG, 0));
      assertTrue(weight.data().isReadOnly());
    }
  }

  @ParameterizedTest
  @EnumSource(DType.class)
  void readsEveryElementTypeAlsoWhereItIsMisaligned(DType dtype) throws IOException {
    int bytes = 2 * dtype.bytes();
    String header =
        "{%s,%s}"
            .formatted(
                tensor("odd", "U8", "[1]", 0, 1), tensor("t", dtype.name(), "[2]", 1, 1 + bytes));
    Path path = write("t.safetensors", file(header, 1 + bytes));
    try (TensorFile file = TensorFile.open(path)) {
      TensorFile.Entry entry = file.get("t");
      assertEquals(dtype, entry.dtype());
      assertEquals(0, entry.data().address() % dtype.bytes());
      byte[] expected = new byte[bytes];
      for (int i = 0; i < bytes; i++) {
        expected[i] = (byte) (1 + i);
      }
      assertArrayEquals(expected, entry.data().toArray(ValueLayout.JAVA_BYTE));
    }
  }

  @ParameterizedTest
  @CsvSource({"U16,2", "U32,4", "U64,8", "F8_E4M3,1", "F8_E5M2,1", "C64,8"})
  void otherElementTypesAreRefusedOnlyWhenAskedFor(String dtype, int bytes) throws IOException {
    Path path =
        write("t.safetensors", file("{" + tensor("t", dtype, "[1]", 0, bytes) + "}", bytes));
    try (TensorFile file = TensorFile.open(path)) {
      String message = assertThrows(WeightsException.class, () -> file.get("t")).getMessage();
      assertTrue(message.contains(dtype + " is not supported"), message);
    }
  }

  @Test
  void aMissingTensorComesWithSuggestions() throws IOException {
    Path path = write("model.safetensors", file(TWO, 32));
    try (TensorFile file = TensorFile.open(path)) {
      String message =
          assertThrows(WeightsException.class, () -> file.get("layer.wieght")).getMessage();
      assertTrue(message.contains("layer.weight"), message);
    }
  }

  @Test
  void everyDamageIsNamedWithItsPlaceAndNumbers() {
    Map<String, String> damages =
        Map.ofEntries(
            Map.entry("{" + tensor("t", "F32", "[2]", 0, 4) + "}", "takes 8 bytes"),
            Map.entry("{" + tensor("t", "F32", "[1]", 0, 8) + "}", "[0, 8] must ascend"),
            Map.entry("{" + tensor("t", "F32", "[1]", 4, 0) + "}", "[4, 0] must ascend"),
            Map.entry("{" + tensor("t", "F32", "[-1]", 0, 4) + "}", "shape[0] is -1"),
            Map.entry("{" + tensor("t", "F32", "[1.5]", 0, 4) + "}", "VALUE_NUMBER_FLOAT"),
            Map.entry("{" + tensor("t", "F31", "[1]", 0, 4) + "}", "unknown dtype F31"),
            Map.entry(
                "{" + tensor("t", "F32", "[4294967296,4294967296]", 0, 4) + "}", "be counted"),
            Map.entry("{" + tensor("t", "F32", "[99999999999999999999]", 0, 4) + "}", "2^63-1"),
            Map.entry("{" + tensor("t", "I8", "[3]", 0, 3) + "}", "1 belong to no tensor"),
            Map.entry("{" + tensor("t", "I8", "[3]", 1, 4) + "}", "a hole"),
            Map.entry(
                "{" + tensor("t", "I8", "[3]", 0, 3) + "," + tensor("u", "I8", "[2]", 2, 4) + "}",
                "they overlap"),
            Map.entry(
                "{" + tensor("t", "F32", "[1]", 0, 4) + "," + tensor("t", "F32", "[1]", 0, 4) + "}",
                "Duplicate field 't'"),
            Map.entry("{\"t\":{\"dtype\":\"F32\",\"shape\":[1]}}", "data_offsets is missing"),
            Map.entry("{\"t\":3}", "expected START_OBJECT"),
            Map.entry("{\"t\":{\"colour\":1}}", "unknown key colour"),
            Map.entry("{\"__metadata__\":{\"a\":1}}", "__metadata__.a"),
            Map.entry("{", "not valid JSON"),
            Map.entry("{} {}", "expected the end"),
            Map.entry("[]", "expected '{'"));
    damages.forEach(
        (header, expected) -> {
          String message = header.equals("{") ? error("{ ", 4) : error(header, 4);
          assertTrue(message.startsWith("f.safetensors: byte "), message);
          assertTrue(message.contains(expected), message + " lacks " + expected);
        });
  }

  @Test
  void headerLengthsThatCannotBeAreRefused() {
    for (long length : new long[] {-1, 0, 1, 100_000_001, Long.MIN_VALUE, 40}) {
      byte[] bytes = file("{}", 4);
      MemorySegment file = MemorySegment.ofArray(bytes);
      file.set(ValueLayout.JAVA_LONG_UNALIGNED, 0, length);
      assertThrows(WeightsException.class, () -> SafetensorsHeader.parse(file, "f"));
    }
  }

  @Test
  void truncationAtEveryByteIsNoticed() {
    byte[] whole = file(TWO, 32);
    for (int length = 0; length < whole.length; length++) {
      MemorySegment cut = MemorySegment.ofArray(Arrays.copyOf(whole, length));
      assertThrows(WeightsException.class, () -> SafetensorsHeader.parse(cut, "f"));
    }
  }

  @Test
  void emptyTensorsAndHugeAxesBesideAZeroAreFine() {
    byte[] bytes = file("{" + tensor("t", "F64", "[9223372036854775807,0,4]", 0, 0) + "}", 0);
    SafetensorsHeader header = SafetensorsHeader.parse(MemorySegment.ofArray(bytes), "f");
    assertEquals(1, header.slots().size());
  }

  @Test
  void shardsAreReadThroughTheirIndex() throws IOException {
    write("a.safetensors", file("{" + tensor("x", "U8", "[1]", 0, 1) + "}", 1));
    write("b.safetensors", file("{" + tensor("y", "U8", "[2]", 0, 2) + "}", 2));
    String index = "{\"metadata\":{\"total_size\":3},\"weight_map\":{\"x\":\"%s\",\"%s\":\"%s\"}}";
    Path path = directory.resolve("model.safetensors.index.json");
    Files.writeString(path, index.formatted("a.safetensors", "y", "b.safetensors"));
    try (TensorFile file = TensorFile.open(directory)) {
      assertEquals("[x, y]", file.names().toString());
      assertEquals(2, file.get("y").elements());
      assertEquals("3", file.metadata().get("total_size"));
    }
    Map<String, String> damages =
        Map.of(
            index.formatted("a.safetensors", "z", "b.safetensors"),
            "z is not in shard",
            index.formatted("a.safetensors", "y", "c.safetensors"),
            "is missing",
            index.formatted("a.safetensors", "y", "../b.safetensors"),
            "same directory",
            index.formatted("a.safetensors", "x", "b.safetensors"),
            "Duplicate",
            "{}",
            "weight_map");
    damages.forEach(
        (json, expected) -> {
          String message =
              assertThrows(
                      WeightsException.class,
                      () -> {
                        Files.writeString(path, json);
                        TensorFile.open(path).close();
                      })
                  .getMessage();
          assertTrue(message.contains(expected), message);
        });
  }

  @Test
  void aDirectoryWithoutWeightsSaysWhatWasLookedFor() throws IOException {
    String nothing =
        assertThrows(WeightsException.class, () -> TensorFile.open(directory)).getMessage();
    assertTrue(nothing.contains("onnx/model.onnx"), nothing);
    write("pytorch_model.bin", new byte[1]);
    String pickled =
        assertThrows(WeightsException.class, () -> TensorFile.open(directory)).getMessage();
    assertTrue(pickled.contains("pytorch_model.bin: no zip archive"), pickled);
    assertThrows(NoSuchFileException.class, () -> TensorFile.open(directory.resolve("none")));
  }

  @Test
  void aClosedFileIsRefused() throws IOException {
    Path path = write("model.safetensors", file(TWO, 32));
    TensorFile file = TensorFile.open(path);
    MemorySegment data = file.get("layer.weight").data();
    file.close();
    file.close();
    assertThrows(IllegalStateException.class, () -> file.get("layer.weight"));
    assertThrows(IllegalStateException.class, () -> data.get(ValueLayout.JAVA_BYTE, 0));
  }
}
