package dev.gatun.test.goldens;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;

import dev.gatun.kernels.api.memory.BlockFormat;
import dev.gatun.kernels.api.memory.DType;
import dev.gatun.kernels.api.memory.Storage;
import dev.gatun.models.AutoModel;
import dev.gatun.models.CausalLm;
import dev.gatun.models.CausalLmInputs;
import dev.gatun.models.CausalLmOutput;
import dev.gatun.models.Chunk;
import dev.gatun.models.EncoderModel;
import dev.gatun.models.TokenBatch;
import dev.gatun.nn.Compute;
import dev.gatun.nn.KvCache;
import dev.gatun.nn.KvSequence;
import dev.gatun.tensor.Device;
import dev.gatun.tensor.Tensor;
import dev.gatun.weights.TensorFile;
import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Random;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;
import org.junit.jupiter.params.provider.ValueSource;

/**
 * On the processor what a model gives for a text is the same bits whatever texts are beside it, in
 * every type; of decoders also whatever the chunks are by which a text came into the cache.
 */
final class CompanionsOfTextsTest {
  private static final Path GOLDENS = Path.of("goldens");

  private static Map<Storage, List<Compute>> types() {
    Map<Storage, List<Compute>> types = new LinkedHashMap<>();
    types.put(Storage.F32, List.of(Compute.EXACT));
    types.put(Storage.BF16, List.of(Compute.EXACT, Compute.EXACT.withResidual(DType.BF16)));
    types.put(Storage.INT8, List.of(Compute.EXACT, Compute.INT8_PER_TOKEN, Compute.INT8_BLOCKS));
    types.put(
        Storage.of(BlockFormat.int4WithZeros(32)),
        List.of(
            Compute.EXACT, Compute.INT8_PER_TOKEN.withResidual(DType.BF16), Compute.INT8_BLOCKS));
    return types;
  }

  @ParameterizedTest
  @ValueSource(strings = {"bert-mlm", "deberta-v2-mlm", "modernbert-mlm", "nomic-bert-mlm"})
  void a_text_has_the_same_vector_beside_others(String golden) throws IOException {
    for (var type : types().entrySet()) {
      for (Compute compute : type.getValue()) {
        Path folder = GOLDENS.resolve(golden);
        if (!fits(folder, type.getKey())) {
          continue;
        }
        try (EncoderModel model = AutoModel.load(folder, Device.cpu(), type.getKey(), compute)) {
          long[][] texts = texts(model.vocabSize(), Math.min(48, model.maxLength()));
          float[] all = encode(model, texts);
          int at = 0;
          for (long[] text : texts) {
            int count = text.length * model.hiddenSize();
            assertArrayEquals(
                Arrays.copyOfRange(all, at, at + count),
                encode(model, text),
                "%s as %s, %s: a text of %d"
                    .formatted(golden, type.getKey(), compute, text.length));
            at += count;
          }
        }
      }
    }
  }

  private static float[] encode(EncoderModel model, long[]... texts) {
    try (EncoderModel.Encoded encoded = model.encode(texts, null)) {
      return encoded.hidden().toFloatArray();
    }
  }

  static List<Path> decoders() throws IOException {
    return DecoderGoldens.cases();
  }

  @ParameterizedTest
  @MethodSource("decoders")
  void a_token_has_the_same_scores_in_every_chunk_and_beside_others(Path golden)
      throws IOException {
    Random random = new Random(5);
    for (var type : types().entrySet()) {
      for (Compute compute : type.getValue()) {
        if (!fits(golden, type.getKey())) {
          continue;
        }
        try (CausalLm model =
            AutoModel.loadCausalLm(golden, Device.cpu(), type.getKey(), compute)) {
          String what = "%s as %s, %s".formatted(golden, type.getKey(), compute);
          long[][] texts = texts(model.vocabSize(), longest(golden, model));
          float[][] alone = new float[texts.length][];
          for (int s = 0; s < texts.length; s++) {
            try (CausalLmOutput output = model.forward(CausalLmInputs.of(texts[s]))) {
              alone[s] = output.logits().toFloatArray();
            }
          }
          inChunks(model, model.cacheShape(), texts, alone, random, what);
        }
      }
    }
  }

  /** What is written as signed bytes is so within the chunk that writes it, too. */
  @ParameterizedTest
  @MethodSource("decoders")
  void so_it_has_with_a_cache_of_signed_bytes(Path golden) throws IOException {
    for (Storage storage : List.of(Storage.F32, Storage.BF16)) {
      try (CausalLm model = AutoModel.loadCausalLm(golden, Device.cpu(), storage, Compute.EXACT)) {
        KvCache.Shape shape = model.cacheShape().withDtype(DType.I8);
        long[][] texts = texts(model.vocabSize(), longest(golden, model));
        float[][] alone = new float[texts.length][];
        for (int s = 0; s < texts.length; s++) {
          try (KvCache cache = KvCache.contiguous(model.device(), shape, 1, texts[s].length);
              KvSequence sequence = cache.open();
              TokenBatch batch =
                  model.batch(List.of(new Chunk(sequence, texts[s], texts[s].length)));
              Tensor logits = model.logits(batch)) {
            alone[s] = logits.toFloatArray();
          }
        }
        inChunks(model, shape, texts, alone, new Random(6), golden + " as " + storage);
      }
    }
  }

  private static void inChunks(
      CausalLm model,
      KvCache.Shape shape,
      long[][] texts,
      float[][] alone,
      Random random,
      String what) {
    int vocabulary = model.vocabSize();
    try (KvCache cache = KvCache.paged(model.device(), shape, 16, 64)) {
      List<KvSequence> open =
          Arrays.stream(texts)
              .map(text -> cache.open(Arrays.stream(text).mapToInt(id -> (int) id).toArray(), 0))
              .toList();
      int[] done = new int[texts.length];
      for (boolean left = true; left; ) {
        left = false;
        List<Chunk> chunks = new ArrayList<>();
        List<float[]> want = new ArrayList<>();
        for (int s = 0; s < texts.length; s++) {
          int[] sizes = {0, 1, 1, 2, 3, 20};
          int count = Math.min(texts[s].length - done[s], sizes[random.nextInt(sizes.length)]);
          if (count > 0) {
            long[] ids = Arrays.copyOfRange(texts[s], done[s], done[s] + count);
            chunks.add(new Chunk(open.get(s), ids, count));
            int first = done[s] * vocabulary;
            want.add(Arrays.copyOfRange(alone[s], first, first + count * vocabulary));
            done[s] += count;
          }
          left |= done[s] < texts[s].length;
        }
        if (chunks.isEmpty()) {
          continue;
        }
        try (TokenBatch batch = model.batch(chunks);
            Tensor logits = model.logits(batch)) {
          float[] got = logits.toFloatArray();
          int at = 0;
          for (float[] right : want) {
            assertArrayEquals(right, Arrays.copyOfRange(got, at, at + right.length), what);
            at += right.length;
          }
        }
      }
      open.forEach(KvSequence::close);
    }
  }

  /** Of LongRoPE a text is longer than the original length, where all of its keys are others. */
  private static int longest(Path golden, CausalLm model) {
    return Math.min(golden.endsWith("phi3-longrope") ? 80 : 40, model.maxLength());
  }

  /** Whether blocks divide the rows of all weights, which some small models' do not. */
  private static boolean fits(Path folder, Storage storage) throws IOException {
    if (!(storage instanceof Storage.Blocks(BlockFormat format))
        || format.equals(BlockFormat.INT8)) {
      return true;
    }
    try (TensorFile file = TensorFile.open(folder)) {
      return file.names().stream()
          .map(name -> file.get(name).shape())
          .filter(shape -> shape.length >= 2)
          .noneMatch(shape -> shape[shape.length - 1] % 32 != 0 || shape[shape.length - 2] == 48);
    }
  }

  /** Texts of lengths that kernels take in ways of their own. */
  private static long[][] texts(int vocabulary, int longest) {
    Random random = new Random(longest);
    int[] lengths = {5, longest, 1, 16, 2, 17, longest - 1};
    return Arrays.stream(lengths)
        .mapToObj(n -> random.longs(Math.min(n, longest), 0, vocabulary).toArray())
        .toArray(long[][]::new);
  }
}
