package dev.gatun.weights;

import com.fasterxml.jackson.core.JsonFactory;
import com.fasterxml.jackson.core.JsonGenerator;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.lang.foreign.MemorySegment;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.channels.FileChannel;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;

/**
 * Writes safetensors files; see the format's page at huggingface.co/docs/safetensors. The same
 * tensors give the same bytes.
 */
public final class SafetensorsWriter {
  private static final JsonFactory JSON = new JsonFactory();

  /** Data begins at a multiple of as many bytes; the header ends in spaces for it. */
  private static final int ALIGNMENT = 64;

  /** Bytes given to the file at once; a channel takes a buffer, which ends before 2 GiB. */
  private static final long MOST = 1L << 30;

  private SafetensorsWriter() {}

  /**
   * Writes tensors to a new file, those of wider elements first, so that each begins at a multiple
   * of its element's size.
   *
   * @param path of the file, which is not there yet
   * @param tensors of distinct names; those of elements of one size keep their order
   * @param metadata what the file says about itself, such as {@code format=pt}
   * @throws IllegalArgumentException when two tensors have one name, or one has the name that the
   *     format keeps for metadata
   * @throws IOException if there is such a file already, or it cannot be written
   */
  public static void write(Path path, List<TensorFile.Entry> tensors, Map<String, String> metadata)
      throws IOException {
    Set<String> names = new LinkedHashSet<>();
    for (TensorFile.Entry tensor : tensors) {
      if (tensor.name().equals(SafetensorsHeader.METADATA) || !names.add(tensor.name())) {
        throw new IllegalArgumentException(
            "%s: a second tensor called %s".formatted(path, tensor.name()));
      }
    }
    List<TensorFile.Entry> order = new ArrayList<>(tensors);
    order.sort(Comparator.comparingInt(tensor -> -tensor.dtype().bytes()));
    try (FileChannel file =
        FileChannel.open(path, StandardOpenOption.WRITE, StandardOpenOption.CREATE_NEW)) {
      write(file, MemorySegment.ofArray(header(order, metadata)));
      for (TensorFile.Entry tensor : order) {
        write(file, tensor.data());
      }
    }
  }

  private static byte[] header(List<TensorFile.Entry> tensors, Map<String, String> metadata)
      throws IOException {
    ByteArrayOutputStream text = new ByteArrayOutputStream();
    try (JsonGenerator json = JSON.createGenerator(text)) {
      json.writeStartObject();
      if (!metadata.isEmpty()) {
        json.writeObjectFieldStart(SafetensorsHeader.METADATA);
        for (Map.Entry<String, String> entry : metadata.entrySet()) {
          json.writeStringField(entry.getKey(), entry.getValue());
        }
        json.writeEndObject();
      }
      long begin = 0;
      for (TensorFile.Entry tensor : tensors) {
        long end = begin + tensor.data().byteSize();
        json.writeObjectFieldStart(tensor.name());
        json.writeStringField("dtype", tensor.dtype().name());
        writeLongs(json, "shape", tensor.shape());
        writeLongs(json, "data_offsets", begin, end);
        json.writeEndObject();
        begin = end;
      }
      json.writeEndObject();
    }
    int size = Long.BYTES + text.size();
    for (; size % ALIGNMENT != 0; size++) {
      text.write(' ');
    }
    return ByteBuffer.allocate(size)
        .order(ByteOrder.LITTLE_ENDIAN)
        .putLong(text.size())
        .put(text.toByteArray())
        .array();
  }

  private static void writeLongs(JsonGenerator json, String key, long... values)
      throws IOException {
    json.writeFieldName(key);
    json.writeArray(values, 0, values.length);
  }

  private static void write(FileChannel file, MemorySegment bytes) throws IOException {
    for (long at = 0; at < bytes.byteSize(); at += MOST) {
      ByteBuffer part = bytes.asSlice(at, Math.min(MOST, bytes.byteSize() - at)).asByteBuffer();
      while (part.hasRemaining()) {
        file.write(part);
      }
    }
  }
}
