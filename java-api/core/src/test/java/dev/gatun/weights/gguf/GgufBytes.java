package dev.gatun.weights.gguf;

import java.io.ByteArrayOutputStream;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;

/** Writes the bytes of GGUF files, right and wrong ones. */
final class GgufBytes {
  private final ByteArrayOutputStream out = new ByteArrayOutputStream();

  /** A file's begin. */
  static GgufBytes file(int version, long tensors, long keys) {
    GgufBytes bytes = new GgufBytes();
    bytes.out.writeBytes("GGUF".getBytes(StandardCharsets.US_ASCII));
    return bytes.int32(version).int64(tensors).int64(keys);
  }

  GgufBytes int32(int value) {
    out.writeBytes(ByteBuffer.allocate(4).order(ByteOrder.LITTLE_ENDIAN).putInt(value).array());
    return this;
  }

  GgufBytes int64(long value) {
    out.writeBytes(ByteBuffer.allocate(8).order(ByteOrder.LITTLE_ENDIAN).putLong(value).array());
    return this;
  }

  GgufBytes text(String text) {
    byte[] bytes = text.getBytes(StandardCharsets.UTF_8);
    int64(bytes.length);
    out.writeBytes(bytes);
    return this;
  }

  GgufBytes key(String name, String value) {
    return text(name).int32(8).text(value);
  }

  GgufBytes key(String name, int value) {
    return text(name).int32(4).int32(value);
  }

  GgufBytes key(String name, float value) {
    return text(name).int32(6).int32(Float.floatToIntBits(value));
  }

  /** A tensor's entry, its axes as the file has them, the row's first. */
  GgufBytes tensor(String name, int type, long offset, long... axes) {
    text(name).int32(axes.length);
    for (long axis : axes) {
      int64(axis);
    }
    return int32(type).int64(offset);
  }

  /** Zeros up to a multiple. */
  GgufBytes pad(int multiple) {
    while (out.size() % multiple != 0) {
      out.write(0);
    }
    return this;
  }

  GgufBytes zeros(int count) {
    out.writeBytes(new byte[count]);
    return this;
  }

  GgufBytes raw(byte[] bytes) {
    out.writeBytes(bytes);
    return this;
  }

  byte[] bytes() {
    return out.toByteArray();
  }
}
