package dev.gatun.test.goldens;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.gatun.kernels.api.call.matmul.QuantizedActivations;
import dev.gatun.kernels.api.memory.BlockFormat;
import dev.gatun.kernels.api.memory.DType;
import dev.gatun.kernels.api.memory.Storage;
import dev.gatun.models.AutoModel;
import dev.gatun.models.EncoderModel;
import dev.gatun.models.EncoderOutput;
import dev.gatun.nn.Compute;
import dev.gatun.tensor.Device;
import dev.gatun.test.devices.ChildJvm;
import dev.gatun.test.emulator.Emulator;
import dev.gatun.test.emulator.Emulator.Policy;
import dev.gatun.weights.TensorFile;
import java.io.IOException;
import java.lang.foreign.ValueLayout;
import java.nio.ByteBuffer;
import java.nio.FloatBuffer;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.concurrent.Callable;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.function.IntToDoubleFunction;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** Encoders on a CUDA device: narrow weights, late streams, and many threads. */
final class CudaEncoderTest {
  private static final Path GOLDENS = Path.of("goldens");

  @TempDir private Path folder;

  private Device cuda;
  private long before;

  @BeforeEach
  void open() {
    Emulator.open();
    cuda = Device.cuda(0);
    before = cuda.memory().allocatedBytes();
  }

  @AfterEach
  void restore() {
    Emulator.set(Policy.ROUND_ROBIN, 1, false, false);
    assertEquals(before, cuda.memory().allocatedBytes(), "memory is given back");
  }

  @ParameterizedTest
  @CsvSource({
    "bert-mlm, BF16",
    "bert-mlm, F16",
    "roberta-tokens, BF16",
    "distilbert-qa, F16",
    "electra-classify, BF16",
    "deberta-v2-tokens, BF16",
    "mpnet-left, BF16",
    "albert-tokens, F16",
    "modernbert-tokens, BF16",
    "nomic-bert-tokens, BF16",
    "gte-tokens, F16"
  })
  void narrow_weights_stay_near_the_reference(String golden, DType dtype) throws IOException {
    Path folder = GOLDENS.resolve(golden);
    try (TensorFile expected = TensorFile.open(folder.resolve("expected.safetensors"));
        EncoderModel model = AutoModel.load(folder, cuda, Storage.of(dtype), Compute.EXACT);
        EncoderOutput output = model.forward(Goldens.inputs(expected))) {
      int last = output.hiddenStates().size() - 1;
      float[] got = output.hiddenStates().get(last).toFloatArray();
      TensorFile.Entry want = expected.get("out.hidden_states." + last);
      assertEquals(want.elements(), got.length);
      double cosine = cosine(got, i -> want.data().getAtIndex(ValueLayout.JAVA_FLOAT_UNALIGNED, i));
      assertTrue(cosine >= 0.999, golden + " " + dtype + ": cosine " + cosine);
    }
  }

  /** The reference's products, in double, with the same blocks are what is right. */
  @ParameterizedTest
  @CsvSource({
    "bert-classify, INT8, INT8_PER_TOKEN, 0.9999",
    "bert-tokens, INT8:32, INT8_PER_TOKEN, 0.9999",
    "deberta-v2-mlm, INT4:32, INT8_BLOCKS, 0.9999",
    "roberta-mlm, Q8_0, INT8_BLOCKS, 0.9999",
    "bert-classify, INT8, EXACT, 0.999999",
    "bert-mlm, INT4:32, EXACT, 0.999999",
    "bert-qa, INT4_ZERO:32, EXACT, 0.999999",
    "mpnet-tokens, INT8, INT8_PER_TOKEN, 0.9999",
    "albert-tokens, INT8, INT8_PER_TOKEN, 0.9999",
    "modernbert-tokens, INT8, INT8_PER_TOKEN, 0.9999",
    "nomic-bert-mlm, INT8, INT8_PER_TOKEN, 0.9999",
    "gte-mlm, INT8, EXACT, 0.999999"
  })
  void quantised_weights_give_what_the_reference_gives(
      String golden, String format, QuantizedActivations activations, double least)
      throws Exception {
    Path model = GOLDENS.resolve(golden);
    Path file = folder.resolve("hidden");
    ChildJvm.Outcome outcome =
        ChildJvm.run(
            folder,
            Map.of(),
            List.of("-Dgatun.backend=reference"),
            EncoderRuns.class,
            model.toString(),
            format,
            activations.name(),
            file.toString());
    assertEquals(0, outcome.code(), outcome::err);
    FloatBuffer want = ByteBuffer.wrap(Files.readAllBytes(file)).asFloatBuffer();
    Storage storage = Storage.of(BlockFormat.of(format));
    float[] got = EncoderRuns.lastHidden(model, cuda, storage, Compute.of(activations));
    assertEquals(want.remaining(), got.length);
    double cosine = cosine(got, want::get);
    assertTrue(cosine >= least, golden + " " + format + " " + activations + ": cosine " + cosine);
  }

  private static double cosine(float[] got, IntToDoubleFunction want) {
    double product = 0;
    double ours = 0;
    double theirs = 0;
    for (int i = 0; i < got.length; i++) {
      // Rows of padding are 0 here and something there.
      double right = got[i] == 0 ? 0 : want.applyAsDouble(i);
      product += got[i] * right;
      ours += (double) got[i] * got[i];
      theirs += right * right;
    }
    return product / Math.sqrt(ours * theirs);
  }

  @Test
  void streams_that_are_late() throws IOException {
    // A buffer that is given back before its kernel ran would be named.
    Emulator.set(Policy.RANDOM, 7, false, true);
    Goldens.check(GOLDENS.resolve("bert-classify"), cuda);
    Goldens.check(GOLDENS.resolve("deberta-v2-conv"), cuda);
  }

  @Test
  void many_virtual_threads_get_the_same_bits() throws Exception {
    long[][] ids = {{2, 5, 6, 7, 3}, {2, 9, 3}};
    try (EncoderModel model =
            AutoModel.load(GOLDENS.resolve("bert-tokens"), cuda, Storage.F32, Compute.EXACT);
        ExecutorService threads = Executors.newVirtualThreadPerTaskExecutor()) {
      Callable<float[]> encode =
          () -> {
            try (EncoderModel.Encoded encoded = model.encode(ids, null)) {
              return encoded.hidden().toFloatArray();
            }
          };
      float[] alone = encode.call();
      List<Future<float[]>> results = new ArrayList<>();
      for (int i = 0; i < 100; i++) {
        results.add(threads.submit(encode));
      }
      for (Future<float[]> result : results) {
        assertArrayEquals(alone, result.get());
      }
    }
  }
}
