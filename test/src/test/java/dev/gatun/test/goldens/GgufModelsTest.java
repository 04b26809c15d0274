package dev.gatun.test.goldens;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.gatun.generation.GenerationConfig;
import dev.gatun.generation.TextGenerator;
import dev.gatun.kernels.api.memory.Storage;
import dev.gatun.models.AutoModel;
import dev.gatun.models.CausalLm;
import dev.gatun.models.CausalLmInputs;
import dev.gatun.models.CausalLmOutput;
import dev.gatun.models.EncoderModel;
import dev.gatun.models.EncoderOutput;
import dev.gatun.nn.Compute;
import dev.gatun.tensor.Device;
import dev.gatun.weights.TensorFile;
import dev.gatun.weights.gguf.GgufKeys;
import dev.gatun.weights.gguf.GgufModel;
import dev.gatun.weights.gguf.GgufTensor;
import dev.gatun.weights.gguf.GgufWriter;
import java.io.IOException;
import java.lang.foreign.ValueLayout;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;
import org.junit.jupiter.params.provider.ValueSource;

/** Models in GGUF give what the reference gives for the Hugging Face directories of the same. */
final class GgufModelsTest {
  private static final Path SEQ2SEQ = Path.of("goldens", "gguf-seq2seq");
  private static final Path BLOCKS = Path.of("goldens", "gguf-llama");

  @TempDir private Path folder;

  static List<Path> decoders() throws IOException {
    try (Stream<Path> files = Files.list(Path.of("goldens", "gguf"))) {
      return files.filter(file -> Files.isDirectory(directory(file))).sorted().toList();
    }
  }

  /** Where a file's expected values are: in its own folder, or that of the model that it is of. */
  static Path directory(Path file) {
    if (Files.isDirectory(file)) {
      return file;
    }
    String name = file.getFileName().toString();
    name = name.substring(0, name.lastIndexOf('.'));
    Path own = Path.of("goldens", "gguf-models", name);
    return Files.isDirectory(own) ? own : Path.of("goldens", "decoders", name);
  }

  @ParameterizedTest
  @MethodSource("decoders")
  void a_decoder_equals_the_reference(Path file) throws IOException {
    DecoderGoldens.check(directory(file), file, Device.cpu());
  }

  @ParameterizedTest
  @ValueSource(strings = {"gemma3", "mixtral", "command-r-plus"})
  void so_does_the_directory_that_a_file_is_of(String name) throws IOException {
    DecoderGoldens.check(Path.of("goldens", "gguf-models", name), Device.cpu());
  }

  @ParameterizedTest
  @ValueSource(strings = {"t5", "t5-gated"})
  void an_encoder_decoder_equals_the_reference(String name) throws IOException {
    Path folder = SEQ2SEQ.resolve(name);
    EncoderDecoderGoldens.check(folder, folder.resolve("model.gguf"), Device.cpu());
  }

  @Test
  void its_encoder_is_one_alone() throws IOException {
    Path folder = SEQ2SEQ.resolve("t5-gated");
    try (TensorFile expected = TensorFile.open(folder.resolve("expected.safetensors"));
        EncoderModel model = AutoModel.load(folder.resolve("model.gguf"));
        EncoderOutput output = model.forward(Goldens.inputs(expected))) {
      long[][] mask = Goldens.longs(expected, "in.attention_mask");
      Goldens.compare(expected, "out.encoder_hidden_states.2", output.lastHiddenState(), mask);
    }
  }

  @ParameterizedTest
  @ValueSource(strings = {"t5", "t5-gated"})
  void an_encoder_decoder_generates_what_its_logits_say(String name) throws IOException {
    Path folder = SEQ2SEQ.resolve(name);
    try (TensorFile expected = TensorFile.open(folder.resolve("expected.safetensors"));
        TextGenerator generator = TextGenerator.load(folder.resolve("model.gguf"))) {
      long[] ids = Goldens.longs(expected, "in.input_ids")[0];
      int[] source = Arrays.stream(ids).mapToInt(id -> (int) id).toArray();
      TensorFile.Entry logits = expected.get("out.logits");
      // The first target's first place is behind the token that all targets begin with.
      int next = 0;
      for (int id = 0; id < logits.shape()[2]; id++) {
        float best = logits.data().getAtIndex(ValueLayout.JAVA_FLOAT_UNALIGNED, next);
        float one = logits.data().getAtIndex(ValueLayout.JAVA_FLOAT_UNALIGNED, id);
        next = one > best ? id : next;
      }
      GenerationConfig one = generator.defaults().config().toBuilder().maxNewTokens(1).build();
      assertEquals(next, generator.generate(source, one).completions().getFirst().ids()[0]);
    }
  }

  @Test
  void blocks_give_the_logits_of_the_numbers_that_they_mean() throws IOException {
    try (TensorFile expected = TensorFile.open(BLOCKS.resolve("expected.safetensors"));
        CausalLm model =
            AutoModel.loadCausalLm(
                BLOCKS.resolve("model-q4_k.gguf"), Device.cpu(), Storage.F32, Compute.EXACT);
        CausalLmOutput output =
            model.forward(CausalLmInputs.of(Goldens.longs(expected, "in.input_ids")))) {
      float[] want =
          expected
              .get("out.dequantised.q4_k.logits")
              .data()
              .toArray(ValueLayout.JAVA_FLOAT_UNALIGNED);
      float[] got = output.logits().toFloatArray();
      assertEquals(want.length, got.length);
      float largest = 0;
      float worst = 0;
      for (int i = 0; i < want.length; i++) {
        largest = Math.max(largest, Math.abs(want[i]));
        worst = Math.max(worst, Math.abs(want[i] - got[i]));
      }
      assertTrue(largest > 0 && worst <= 1e-4 * largest, "off by " + worst + " of " + largest);
      assertTrue(model.unusedWeights().isEmpty());
    }
  }

  @Test
  void a_file_generates_what_its_logits_say() throws IOException {
    int[] prompt;
    int next = 0;
    try (TensorFile expected = TensorFile.open(BLOCKS.resolve("expected.safetensors"))) {
      long[] ids = Goldens.longs(expected, "in.input_ids")[0];
      prompt = Arrays.stream(ids).mapToInt(i -> (int) i).toArray();
      float[] logits =
          expected
              .get("out.dequantised.q4_k.logits")
              .data()
              .toArray(ValueLayout.JAVA_FLOAT_UNALIGNED);
      int vocabulary = logits.length / ids.length;
      int last = logits.length - vocabulary;
      for (int i = 0; i < vocabulary; i++) {
        next = logits[last + i] > logits[last + next] ? i : next;
      }
    }
    try (TextGenerator generator = TextGenerator.load(BLOCKS.resolve("model-q4_k.gguf"))) {
      GenerationConfig one = generator.defaults().config().toBuilder().maxNewTokens(1).build();
      assertEquals(next, generator.generate(prompt, one).completions().getFirst().ids()[0]);
      assertEquals(List.of(2), generator.defaults().config().eosTokenId());
    }
    Path other = folder.resolve("other.gguf");
    try (GgufModel model = GgufModel.open(BLOCKS.resolve("model-q4_k.gguf"))) {
      GgufKeys keys = model.keys().ints("tokenizer.ggml.suppress_tokens", new int[] {1, next});
      GgufWriter.write(other, keys, model.tensors(), GgufTensor::type, _ -> null, (_, _) -> {});
    }
    try (TextGenerator generator = TextGenerator.load(other)) {
      assertEquals(List.of(1, next), generator.defaults().config().suppressTokens());
    }
  }
}
