package dev.gatun.models;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;

import java.nio.file.Path;
import java.util.Arrays;
import java.util.Random;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** A batch that goes through the model in parts gives what its sequences give alone. */
final class BatchPartsTest {
  @ParameterizedTest
  @ValueSource(strings = {"bert-mlm", "deberta-v2-conv", "roberta-mlm"})
  void sequences_do_not_depend_on_the_batch(String golden) throws Exception {
    Random random = new Random(7);
    long[][] ids = new long[9000][];
    Arrays.setAll(ids, i -> random.longs(1 + random.nextInt(13), 5, 60).toArray());
    try (EncoderModel model = AutoModel.load(Path.of("../../test/goldens", golden));
        EncoderModel.Encoded all = model.encode(ids, null)) {
      float[] hidden = all.hidden().toFloatArray();
      int width = model.hiddenSize();
      assertEquals(all.segments().tokens() * width, hidden.length);
      int[] starts = all.segments().values().toIntArray();
      for (int s : new int[] {0, 1, 4000, 4001, 7000, 8999}) {
        try (EncoderModel.Encoded one = model.encode(new long[][] {ids[s]}, null)) {
          int begin = starts[s] * width;
          assertArrayEquals(
              one.hidden().toFloatArray(),
              Arrays.copyOfRange(hidden, begin, begin + ids[s].length * width),
              "sequence " + s);
        }
      }
    }
  }
}
