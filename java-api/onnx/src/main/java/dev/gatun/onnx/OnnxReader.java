package dev.gatun.onnx;

import com.google.protobuf.CodedInputStream;
import com.google.protobuf.InvalidProtocolBufferException;
import com.google.protobuf.WireFormat;
import dev.gatun.weights.WeightsException;
import java.io.IOException;
import java.lang.foreign.MemorySegment;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/** Reads the initializers, the nodes and the metadata of an ONNX ModelProto (onnx.proto). */
final class OnnxReader {
  /** Reads the fields of a message up to its end. */
  interface Fields {
    void read() throws IOException;
  }

  private final String source;
  private final MemorySegment file;
  private final OnnxTensorReader.External external;
  private final CodedInputStream in;

  final Map<String, OnnxTensor> tensors = new LinkedHashMap<>();
  final List<OnnxNode> nodes = new ArrayList<>();
  final Map<String, String> metadata = new LinkedHashMap<>();
  private boolean graphSeen;

  private OnnxReader(MemorySegment file, String source, OnnxTensorReader.External external) {
    this.file = file;
    this.source = source;
    this.external = external;
    if (file.byteSize() > Integer.MAX_VALUE) {
      throw new WeightsException(
          "%s: %d bytes, but an ONNX file ends before 2 GiB (larger models keep external data)"
              .formatted(source, file.byteSize()));
    }
    this.in = CodedInputStream.newInstance(new MappedInput(file));
  }

  /**
   * Reads {@code file}, the whole file's bytes.
   *
   * @throws WeightsException if anything in it is wrong
   * @throws IOException if external data cannot be read
   */
  static OnnxReader read(MemorySegment file, String source, OnnxTensorReader.External external)
      throws IOException {
    OnnxReader reader = new OnnxReader(file, source, external);
    try {
      reader.readModel();
    } catch (InvalidProtocolBufferException e) {
      throw new WeightsException(
          "%s: byte %d of %d: cut off or not an ONNX model: %s"
              .formatted(source, reader.in.getTotalBytesRead(), file.byteSize(), e.getMessage()),
          e);
    }
    if (!reader.graphSeen) {
      throw reader.fail(file.byteSize(), "no graph: not an ONNX model, or cut off");
    }
    return reader;
  }

  private void readModel() throws IOException {
    for (int tag = in.readTag(); tag != 0; tag = in.readTag()) {
      switch (WireFormat.getTagFieldNumber(tag)) {
        case 2 -> metadata.put("producer_name", string(tag, "producer_name"));
        case 3 -> metadata.put("producer_version", string(tag, "producer_version"));
        case 7 -> message(tag, "graph", this::readGraph);
        case 14 -> message(tag, "metadata_props", this::readMetadata);
        default -> in.skipField(tag);
      }
    }
  }

  private void readMetadata() throws IOException {
    String key = "";
    String value = "";
    for (int tag = in.readTag(); tag != 0; tag = in.readTag()) {
      switch (WireFormat.getTagFieldNumber(tag)) {
        case 1 -> key = string(tag, "key");
        case 2 -> value = string(tag, "value");
        default -> in.skipField(tag);
      }
    }
    metadata.put(key, value);
  }

  private void readGraph() throws IOException {
    graphSeen = true;
    for (int tag = in.readTag(); tag != 0; tag = in.readTag()) {
      switch (WireFormat.getTagFieldNumber(tag)) {
        case 1 -> message(tag, "node", this::readNode);
        case 5 -> message(tag, "initializer", this::readInitializer);
        default -> in.skipField(tag);
      }
    }
  }

  private void readInitializer() throws IOException {
    long at = in.getTotalBytesRead();
    OnnxTensor tensor = new OnnxTensorReader(this, in).read();
    if (tensors.putIfAbsent(tensor.name(), tensor) != null) {
      throw fail(at, "two initializers are called %s", tensor.name());
    }
  }

  private void readNode() throws IOException {
    List<String> inputs = new ArrayList<>();
    List<String> outputs = new ArrayList<>();
    String[] names = {"", "", "", ""};
    float[] gemm = {0, 1};
    for (int tag = in.readTag(); tag != 0; tag = in.readTag()) {
      switch (WireFormat.getTagFieldNumber(tag)) {
        case 1 -> inputs.add(string(tag, "input"));
        case 2 -> outputs.add(string(tag, "output"));
        case 3 -> names[0] = string(tag, "name");
        case 4 -> names[1] = string(tag, "op_type");
        case 5 -> message(tag, "attribute", () -> readAttribute(gemm));
        case 7 -> names[2] = string(tag, "domain");
        case 9 -> message(tag, "metadata_props", () -> names[3] = readScopes(names[3]));
        default -> in.skipField(tag);
      }
    }
    nodes.add(
        new OnnxNode(
            names[0], names[1], names[2], names[3], inputs, outputs, gemm[0] != 0, gemm[1]));
  }

  /** The value of a node's metadata that tells the modules it lies in, or what was found before. */
  private String readScopes(String before) throws IOException {
    String key = "";
    String value = "";
    for (int tag = in.readTag(); tag != 0; tag = in.readTag()) {
      switch (WireFormat.getTagFieldNumber(tag)) {
        case 1 -> key = string(tag, "key");
        case 2 -> value = string(tag, "value");
        default -> in.skipField(tag);
      }
    }
    return key.equals("pkg.torch.onnx.name_scopes") ? value : before;
  }

  private void readAttribute(float[] gemm) throws IOException {
    String name = "";
    float f = 0;
    int i = 0;
    for (int tag = in.readTag(); tag != 0; tag = in.readTag()) {
      switch (tag) {
        case 1 << 3 | WireFormat.WIRETYPE_LENGTH_DELIMITED -> name = in.readString();
        case 2 << 3 | WireFormat.WIRETYPE_FIXED32 -> f = in.readFloat();
        case 3 << 3 | WireFormat.WIRETYPE_VARINT -> i = in.readInt32();
        default -> in.skipField(tag);
      }
    }
    if (name.equals("transB")) {
      gemm[0] = i;
    } else if (name.equals("alpha")) {
      gemm[1] = f;
    }
  }

  void message(int tag, String what, Fields fields) throws IOException {
    wire(tag, WireFormat.WIRETYPE_LENGTH_DELIMITED, what);
    int limit = in.pushLimit(in.readRawVarint32());
    fields.read();
    if (in.getBytesUntilLimit() != 0) {
      throw fail(in.getTotalBytesRead(), "%s ends before its length says", what);
    }
    in.popLimit(limit);
  }

  String string(int tag, String what) throws IOException {
    wire(tag, WireFormat.WIRETYPE_LENGTH_DELIMITED, what);
    return in.readString();
  }

  int varint(int tag, String what) throws IOException {
    wire(tag, WireFormat.WIRETYPE_VARINT, what);
    return in.readInt32();
  }

  /** The bytes of a field where they lie in the file. */
  MemorySegment bytes(int tag, String what) throws IOException {
    wire(tag, WireFormat.WIRETYPE_LENGTH_DELIMITED, what);
    int length = in.readRawVarint32();
    int begin = in.getTotalBytesRead();
    in.skipRawBytes(length);
    return file.asSlice(begin, length);
  }

  MemorySegment external(long at, String name, Map<String, String> where) throws IOException {
    try {
      return external.find(name, where);
    } catch (NumberFormatException e) {
      throw new WeightsException(
          "%s: byte %d: initializer %s: external data at %s".formatted(source, at, name, where), e);
    }
  }

  private void wire(int tag, int expected, String what) {
    int found = WireFormat.getTagWireType(tag);
    if (found != expected) {
      throw fail(in.getTotalBytesRead(), "%s has wire type %d, expected %d", what, found, expected);
    }
  }

  WeightsException fail(long at, String format, Object... args) {
    return new WeightsException(source + ": byte " + at + ": " + format.formatted(args));
  }
}
