package dev.gatun.test.devices;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.gatun.kernels.api.memory.Storage;
import dev.gatun.models.AutoModel;
import dev.gatun.models.EncoderInputs;
import dev.gatun.models.EncoderModel;
import dev.gatun.models.EncoderOutput;
import dev.gatun.models.TokenBatch;
import dev.gatun.nn.Compute;
import dev.gatun.tensor.Device;
import dev.gatun.tensor.Tensor;
import dev.gatun.test.emulator.Emulator;
import dev.gatun.test.emulator.Emulator.Counts;
import dev.gatun.weights.TensorFile;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.lang.foreign.ValueLayout;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.StringJoiner;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/**
 * What a model asks of the driver between its inputs and its outputs: no wait, and no copy to or
 * from the host. What describes a batch crosses once, however many layers read it.
 */
final class ForwardPassTest {
  private static final long[][] IDS = {{2, 5, 6, 7, 3}, {2, 9, 3, 0, 0}};
  private static final long[][] MASK = {{1, 1, 1, 1, 1}, {1, 1, 1, 0, 0}};

  private static final ObjectMapper JSON = new ObjectMapper();

  @TempDir private Path folder;

  private Device cuda;
  private long before;

  @BeforeEach
  void open() {
    assumeTrue(Emulator.isEmulated(), "a device counts nothing");
    Emulator.open();
    cuda = Device.cuda(0);
    before = cuda.memory().allocatedBytes();
  }

  @AfterEach
  void restore() {
    if (cuda != null) {
      assertEquals(before, cuda.memory().allocatedBytes(), "memory is given back");
    }
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "bert-tokens",
        "roberta-tokens",
        "xlm-roberta-tokens",
        "distilbert-tokens",
        "electra-tokens",
        "deberta-tokens",
        "deberta-v2-tokens",
        "deberta-v2-conv",
        "deberta-v2-embedding-size",
        "mpnet-tokens",
        "albert-groups",
        "modernbert-tokens",
        "nomic-bert-tokens",
        "gte-tokens"
      })
  void an_encoder_asks_the_host_for_nothing(String golden) throws IOException {
    counts(Path.of("goldens", golden));
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "bert-mlm",
        "roberta-mlm",
        "xlm-roberta-mlm",
        "distilbert-mlm",
        "electra-mlm",
        "deberta-mlm",
        "deberta-v2-mlm",
        "mpnet-mlm",
        "albert-mlm",
        "modernbert-mlm",
        "nomic-bert-mlm",
        "gte-mlm",
        "deberta-v2-conv"
      })
  void what_describes_a_batch_crosses_once_for_all_layers(String golden) throws IOException {
    Counts one = counts(firstLayer(Path.of("goldens", golden)));
    Counts two = counts(Path.of("goldens", golden));
    assertTrue(
        two.of("cuLaunchKernel").calls() > one.of("cuLaunchKernel").calls() + 3,
        "the second layer has kernels of its own");
    assertEquals(one.of("cuMemcpyHtoDAsync"), two.of("cuMemcpyHtoDAsync"));
  }

  /** What a batch and a pass ask for together. */
  private Counts counts(Path model) throws IOException {
    try (EncoderModel encoder = AutoModel.load(model, cuda, Storage.F32, Compute.EXACT)) {
      // Loads the kernels.
      try (TokenBatch batch = encoder.batch(IDS, MASK, null);
          Tensor hidden = encoder.hidden(batch)) {
        hidden.toFloatArray();
      }
      Emulator.counts();
      try (TokenBatch batch = encoder.batch(IDS, MASK, null)) {
        Counts made = Emulator.counts();
        assertTrue(made.of("cuMemcpyHtoDAsync").calls() >= 4, "ids, types, positions, offsets");
        assertEquals(0, made.of("cuMemcpyDtoHAsync").calls());
        assertEquals(0, made.of("cuStreamSynchronize").calls());
        Counts pass;
        try (Tensor hidden = encoder.hidden(batch)) {
          pass = Emulator.counts();
          hidden.toFloatArray();
          Counts read = Emulator.counts();
          assertEquals(4 * hidden.count(), read.of("cuMemcpyDtoHAsync").bytes());
          assertTrue(read.waits() > 0, "reading waits for the device");
        }
        assertTrue(pass.of("cuLaunchKernel").calls() > 0);
        assertEquals(0, pass.waits(), "waits of the pass");
        assertEquals(0, pass.of("cuMemcpyHtoDAsync").calls(), "copies to the device");
        assertEquals(0, pass.of("cuMemcpyDtoHAsync").calls(), "copies to the host");
        assertEquals(0, pass.of("cuMemHostAlloc").calls(), "pinned memory");
      }
      Emulator.counts();
      EncoderInputs inputs = EncoderInputs.of(IDS, MASK, null);
      try (EncoderOutput _ = encoder.forward(inputs)) {
        Counts all = Emulator.counts();
        assertEquals(0, all.of("cuStreamSynchronize").calls() + all.of("cuCtxSynchronize").calls());
        assertEquals(0, all.of("cuMemcpyDtoHAsync").calls(), "outputs are read when asked for");
        return all;
      }
    }
  }

  /** A golden's model without the layers behind the first. */
  private Path firstLayer(Path golden) throws IOException {
    Path made = Files.createDirectory(folder.resolve("first layer"));
    ObjectNode config = (ObjectNode) JSON.readTree(golden.resolve("config.json").toFile());
    String layers = config.has("n_layers") ? "n_layers" : "num_hidden_layers";
    assertTrue(config.get(layers).asInt() > 1, "there are layers to leave out");
    config.put(layers, 1);
    if (config.get("layer_types") instanceof ArrayNode types) {
      config.putArray("layer_types").add(types.get(0));
    }
    JSON.writeValue(made.resolve("config.json").toFile(), config);
    StringJoiner header = new StringJoiner(",", "{", "}");
    ByteArrayOutputStream data = new ByteArrayOutputStream();
    try (TensorFile all = TensorFile.open(golden.resolve("model.safetensors"))) {
      for (String name : all.names()) {
        if (name.matches(".*\\.layers?\\.[1-9]\\..*")) {
          continue;
        }
        TensorFile.Entry entry = all.get(name);
        int begin = data.size();
        data.writeBytes(entry.data().toArray(ValueLayout.JAVA_BYTE));
        header.add(
            "\"%s\":{\"dtype\":\"%s\",\"shape\":%s,\"data_offsets\":[%d,%d]}"
                .formatted(
                    name, entry.dtype(), Arrays.toString(entry.shape()), begin, data.size()));
      }
    }
    byte[] text = header.toString().getBytes(StandardCharsets.UTF_8);
    ByteBuffer file =
        ByteBuffer.allocate(8 + text.length + data.size()).order(ByteOrder.LITTLE_ENDIAN);
    file.putLong(text.length).put(text).put(data.toByteArray());
    Files.write(made.resolve("model.safetensors"), file.array());
    return made;
  }
}
