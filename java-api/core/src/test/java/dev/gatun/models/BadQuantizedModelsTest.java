package dev.gatun.models;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.fasterxml.jackson.databind.node.ObjectNode;
import com.fasterxml.jackson.databind.util.RawValue;
import dev.gatun.models.ModelFiles.Stored;
import dev.gatun.tensor.Device;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;

/** Checkpoints of GPTQ and AWQ that are damaged or of other kinds: what is wrong is named. */
final class BadQuantizedModelsTest {
  private static final String OUTPUT = "bert.encoder.layer.0.output.dense";
  private static final String KEY = "bert.encoder.layer.0.attention.self.key";
  private static final long[][] IDS = {{2, 5, 6, 7, 3}, {2, 9, 3}};

  @TempDir private Path folder;

  private long before;

  @BeforeEach
  void remember() {
    before = Device.cpu().memory().allocatedBytes();
  }

  @AfterEach
  void nothing_is_held() {
    assertEquals(before, Device.cpu().memory().allocatedBytes());
  }

  private interface Change {
    void to(ModelFiles files);
  }

  private static Arguments bad(String golden, String message, Change change) {
    return Arguments.of(golden, message, change);
  }

  private static Arguments setting(String golden, String key, String value, String message) {
    return bad(
        golden,
        message,
        files -> {
          ObjectNode settings = (ObjectNode) files.config.get("quantization_config");
          if (value == null) {
            settings.remove(key);
          } else {
            settings.putRawValue(key, new RawValue(value));
          }
        });
  }

  private static Arguments missing(String golden, String tensor, String message) {
    return bad(golden, message, files -> files.tensors.remove(tensor));
  }

  private static Arguments shaped(String golden, String tensor, String message, long... shape) {
    return bad(
        golden,
        message,
        files -> {
          Stored old = files.tensors.get(tensor);
          long count = Arrays.stream(shape).reduce(1, (a, b) -> a * b);
          int width =
              (int) (old.data().length / Arrays.stream(old.shape()).reduce(1, (a, b) -> a * b));
          files.tensors.put(tensor, new Stored(old.dtype(), shape, new byte[(int) count * width]));
        });
  }

  /** Writes little-endian bytes at a place. */
  private static Arguments bytes(
      String golden, String tensor, int at, int value, int width, String message) {
    return bad(golden, message, files -> set(files, tensor, at, value, width));
  }

  private static void set(ModelFiles files, String tensor, int at, int value, int width) {
    ByteBuffer data =
        ByteBuffer.wrap(files.tensors.get(tensor).data()).order(ByteOrder.LITTLE_ENDIAN);
    if (width == 2) {
      data.putShort(2 * at, (short) value);
    } else {
      data.putInt(4 * at, value);
    }
  }

  static Stream<Arguments> checkpoints() {
    String gptq = "quantized/gptq-act-order";
    String awq = "quantized/awq";
    return Stream.of(
        setting(
            gptq,
            "quant_method",
            "\"fp8\"",
            "'quantization_config.quant_method' is \"fp8\", expected gptq, awq, mxfp4 or gatun"),
        setting(
            gptq,
            "quant_method",
            null,
            "'quantization_config.quant_method' is null, expected gptq, awq, mxfp4 or gatun"),
        setting(
            gptq, "quant_method", "4", "'quantization_config.quant_method' is 4, expected a text"),
        setting(gptq, "bits", "3", "'quantization_config.bits' is 3, expected 4 or 8"),
        setting(gptq, "bits", null, "'quantization_config.bits' is missing"),
        setting(
            gptq,
            "checkpoint_format",
            "\"marlin\"",
            "'quantization_config.checkpoint_format' is \"marlin\", expected gptq or gptq_v2"),
        setting(
            gptq,
            "group_size",
            "48",
            "'quantization_config.group_size' is 48, expected -1 or a multiple of 32"),
        setting(
            gptq,
            "group_size",
            "0",
            "'quantization_config.group_size' is 0, expected -1 or a multiple of 32"),
        setting(
            "quantized/gptq-channel",
            "group_size",
            "96",
            "output.dense.qweight' has 256 input features, which the group size 96 does not"
                + " divide"),
        setting(
            gptq,
            "group_size",
            "64",
            "query.qzeros' has shape [2, 8], expected [1, 8] of a layer with 64 output and 64 input"
                + " features in groups of 64"),
        setting(
            gptq, "bits", "8", "query.qweight' has shape [8, 64], expected [16, 64] of a layer"),
        setting(
            gptq, "sym", "\"yes\"", "'quantization_config.sym' is \"yes\", expected true or false"),
        setting(awq, "bits", "8", "'quantization_config.bits' is 8, expected 4"),
        setting(
            awq, "version", "\"gemv\"", "'quantization_config.version' is \"gemv\", expected gemm"),
        bad(
            gptq,
            "'quantization_config' is 7, expected an object",
            files -> files.config.put("quantization_config", 7)),
        bad(
            gptq,
            "no tensors bert.encoder.layer.0.",
            files -> files.config.remove("quantization_config")),
        missing(
            gptq,
            OUTPUT + ".g_idx",
            "no tensor '" + OUTPUT + ".g_idx', which the quantised layer needs; it has "),
        missing(
            gptq,
            OUTPUT + ".qzeros",
            "no tensor '" + OUTPUT + ".qzeros', which the quantised layer needs; it has "),
        missing(gptq, OUTPUT + ".scales", "no tensor '" + OUTPUT + ".scales'"),
        missing(gptq, OUTPUT + ".qweight", "no tensor '" + OUTPUT + ".qweight'"),
        missing(awq, OUTPUT + ".qzeros", "no tensor '" + OUTPUT + ".qzeros'"),
        missing(awq, OUTPUT + ".bias", "no tensor " + OUTPUT + ".bias"),
        shaped(
            gptq,
            OUTPUT + ".g_idx",
            ".g_idx' has shape [255], expected [256] of a layer with 64 output and 256 input",
            255),
        shaped(gptq, OUTPUT + ".scales", ".scales' has shape [64, 8], expected [8, 64]", 64, 8),
        shaped(awq, OUTPUT + ".qweight", ".qweight' has shape [32, 64], expected [256, 8]", 32, 64),
        bad(
            gptq,
            "key.qweight' is F32, expected I32",
            files ->
                files.tensors.computeIfPresent(
                    KEY + ".qweight", (n, t) -> new Stored("F32", t.shape(), t.data()))),
        bad(
            gptq,
            "key.scales' is I16, expected F16, BF16 or F32",
            files ->
                files.tensors.computeIfPresent(
                    KEY + ".scales", (n, t) -> new Stored("I16", t.shape(), t.data()))),
        bytes(
            gptq,
            KEY + ".scales",
            64 + 5,
            0x7e00,
            2,
            "key.scales' has NaN at [1, 5], expected finite numbers"),
        bytes(
            awq,
            KEY + ".scales",
            3,
            0xfc00,
            2,
            "key.scales' has -Infinity at [0, 3], expected finite numbers"),
        bytes(
            gptq, OUTPUT + ".g_idx", 7, 8, 4, "g_idx' has 8 at [7], expected a group from 0 to 7"),
        bytes(
            gptq,
            OUTPUT + ".g_idx",
            7,
            -1,
            4,
            "g_idx' has -1 at [7], expected a group from 0 to 7"),
        bad(
            gptq,
            "g_idx' gives group 0 more than the 32 input features of a group",
            files -> Arrays.fill(files.tensors.get(OUTPUT + ".g_idx").data(), (byte) 0)));
  }

  @ParameterizedTest(name = "{0}: {1}")
  @MethodSource("checkpoints")
  void what_is_wrong_is_named(String golden, String message, Change change) throws IOException {
    ModelFiles files = ModelFiles.read(golden);
    change.to(files);
    files.write(folder);
    String said =
        assertThrows(IllegalArgumentException.class, () -> AutoModel.load(folder).close())
            .getMessage();
    assertTrue(said.contains(message), said);
    assertTrue(said.contains(folder.toString()), said);
  }

  @Test
  void middle_zero_points_that_are_stored_as_they_are_in_an_old_format() throws IOException {
    ModelFiles files = ModelFiles.read("quantized/gptq-sym");
    files.write(folder);
    float[] right = encode();
    files.tensors.forEach(
        (name, tensor) -> {
          if (name.endsWith(".qzeros")) {
            assertEquals(0x77, tensor.data()[0]);
            Arrays.fill(tensor.data(), (byte) 0x88);
          }
        });
    files.write(folder);
    assertArrayEquals(right, encode());
  }

  @Test
  void groups_in_order_need_no_index() throws IOException {
    ModelFiles files = ModelFiles.read("quantized/gptq-asym");
    files.write(folder);
    float[] right = encode();
    files.tensors.keySet().removeIf(name -> name.endsWith(".g_idx"));
    files.write(folder);
    assertArrayEquals(right, encode());
  }

  private float[] encode() throws IOException {
    try (EncoderModel model = AutoModel.load(folder);
        EncoderModel.Encoded encoded = model.encode(IDS, null)) {
      return encoded.hidden().toFloatArray();
    }
  }
}
