package dev.gatun.test.goldens;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.gatun.compression.GgufQuantizer;
import dev.gatun.compression.PackedCheckpoint;
import dev.gatun.compression.QuantizedModel;
import dev.gatun.kernels.api.memory.BlockFormat;
import dev.gatun.kernels.api.memory.Storage;
import dev.gatun.models.AutoModel;
import dev.gatun.models.CausalLm;
import dev.gatun.models.CausalLmInputs;
import dev.gatun.models.CausalLmOutput;
import dev.gatun.nn.Compute;
import dev.gatun.tensor.Device;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** A directory in blocks computes what the model's floats do when they are made blocks at load. */
final class PackedCheckpointTest {
  private static final Path GOLDENS = Path.of("goldens");
  private static final long[] IDS = {3, 17, 60, 100, 17, 2, 9};

  @TempDir private Path folder;

  private static float[] logits(Path model, Storage storage) throws IOException {
    try (CausalLm loaded = AutoModel.loadCausalLm(model, Device.cpu(), storage, Compute.EXACT);
        CausalLmOutput output = loaded.forward(CausalLmInputs.of(IDS))) {
      return output.logits().toFloatArray();
    }
  }

  @ParameterizedTest
  @CsvSource({
    "llama, INT8",
    "llama, INT4:32",
    "llama-biases, INT8_ZERO:32",
    "mixtral, INT4_ZERO:32",
    "qwen3-moe, INT8:32",
    "gemma2, INT8",
    "phi3, INT8",
    "falcon, INT8",
    "gpt-neox, INT8",
    "bloom, INT8"
  })
  void it_computes_the_same_to_the_bit(String name, String format) throws IOException {
    Path model = GOLDENS.resolve("decoders").resolve(name);
    Path out = folder.resolve(name);
    Storage storage = Storage.of(BlockFormat.of(format));
    QuantizedModel made = PackedCheckpoint.write(model, out, BlockFormat.of(format), null);
    assertTrue(made.types().get(format) > 0, made.types().toString());
    assertEquals(Files.size(out.resolve("model.safetensors")), made.bytes());
    assertTrue(made.bytes() < Files.size(model.resolve("model.safetensors")));
    assertArrayEquals(logits(model, storage), logits(out, storage));
    assertArrayEquals(new String[] {name}, folder.toFile().list());
  }

  @Test
  void a_gguf_file_becomes_one_too() throws IOException {
    Path gguf = GOLDENS.resolve("gguf-llama").resolve("model-q4_k.gguf");
    Path wide = folder.resolve("wide.gguf");
    GgufQuantizer.quantize(gguf, wide, "F32", null);
    Path out = folder.resolve("out");
    PackedCheckpoint.write(gguf, out, BlockFormat.INT8, null);
    assertArrayEquals(logits(wide, Storage.INT8), logits(out, Storage.INT8));
  }

  @Test
  void what_texts_need_comes_with_it() throws IOException {
    Path model = Files.createDirectory(folder.resolve("model"));
    try (Stream<Path> files = Files.list(GOLDENS.resolve("decoders").resolve("llama"))) {
      for (Path file : files.toList()) {
        Files.copy(file, model.resolve(file.getFileName().toString()));
      }
    }
    Files.writeString(model.resolve("tokenizer.json"), "{}");
    Files.writeString(model.resolve("pytorch_model.bin"), "weights");
    Files.createDirectory(model.resolve("additional_chat_templates"));
    Files.writeString(model.resolve("additional_chat_templates").resolve("tools.jinja"), "{{ 1 }}");
    Path out = folder.resolve("out");
    assertTrue(PackedCheckpoint.write(model, out, BlockFormat.INT8, null).hasTokenizer());
    assertTrue(Files.exists(out.resolve("generation_config.json")));
    assertTrue(Files.exists(out.resolve("tokenizer.json")));
    assertTrue(Files.exists(out.resolve("additional_chat_templates").resolve("tools.jinja")));
    assertTrue(Files.notExists(out.resolve("pytorch_model.bin")));
  }

  @ParameterizedTest
  @CsvSource({
    "llama-gptq, INT8, quantization_config",
    "gpt2, INT8, no linear layer of gpt2",
    "llama, INT4:128, no linear layer of llama"
  })
  void what_cannot_be_is_refused_and_nothing_is_left(String name, String format, String told)
      throws IOException {
    Path model = GOLDENS.resolve("decoders").resolve(name);
    Path out = folder.resolve("out");
    String message =
        assertThrows(
                RuntimeException.class,
                () -> PackedCheckpoint.write(model, out, BlockFormat.of(format), null))
            .getMessage();
    assertTrue(message.contains(told), message);
    assertEquals(0, folder.toFile().list().length);
  }

  @Test
  void a_directory_that_is_there_is_left_alone() {
    Path model = GOLDENS.resolve("decoders").resolve("llama");
    assertThrows(
        IOException.class, () -> PackedCheckpoint.write(model, folder, BlockFormat.INT8, null));
  }
}
