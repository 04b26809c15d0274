package dev.gatun.onnx;

import com.google.protobuf.ByteString;
import com.google.protobuf.CodedOutputStream;
import dev.gatun.weights.WeightsException;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;

/** Small ONNX models for tests, written field by field. */
final class OnnxModels {
  static final OnnxTensorReader.External NO_FILES =
      (tensor, where) -> {
        throw new WeightsException("fuzz: external data of " + tensor);
      };

  /** Writes the fields of a message. */
  interface Fields {
    void write(CodedOutputStream out) throws IOException;
  }

  private OnnxModels() {}

  static byte[] message(Fields fields) {
    try {
      ByteArrayOutputStream bytes = new ByteArrayOutputStream();
      CodedOutputStream out = CodedOutputStream.newInstance(bytes);
      fields.write(out);
      out.flush();
      return bytes.toByteArray();
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  static void put(CodedOutputStream out, int field, byte[] message) throws IOException {
    out.writeBytes(field, ByteString.copyFrom(message));
  }

  static byte[] floats(float... values) {
    ByteBuffer bytes = ByteBuffer.allocate(4 * values.length).order(ByteOrder.LITTLE_ENDIAN);
    for (float value : values) {
      bytes.putFloat(value);
    }
    return bytes.array();
  }

  /** A TensorProto whose data {@code data} writes. */
  static byte[] tensor(String name, int type, Fields data, long... shape) {
    return message(
        out -> {
          for (long axis : shape) {
            out.writeInt64(1, axis);
          }
          out.writeInt32(2, type);
          out.writeString(8, name);
          data.write(out);
        });
  }

  static byte[] node(String name, String op, String output, String... inputs) {
    return message(
        out -> {
          for (String input : inputs) {
            out.writeString(1, input);
          }
          out.writeString(2, output);
          out.writeString(3, name);
          out.writeString(4, op);
        });
  }

  static byte[] model(Fields graph) {
    return message(
        out -> {
          out.writeInt64(1, 8);
          out.writeString(2, "test");
          put(out, 7, message(graph));
        });
  }

  /** x [.., 2] times onnx::MatMul_1 [2, 3] plus layer.bias [3]. */
  static byte[] linear() {
    return model(
        out -> {
          put(out, 1, node("/layer/MatMul", "MatMul", "y", "x", "onnx::MatMul_1"));
          put(out, 1, node("/layer/Add", "Add", "z", "layer.bias", "y"));
          Fields raw = t -> put(t, 9, floats(1, 2, 3, 4, 5, 6));
          put(out, 5, tensor("onnx::MatMul_1", 1, raw, 2, 3));
          put(out, 5, tensor("layer.bias", 1, t -> put(t, 4, floats(7, 8, 9)), 3));
        });
  }
}
