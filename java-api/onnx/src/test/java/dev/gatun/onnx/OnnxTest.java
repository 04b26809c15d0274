package dev.gatun.onnx;

import static dev.gatun.onnx.OnnxModels.floats;
import static dev.gatun.onnx.OnnxModels.linear;
import static dev.gatun.onnx.OnnxModels.message;
import static dev.gatun.onnx.OnnxModels.model;
import static dev.gatun.onnx.OnnxModels.node;
import static dev.gatun.onnx.OnnxModels.put;
import static dev.gatun.onnx.OnnxModels.tensor;
import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.gatun.kernels.api.memory.DType;
import dev.gatun.weights.TensorFile;
import dev.gatun.weights.WeightsException;
import java.io.IOException;
import java.io.InputStream;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.Set;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class OnnxTest {
  @TempDir Path directory;

  private TensorFile open(byte[] bytes) throws IOException {
    return TensorFile.open(Files.write(directory.resolve("m.onnx"), bytes));
  }

  private static float[] values(TensorFile.Entry entry) {
    return entry.data().toArray(ValueLayout.JAVA_FLOAT);
  }

  @Test
  void anAnonymousWeightIsNamedAfterItsBiasAndTurned() throws IOException {
    try (TensorFile file = open(linear())) {
      assertEquals(Set.of("layer.weight", "layer.bias"), file.names());
      assertArrayEquals(new long[] {3, 2}, file.get("layer.weight").shape());
      assertArrayEquals(new float[] {1, 4, 2, 5, 3, 6}, values(file.get("layer.weight")));
      assertArrayEquals(new float[] {7, 8, 9}, values(file.get("layer.bias")));
      assertEquals("test", file.metadata().get("producer_name"));
    }
  }

  @Test
  void gemmScopesAndIdentitiesGiveNamesToo() throws IOException {
    byte[] gemm =
        message(
            out -> {
              out.writeRawBytes(node("g", "Gemm", "y", "x", "onnx::Gemm_1", "a.bias"));
              put(
                  out,
                  5,
                  message(
                      a -> {
                        a.writeString(1, "transB");
                        a.writeInt64(3, 1);
                      }));
            });
    OnnxModels.Fields two = t -> put(t, 9, floats(1, 2));
    byte[] model =
        model(
            out -> {
              put(out, 1, gemm);
              put(out, 1, node("/b/c/MatMul", "MatMul", "z", "y", "onnx::MatMul_2"));
              put(out, 1, node("i", "Identity", "d.weight", "a.bias"));
              put(out, 1, node("m", "MatMul", "w", "z", "onnx::MatMul_3"));
              put(out, 5, tensor("onnx::Gemm_1", 1, two, 1, 2));
              put(out, 5, tensor("onnx::MatMul_2", 1, two, 1, 2));
              put(out, 5, tensor("onnx::MatMul_3", 1, two, 2, 1));
              put(out, 5, tensor("a.bias", 1, t -> put(t, 9, floats(5)), 1));
            });
    try (TensorFile file = open(model)) {
      assertEquals(
          Set.of("a.weight", "a.bias", "b.c.weight", "d.weight", "onnx::MatMul_3"), file.names());
      assertArrayEquals(new long[] {1, 2}, file.get("a.weight").shape());
      assertArrayEquals(new long[] {2, 1}, file.get("b.c.weight").shape());
      assertArrayEquals(new float[] {5}, values(file.get("d.weight")));
    }
  }

  @Test
  void quantisedAndFusedGraphsAreToldForWhatTheyAre() {
    byte[] quantised =
        model(
            out -> {
              put(out, 1, node("a", "MatMulInteger", "y", "x", "w_quantized"));
              put(out, 1, node("b", "DynamicQuantizeLinear", "x", "z"));
              put(out, 1, node("c", "MatMulInteger", "v", "u", "w2_quantized"));
            });
    String said = assertThrows(WeightsException.class, () -> open(quantised)).getMessage();
    assertTrue(
        said.contains(
            "m.onnx: a quantised model (1 DynamicQuantizeLinear, 2 MatMulInteger): its weights are"
                + " codes for ONNX Runtime; give the file of floats"),
        said);
    byte[] fused =
        model(
            out ->
                put(
                    out,
                    1,
                    message(
                        n -> {
                          n.writeRawBytes(node("a", "SkipLayerNormalization", "y", "x"));
                          n.writeString(7, "com.microsoft");
                        })));
    said = assertThrows(WeightsException.class, () -> open(fused)).getMessage();
    assertTrue(said.contains("optimizer fused (1 SkipLayerNormalization of com.microsoft)"), said);
  }

  @Test
  void aGraphOfOneLengthIsToldForWhatItIs() {
    byte[] model =
        model(
            out -> {
              put(out, 5, tensor("embeddings.LayerNorm.bias", 1, t -> put(t, 9, floats(1)), 1));
              put(out, 5, tensor("embedding_2", 1, t -> put(t, 9, floats(1, 2)), 1, 2, 1));
            });
    String said = assertThrows(WeightsException.class, () -> open(model)).getMessage();
    assertTrue(said.contains("for texts of 2 tokens only (embedding_2 is [1, 2, 1]"), said);
    assertTrue(said.contains("export it again with dynamic_shapes"), said);
  }

  @Test
  void namesOfAFirstModuleAreTheModelsOwn() throws IOException {
    for (String prefix : List.of("0.auto_model.", "auto_model.", "0.model.", "")) {
      byte[] model =
          model(out -> put(out, 5, tensor(prefix + "norm.bias", 1, t -> put(t, 9, floats(1)), 1)));
      try (TensorFile file = open(model)) {
        assertEquals(Set.of("norm.bias"), file.names());
      }
    }
  }

  @Test
  void constantsOfTheGraphAreNoTensorsOfTheModel() throws IOException {
    byte[] model =
        model(
            out -> {
              put(out, 5, tensor("val_7", 7, t -> put(t, 7, new byte[] {1, 2}), 2));
              put(out, 5, tensor("val_9", 1, t -> put(t, 9, floats(1))));
              put(out, 5, tensor("new_ones", 9, t -> put(t, 9, new byte[] {1})));
              put(out, 5, tensor("val_60", 1, t -> put(t, 9, floats(1, 2)), 2, 1));
              put(out, 5, tensor("embeddings.position_ids", 7, t -> put(t, 7, new byte[] {0}), 1));
            });
    try (TensorFile file = open(model)) {
      assertEquals(Set.of("val_60", "embeddings.position_ids"), file.names());
    }
  }

  @Test
  void everyKindOfDataIsRead() throws IOException {
    byte[] model =
        model(
            out -> {
              OnnxModels.Fields ints =
                  t -> {
                    t.writeInt32(5, 1);
                    t.writeInt32(5, -2);
                  };
              OnnxModels.Fields longs = t -> put(t, 7, new byte[] {1, 2});
              OnnxModels.Fields doubles = t -> t.writeDouble(10, 2.5);
              OnnxModels.Fields singles =
                  t -> {
                    put(t, 4, floats(1));
                    t.writeFloat(4, 2);
                  };
              put(out, 5, tensor("t.i32", 6, ints, 2));
              put(out, 5, tensor("t.i8", 3, ints, 2));
              put(out, 5, tensor("t.f16", 10, ints, 2));
              put(out, 5, tensor("t.bf16", 16, ints, 2));
              put(out, 5, tensor("t.i64", 7, longs, 2));
              put(out, 5, tensor("t.f64", 11, doubles));
              put(out, 5, tensor("t.f32", 1, singles, 2));
              put(out, 5, tensor("t.u32", 12, longs, 2));
            });
    try (TensorFile file = open(model)) {
      assertEquals(-2, file.get("t.i32").data().getAtIndex(ValueLayout.JAVA_INT, 1));
      assertEquals(-2, file.get("t.i8").data().get(ValueLayout.JAVA_BYTE, 1));
      assertEquals(-2, file.get("t.f16").data().getAtIndex(ValueLayout.JAVA_SHORT, 1));
      assertEquals(DType.BF16, file.get("t.bf16").dtype());
      assertEquals(2, file.get("t.i64").data().getAtIndex(ValueLayout.JAVA_LONG, 1));
      assertEquals(2.5, file.get("t.f64").data().get(ValueLayout.JAVA_DOUBLE, 0));
      assertArrayEquals(new float[] {1, 2}, values(file.get("t.f32")));
      assertThrows(WeightsException.class, () -> file.get("t.u32"));
    }
  }

  @Test
  void externalDataIsReadFromTheSameDirectoryOnly() throws IOException {
    Files.write(directory.resolve("w.data"), floats(0, 1, 2, 3));
    try (TensorFile file = open(external("w.data", "4"))) {
      assertArrayEquals(new float[] {1, 2}, values(file.get("t.weight")));
    }
    assertThrows(WeightsException.class, () -> open(external("../w.data", "4")));
    assertThrows(WeightsException.class, () -> open(external("none.data", "4")));
    assertThrows(WeightsException.class, () -> open(external("w.data", "12")));
    assertThrows(WeightsException.class, () -> open(external("w.data", "four")));
  }

  private static byte[] external(String location, String offset) {
    return model(
        out ->
            put(
                out,
                5,
                tensor(
                    "t.weight",
                    1,
                    t -> {
                      put(t, 13, pair("location", location));
                      put(t, 13, pair("offset", offset));
                      put(t, 13, pair("length", "8"));
                      t.writeInt32(14, 1);
                    },
                    2)));
  }

  private static byte[] pair(String key, String value) {
    return message(
        out -> {
          out.writeString(1, key);
          out.writeString(2, value);
        });
  }

  @Test
  void truncationAtEveryByteIsNoticed() {
    byte[] whole = linear();
    for (int length = 0; length < whole.length; length++) {
      MemorySegment cut = MemorySegment.ofArray(Arrays.copyOf(whole, length));
      WeightsException e =
          assertThrows(
              WeightsException.class, () -> OnnxReader.read(cut, "f", OnnxModels.NO_FILES));
      assertTrue(e.getMessage().startsWith("f: byte "), e.getMessage());
    }
  }

  @Test
  void aRealExportHasTheNamesOfTheStateDict() throws IOException {
    Path path = directory.resolve("model.onnx");
    try (InputStream in = OnnxTest.class.getResourceAsStream("/all-minilm-l6-v2.onnx")) {
      Files.copy(in, path);
    }
    try (TensorFile file = TensorFile.open(directory)) {
      assertEquals(102, file.names().size());
      assertTrue(file.names().stream().noneMatch(n -> n.contains("::")), file.names().toString());
      String layer = "encoder.layer.5.";
      assertShape(file, "embeddings.word_embeddings.weight", 30522, 384);
      assertShape(file, layer + "attention.self.query.weight", 384, 384);
      assertShape(file, layer + "attention.output.dense.weight", 384, 384);
      assertShape(file, layer + "intermediate.dense.weight", 1536, 384);
      assertShape(file, layer + "output.dense.weight", 384, 1536);
      assertShape(file, layer + "output.LayerNorm.weight", 384);
    }
  }

  private static void assertShape(TensorFile file, String name, long... shape) {
    assertArrayEquals(shape, file.get(name).shape(), name);
  }
}
