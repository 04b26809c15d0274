package dev.gatun.models;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.gatun.kernels.api.memory.BlockFormat;
import dev.gatun.kernels.api.memory.DType;
import dev.gatun.kernels.api.memory.Storage;
import dev.gatun.nn.Compute;
import dev.gatun.nn.KvCache;
import dev.gatun.nn.KvSequence;
import dev.gatun.tensor.Device;
import dev.gatun.tensor.Tensor;
import dev.gatun.weights.WeightTypes;
import java.io.IOException;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.stream.Stream;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;

/** Encoder-decoders with weights, products and caches narrower than F32. */
final class NarrowEncoderDecodersTest {
  private static final long[][] SOURCES = {{16, 76, 36, 79, 80, 65, 99}, {83, 31, 89}};
  private static final long[][] TARGETS = {{2, 41, 97, 8, 26}, {2, 67, 67, 30, 11}};

  static Stream<Arguments> narrow() {
    Stream<Arguments> floats =
        Stream.of(
            Arguments.of("mt5", Storage.BF16, Compute.EXACT, 0.999),
            Arguments.of("mt5", Storage.BF16, Compute.EXACT.withResidual(DType.BF16), 0.999));
    Stream<Arguments> all =
        Stream.of("t5", "bart", "marian").flatMap(NarrowEncoderDecodersTest::narrow);
    return Stream.concat(floats, all);
  }

  private static Stream<Arguments> narrow(String name) {
    return Stream.of(
        Arguments.of(name, Storage.BF16, Compute.EXACT, 0.999),
        Arguments.of(name, Storage.of(DType.F16), Compute.EXACT, 0.999),
        Arguments.of(name, Storage.BF16, Compute.EXACT.withResidual(DType.BF16), 0.999),
        Arguments.of(name, Storage.INT8, Compute.INT8_PER_TOKEN, 0.999),
        Arguments.of(name, Storage.of(BlockFormat.int8(32)), Compute.INT8_BLOCKS, 0.999),
        Arguments.of(name, Storage.of(BlockFormat.Q4_0), Compute.EXACT, 0.95));
  }

  @ParameterizedTest
  @MethodSource("narrow")
  void are_near_and_the_same_with_caches(
      String name, Storage storage, Compute compute, double least) throws IOException {
    Path folder = ModelFiles.GOLDENS.resolve("encoder-decoders/" + name);
    float[] want;
    try (Seq2SeqLm exact = AutoModel.loadSeq2SeqLm(folder)) {
      want = whole(exact);
    }
    try (Seq2SeqLm model =
        AutoModel.loadSeq2SeqLm(folder, Device.cpu(), WeightTypes.of(storage), compute, null)) {
      float[] got = whole(model);
      double cosine = Cosine.of(want, got);
      assertTrue(cosine >= least, "cosine " + cosine);
      assertFalse(Arrays.equals(want, got));
      double same = Cosine.of(got, cached(model, null));
      assertTrue(same >= 0.9999, "with caches: cosine " + same);
      double bytes = Cosine.of(got, cached(model, DType.I8));
      assertTrue(bytes >= 0.999, "with caches of signed bytes: cosine " + bytes);
    }
  }

  private static float[] whole(Seq2SeqLm model) {
    try (Seq2SeqOutput output = model.forward(Seq2SeqInputs.of(SOURCES, null, TARGETS))) {
      return output.logits().toFloatArray();
    }
  }

  private static float[] cached(Seq2SeqLm model, DType kept) {
    Device device = model.device();
    KvCache.Shape shape = model.cacheShape();
    KvCache.Shape sources = model.sourceShape();
    try (KvCache encoded =
            KvCache.paged(device, kept == null ? sources : sources.withDtype(kept), 4, 8);
        KvCache cache = KvCache.paged(device, kept == null ? shape : shape.withDtype(kept), 4, 8)) {
      List<KvSequence> from = List.of(encoded.open(), encoded.open());
      model.encode(from, SOURCES);
      List<Chunk> chunks =
          List.of(
              new Chunk(cache.open(), TARGETS[0], 5, from.get(0)),
              new Chunk(cache.open(), TARGETS[1], 5).withSource(from.get(1)));
      try (TokenBatch batch = model.batch(chunks);
          Tensor logits = model.logits(batch)) {
        assertEquals(10, logits.size(0));
        return logits.toFloatArray();
      }
    }
  }
}
