package dev.gatun.training.data;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.ArrayList;
import java.util.List;
import java.util.stream.LongStream;
import org.junit.jupiter.api.Test;

/** Spans of T5: what is taken out of a text can be put back, in the order of the sentinels. */
final class SpanCorruptionTest {
  private static final int SENTINELS = 100;
  private static final Pieces TOKENS = Pieces.ofT5(SENTINELS);

  private static long sentinel(int number) {
    return TOKENS.tokenToId("<extra_id_" + number + ">").getAsInt();
  }

  private static int number(long id) {
    return (int) (sentinel(0) - id);
  }

  private static boolean isSentinel(long id) {
    return id <= sentinel(0) && id > sentinel(0) - SENTINELS;
  }

  /** Puts spans back; fails where sentinels are not 0, 1, 2... in both. */
  private static List<Long> restored(Features features) {
    List<List<Long>> spans = new ArrayList<>();
    long[] target = features.labels();
    for (int i = 0; i < target.length - 1; i++) {
      if (isSentinel(target[i])) {
        assertEquals(spans.size(), number(target[i]), "sentinels of the target");
        spans.add(new ArrayList<>());
      } else {
        spans.getLast().add(target[i]);
      }
    }
    assertTrue(spans.getLast().isEmpty(), "behind the last sentinel there is nothing");
    List<Long> text = new ArrayList<>();
    int seen = 0;
    long[] source = features.inputIds();
    for (int i = 0; i < source.length - 1; i++) {
      if (isSentinel(source[i])) {
        assertEquals(seen, number(source[i]), "sentinels of the source");
        assertTrue(!spans.get(seen).isEmpty(), "a span has a token");
        text.addAll(spans.get(seen++));
      } else {
        text.add(source[i]);
      }
    }
    assertEquals(spans.size() - 1, seen);
    assertEquals(Pieces.EOS, source[source.length - 1]);
    assertEquals(Pieces.EOS, target[target.length - 1]);
    return text;
  }

  @Test
  void every_density_and_length_gives_the_text_back() {
    for (double density : new double[] {0.01, 0.1, 0.15, 0.3, 0.5, 0.7, 0.9, 0.99}) {
      for (double mean : new double[] {1, 2, 3, 10}) {
        SpanCorruption spans = new SpanCorruption(TOKENS, 512, density, mean);
        for (int length = 1; length <= 30; length++) {
          long[] ids = LongStream.range(0, length).map(i -> Pieces.FIRST + i).toArray();
          for (int sample = 0; sample < 20; sample++) {
            Features features = spans.corrupted(ids, new Draws(1, 0, sample));
            List<Long> text = restored(features);
            assertEquals(LongStream.of(ids).boxed().toList(), text);
            long sentinels = LongStream.of(features.labels()).filter(id -> isSentinel(id)).count();
            long noise = features.labels().length - 1 - sentinels;
            long expected =
                length == 1 ? 1 : Math.clamp(Math.round(length * density), 1, length - 1);
            assertEquals(expected, noise, "tokens of spans");
          }
        }
      }
    }
  }

  /** The first and the last token are in spans as often as one in the middle. */
  @Test
  void each_place_is_as_likely() {
    int length = 20;
    int texts = 20_000;
    int[] counts = new int[length];
    for (int sample = 0; sample < texts; sample++) {
      boolean[] noise = SpanCorruption.noise(length, 0.3, 2, 99, new Draws(2, 0, sample));
      for (int i = 0; i < length; i++) {
        counts[i] += noise[i] ? 1 : 0;
      }
    }
    for (int count : counts) {
      // Four deviations.
      assertEquals(0.3, (double) count / texts, 4 * Math.sqrt(0.3 * 0.7 / texts));
    }
  }

  @Test
  void there_are_never_more_spans_than_sentinels() {
    SpanCorruption few = new SpanCorruption(Pieces.ofT5(3), 512, 0.5, 1);
    long[] ids = LongStream.range(0, 200).map(i -> Pieces.FIRST + i).toArray();
    long sentinels =
        LongStream.of(few.corrupted(ids, new Draws(1, 0, 0)).labels())
            .filter(id -> id >= Pieces.ofT5(0).vocabSize())
            .count();
    assertTrue(sentinels == 2 || sentinels == 3, sentinels + " sentinels");
    assertTrue(
        assertThrows(
                IllegalArgumentException.class,
                () -> new SpanCorruption(Pieces.ofBert(), 512, 0.15, 3))
            .getMessage()
            .contains("0 tokens <extra_id_N>, expected at least 3"));
  }
}
