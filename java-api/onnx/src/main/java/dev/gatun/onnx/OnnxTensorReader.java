package dev.gatun.onnx;

import com.google.protobuf.CodedInputStream;
import com.google.protobuf.WireFormat;
import dev.gatun.kernels.api.memory.DType;
import dev.gatun.weights.Shapes;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.lang.foreign.MemorySegment;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.Arrays;
import java.util.HashMap;
import java.util.Map;

/** Reads one TensorProto (onnx.proto) of a mapped file. */
final class OnnxTensorReader {
  /** Finds the bytes of a tensor that lie in another file. */
  interface External {
    MemorySegment find(String tensor, Map<String, String> where) throws IOException;
  }

  private final OnnxReader reader;
  private final CodedInputStream in;
  private final long start;

  private String name = "";
  private long[] shape = new long[0];
  private int type;
  private int location;
  private MemorySegment raw;
  private MemorySegment floats;
  private final ByteArrayOutputStream values = new ByteArrayOutputStream();
  private int valueBytes;
  private final Map<String, String> external = new HashMap<>();

  OnnxTensorReader(OnnxReader reader, CodedInputStream in) {
    this.reader = reader;
    this.in = in;
    this.start = in.getTotalBytesRead();
  }

  OnnxTensor read() throws IOException {
    for (int tag = in.readTag(); tag != 0; tag = in.readTag()) {
      switch (WireFormat.getTagFieldNumber(tag)) {
        case 1 -> readEach(tag, () -> addAxis(in.readInt64()));
        case 2 -> type = reader.varint(tag, "data_type");
        case 4 -> readFloats(tag);
        case 5 -> readEach(tag, () -> addValue(in.readInt32(), 4));
        case 7 -> readEach(tag, () -> addValue(in.readInt64(), 8));
        case 8 -> name = reader.string(tag, "name");
        case 9 -> raw = reader.bytes(tag, "raw_data");
        case 10 -> readEach(tag, () -> addValue(in.readRawLittleEndian64(), 8));
        case 13 -> reader.message(tag, "external_data", this::readExternal);
        case 14 -> location = reader.varint(tag, "data_location");
        default -> in.skipField(tag);
      }
    }
    return finish();
  }

  private interface Element {
    void read() throws IOException;
  }

  /** A repeated scalar, packed or not. */
  private void readEach(int tag, Element element) throws IOException {
    if (WireFormat.getTagWireType(tag) != WireFormat.WIRETYPE_LENGTH_DELIMITED) {
      element.read();
      return;
    }
    int limit = in.pushLimit(in.readRawVarint32());
    while (in.getBytesUntilLimit() > 0) {
      element.read();
    }
    in.popLimit(limit);
  }

  private void readFloats(int tag) throws IOException {
    boolean packed = WireFormat.getTagWireType(tag) == WireFormat.WIRETYPE_LENGTH_DELIMITED;
    if (packed && floats == null && values.size() == 0) {
      floats = reader.bytes(tag, "float_data");
      return;
    }
    if (floats != null) {
      values.writeBytes(floats.toArray(java.lang.foreign.ValueLayout.JAVA_BYTE));
      floats = null;
    }
    readEach(tag, () -> addValue(in.readRawLittleEndian32(), 4));
  }

  private void readExternal() throws IOException {
    String key = "";
    String value = "";
    for (int tag = in.readTag(); tag != 0; tag = in.readTag()) {
      switch (WireFormat.getTagFieldNumber(tag)) {
        case 1 -> key = reader.string(tag, "key");
        case 2 -> value = reader.string(tag, "value");
        default -> in.skipField(tag);
      }
    }
    external.put(key, value);
  }

  private void addAxis(long axis) {
    if (shape.length == 64) {
      throw reader.fail(start, "initializer %s: more than 64 axes", name);
    }
    shape = Arrays.copyOf(shape, shape.length + 1);
    shape[shape.length - 1] = axis;
  }

  private void addValue(long value, int bytes) {
    valueBytes = bytes;
    for (int i = 0; i < bytes; i++) {
      values.write((int) (value >>> 8 * i));
    }
  }

  private OnnxTensor finish() throws IOException {
    DType dtype = dtype(type);
    if (dtype == null) {
      return new OnnxTensor(name, null, type, shape, null);
    }
    MemorySegment data = data(dtype);
    long bytes = Shapes.bytes(shape, 8L * dtype.bytes());
    if (bytes != data.byteSize()) {
      throw reader.fail(
          start,
          "initializer %s: shape %s of %s takes %s but %d bytes are there",
          name,
          Arrays.toString(shape),
          dtype,
          bytes < 0 ? "a size that cannot be counted" : bytes + " bytes",
          data.byteSize());
    }
    return new OnnxTensor(name, dtype, type, shape, data);
  }

  private MemorySegment data(DType dtype) throws IOException {
    if (location == 1) {
      return reader.external(start, name, external);
    }
    if (raw != null) {
      return raw;
    }
    if (floats != null) {
      return floats;
    }
    byte[] wide = values.toByteArray();
    if (valueBytes == 0 || valueBytes == dtype.bytes()) {
      return MemorySegment.ofArray(wide);
    }
    if (valueBytes < dtype.bytes()) {
      throw reader.fail(
          start, "initializer %s: elements of %d bytes cannot be %s", name, valueBytes, dtype);
    }
    int count = wide.length / valueBytes;
    ByteBuffer narrow = ByteBuffer.allocate(count * dtype.bytes()).order(ByteOrder.LITTLE_ENDIAN);
    for (int i = 0; i < count; i++) {
      narrow.put(wide, i * valueBytes, dtype.bytes());
    }
    return MemorySegment.ofArray(narrow.array());
  }

  /** The element types of onnx.proto's TensorProto.DataType that are read. */
  private static DType dtype(int onnx) {
    return switch (onnx) {
      case 1 -> DType.F32;
      case 2 -> DType.U8;
      case 3 -> DType.I8;
      case 5 -> DType.I16;
      case 6 -> DType.I32;
      case 7 -> DType.I64;
      case 9 -> DType.BOOL;
      case 10 -> DType.F16;
      case 11 -> DType.F64;
      case 16 -> DType.BF16;
      default -> null;
    };
  }
}
