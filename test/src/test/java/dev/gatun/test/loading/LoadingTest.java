package dev.gatun.test.loading;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.gatun.kernels.api.call.elementwise.Activation;
import dev.gatun.kernels.api.memory.BlockFormat;
import dev.gatun.kernels.api.memory.Storage;
import dev.gatun.nn.Compute;
import dev.gatun.nn.Linear;
import dev.gatun.tensor.Device;
import dev.gatun.test.devices.ChildJvm;
import dev.gatun.weights.Loader;
import dev.gatun.weights.TensorFile;
import dev.gatun.weights.WeightTypes;
import java.io.IOException;
import java.io.RandomAccessFile;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.condition.EnabledOnOs;
import org.junit.jupiter.api.condition.OS;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** What loading takes beside the weights that are kept. */
@EnabledOnOs(OS.LINUX)
final class LoadingTest {
  /** More than half of the parameters as floats would be; no tensor of the file fits four times. */
  private static final int HEAP_MEGABYTES = 48;

  /** What a JVM takes for itself while it runs a little code, and a part of a weight. */
  private static final long BESIDE = 100L << 20;

  @TempDir Path folder;

  @ParameterizedTest
  @CsvSource({"BF16, 2.1", "INT4:64, 0.6"})
  void a_model_takes_no_more_than_its_packed_weights(String storage, double bytesEach)
      throws Exception {
    WideEncoder encoder = new WideEncoder(8192, 1024, 4096, 4);
    encoder.write(folder);
    ChildJvm.Outcome outcome =
        ChildJvm.run(
            folder,
            Map.of(),
            List.of("-Xmx" + HEAP_MEGABYTES + "m"),
            LoadRuns.class,
            folder.toString(),
            storage,
            "2");
    assertEquals(0, outcome.code(), outcome::err);
    String[] words = outcome.out().strip().split(" ");
    long anonymous = Long.parseLong(words[4]);
    long held = Long.parseLong(words[6]);
    long tables = 2L * (8192 + 512 + 2) * 1024;
    assertTrue(held <= bytesEach * encoder.linearParameters() + tables, outcome.out());
    assertTrue(anonymous <= held + BESIDE, outcome.out());
  }

  /** One tensor of 2^31 + 2^16 elements: zeros, which a file need not have on a disk. */
  @Test
  @Tag("full")
  void a_tensor_of_more_than_two_to_the_31_elements_loads() throws IOException {
    long out = (1L << 15) + 1;
    long in = 1L << 16;
    Path path = folder.resolve("model.safetensors");
    byte[] header =
        "{\"layer.weight\":{\"dtype\":\"BF16\",\"shape\":[%d,%d],\"data_offsets\":[0,%d]}}     "
            .formatted(out, in, 2 * out * in)
            .getBytes(StandardCharsets.UTF_8);
    try (RandomAccessFile file = new RandomAccessFile(path.toFile(), "rw")) {
      file.write(
          ByteBuffer.allocate(8).order(ByteOrder.LITTLE_ENDIAN).putLong(header.length).array());
      file.write(header);
      file.setLength(8 + header.length + 2 * out * in);
      // The last row is of ones.
      byte[] row = new byte[(int) (2 * in)];
      for (int i = 0; i < row.length; i += 2) {
        row[i] = (byte) 0x80;
        row[i + 1] = 0x3f;
      }
      file.seek(8 + header.length + 2 * (out - 1) * in);
      file.write(row);
    }
    Device cpu = Device.cpu();
    try (TensorFile file = TensorFile.open(path);
        Loader loader =
            new Loader(
                file,
                path.toString(),
                cpu,
                null,
                WeightTypes.of(Storage.of(BlockFormat.int4(128))),
                Compute.EXACT)) {
      Linear linear = loader.linear(new Loader.Layer("layer", out, false), in, Activation.NONE);
      float[] ones = new float[(int) in];
      java.util.Arrays.fill(ones, 1);
      try (var x = dev.gatun.tensor.Tensor.of(cpu, ones, 1, in);
          var y = linear.forward(x)) {
        float[] sums = y.toFloatArray();
        assertEquals(0, sums[0]);
        assertEquals(0, sums[(int) out - 2]);
        assertEquals(in, sums[(int) out - 1], in * 1e-3);
      }
    }
  }
}
