package dev.gatun.weights;

import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;

/** Bytes of safetensors files for tests. */
final class Safetensors {
  private Safetensors() {}

  /** A file of {@code header} and {@code data} bytes 0, 1, 2, ... */
  static byte[] file(String header, int data) {
    byte[] json = header.getBytes(StandardCharsets.UTF_8);
    ByteBuffer file = ByteBuffer.allocate(8 + json.length + data).order(ByteOrder.LITTLE_ENDIAN);
    file.putLong(json.length).put(json);
    for (int i = 0; i < data; i++) {
      file.put((byte) i);
    }
    return file.array();
  }

  /** The header's entry of a tensor. */
  static String tensor(String name, String dtype, String shape, long begin, long end) {
    return "\"%s\":{\"dtype\":\"%s\",\"shape\":%s,\"data_offsets\":[%d,%d]}"
        .formatted(name, dtype, shape, begin, end);
  }
}
