package dev.gatun.bench.generation;

import com.fasterxml.jackson.databind.ObjectMapper;
import dev.gatun.compression.GgufQuantizer;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.channels.FileChannel;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.nio.file.StandardOpenOption;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.TreeMap;
import java.util.stream.IntStream;
import java.util.stream.Stream;

/**
 * Writes a model of a shape with random weights: as a Hugging Face directory in bf16, and as GGUF
 * files of the same numbers. What is there already is kept.
 */
final class RandomDecoder {
  private static final ObjectMapper JSON = new ObjectMapper();
  private static final int ALIGNMENT = 32;

  // GGUF's numbers of the types of values and tensors.
  private static final int UINT32 = 4;
  private static final int FLOAT32 = 6;
  private static final int STRING = 8;
  private static final int F32 = 0;
  private static final int VERSION = 3;

  private final DecoderShape shape;
  private final Path folder;

  /** In a folder of its own beneath one. */
  RandomDecoder(DecoderShape shape, Path folder) {
    this.shape = shape;
    this.folder = folder.resolve(shape.name());
  }

  /** {@code config.json} and {@code model.safetensors}. */
  Path directory() throws IOException {
    Path file = folder.resolve("model.safetensors");
    if (!Files.exists(file)) {
      Files.createDirectories(folder);
      JSON.writeValue(folder.resolve("config.json").toFile(), shape.config());
      Map<String, Object> header = new LinkedHashMap<>();
      long[] begins = new long[shape.weights().size() + 1];
      for (int i = 0; i < shape.weights().size(); i++) {
        DecoderShape.Weight weight = shape.weights().get(i);
        begins[i + 1] = begins[i] + bytes(weight, RandomRows.Type.BF16, 2);
        header.put(
            weight.name(),
            Map.of(
                "dtype",
                "BF16",
                "shape",
                weight.isNorm() ? List.of(weight.rows()) : List.of(weight.rows(), weight.columns()),
                "data_offsets",
                List.of(begins[i], begins[i + 1])));
      }
      String text = JSON.writeValueAsString(header);
      text += " ".repeat(Math.floorMod(-8 - text.length(), ALIGNMENT));
      ByteBuffer head = ByteBuffer.allocate(8 + text.length()).order(ByteOrder.LITTLE_ENDIAN);
      head.putLong(text.length()).put(text.getBytes(StandardCharsets.UTF_8));
      write(file, head.array(), begins, RandomRows.Type.BF16, false);
    }
    return folder;
  }

  /** A GGUF file whose matrices are of a type; norms are F32. */
  Path gguf(RandomRows.Type type) throws IOException {
    Path file = folder.resolve(type.name().toLowerCase(Locale.ROOT) + ".gguf");
    if (!Files.exists(file)) {
      Files.createDirectories(folder);
      long[] begins = new long[shape.weights().size() + 1];
      for (int i = 0; i < shape.weights().size(); i++) {
        begins[i + 1] = aligned(begins[i] + bytes(shape.weights().get(i), type, 4));
      }
      write(file, ggufHeader(type, begins), begins, type, true);
    }
    return file;
  }

  /** A GGUF file of a type; of one that does not hold the numbers what Gatun's quantiser makes. */
  Path stored(String type) throws IOException {
    String name = type.toUpperCase(Locale.ROOT);
    if (Stream.of(RandomRows.Type.values()).anyMatch(t -> t.name().equals(name))) {
      return gguf(RandomRows.Type.valueOf(name));
    }
    Path file = folder.resolve(type + ".gguf");
    if (!Files.exists(file)) {
      GgufQuantizer.quantize(gguf(RandomRows.Type.Q8_0), file, name, null);
    }
    return file;
  }

  /** The bits of an element in a GGUF file of a type, the mean of its tensors. */
  static double bits(String type) {
    return switch (type) {
      case "q4_0" -> 4.5;
      case "q4_k_m" -> 4.83;
      case "q5_k" -> 5.5;
      case "q6_k" -> 6.5625;
      case "q8_0" -> 8.5;
      default -> 16;
    };
  }

  private byte[] ggufHeader(RandomRows.Type type, long[] begins) {
    ByteArrayOutputStream head = new ByteArrayOutputStream();
    head.writeBytes("GGUF".getBytes(StandardCharsets.US_ASCII));
    put(head, 4, VERSION);
    put(head, 8, shape.weights().size());
    put(head, 8, shape.metadata().size());
    new TreeMap<>(shape.metadata()).forEach((key, value) -> put(head, key, value));
    for (int i = 0; i < shape.weights().size(); i++) {
      DecoderShape.Weight weight = shape.weights().get(i);
      put(head, weight.gguf());
      put(head, 4, weight.isNorm() ? 1 : 2);
      if (!weight.isNorm()) {
        put(head, 8, weight.columns());
      }
      put(head, 8, weight.rows());
      put(head, 4, weight.isNorm() ? F32 : type.ggml);
      put(head, 8, begins[i]);
    }
    while (head.size() % ALIGNMENT != 0) {
      head.write(0);
    }
    return head.toByteArray();
  }

  private static void put(ByteArrayOutputStream to, String key, Object value) {
    put(to, key);
    switch (value) {
      case String text -> {
        put(to, 4, STRING);
        put(to, text);
      }
      case Integer number -> {
        put(to, 4, UINT32);
        put(to, 4, number);
      }
      case Float number -> {
        put(to, 4, FLOAT32);
        put(to, 4, Float.floatToRawIntBits(number));
      }
      default -> throw new IllegalArgumentException(key + ": " + value);
    }
  }

  private static void put(ByteArrayOutputStream to, String text) {
    byte[] bytes = text.getBytes(StandardCharsets.UTF_8);
    put(to, 8, bytes.length);
    to.writeBytes(bytes);
  }

  private static void put(ByteArrayOutputStream to, int bytes, long number) {
    for (int i = 0; i < bytes; i++) {
      to.write((int) (number >>> 8 * i));
    }
  }

  private static long bytes(DecoderShape.Weight weight, RandomRows.Type type, int norms) {
    return weight.isNorm()
        ? (long) norms * weight.rows()
        : weight.rows() * type.bytes(weight.columns());
  }

  private static long aligned(long bytes) {
    return Math.ceilDiv(bytes, ALIGNMENT) * ALIGNMENT;
  }

  /** Writes all, under another name until it is whole. */
  private void write(Path file, byte[] head, long[] begins, RandomRows.Type type, boolean gguf)
      throws IOException {
    Path part = file.resolveSibling(file.getFileName() + ".part");
    try (FileChannel channel =
            FileChannel.open(
                part,
                StandardOpenOption.CREATE,
                StandardOpenOption.TRUNCATE_EXISTING,
                StandardOpenOption.READ,
                StandardOpenOption.WRITE);
        Arena arena = Arena.ofShared()) {
      MemorySegment all =
          channel.map(
              FileChannel.MapMode.READ_WRITE, 0, head.length + begins[begins.length - 1], arena);
      MemorySegment.copy(head, 0, all, ValueLayout.JAVA_BYTE, 0, head.length);
      for (int i = 0; i < shape.weights().size(); i++) {
        write(shape.weights().get(i), type, gguf, all, head.length + begins[i]);
      }
    }
    Files.move(part, file, StandardCopyOption.ATOMIC_MOVE);
  }

  private static void write(
      DecoderShape.Weight weight, RandomRows.Type type, boolean gguf, MemorySegment to, long at) {
    if (weight.isNorm()) {
      for (int i = 0; i < weight.rows(); i++) {
        if (gguf) {
          to.set(ValueLayout.JAVA_FLOAT_UNALIGNED, at + 4L * i, 1f);
        } else {
          to.set(ValueLayout.JAVA_SHORT_UNALIGNED, at + 2L * i, (short) 0x3f80);
        }
      }
      return;
    }
    RandomRows rows = new RandomRows(weight.name(), weight.columns());
    long bytes = type.bytes(weight.columns());
    IntStream.range(0, weight.rows())
        .parallel()
        .forEach(row -> rows.write(gguf ? weight.source(row) : row, type, to, at + row * bytes));
  }
}
