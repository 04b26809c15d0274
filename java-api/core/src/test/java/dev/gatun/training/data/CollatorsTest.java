package dev.gatun.training.data;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNotEquals;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.gatun.models.ProblemType;
import dev.gatun.text.Encoding;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collections;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.stream.LongStream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** What collators make of records. */
final class CollatorsTest {
  private static final long NO = Features.IGNORED;

  @TempDir Path folder;

  private static Draws draws(int epoch, long sample) {
    return new Draws(5, epoch, sample);
  }

  private static List<String> texts(int count, int words) {
    List<String> texts = new ArrayList<>();
    for (int i = 0; i < count; i++) {
      StringBuilder text = new StringBuilder();
      for (int w = 0; w < words; w++) {
        text.append(w == 0 ? "" : " ").append("word").append((i * 31 + w * 7) % 97);
      }
      texts.add(text.toString());
    }
    return texts;
  }

  private static Samples masked(List<String> texts, boolean wholeWords) {
    return Collator.maskedLm(Pieces.ofBert(), 512, 0.15, wholeWords).samples(Dataset.of(texts));
  }

  /** Of 100,000 tokens 15 % are chosen, 80 % of them masked, 10 % replaced: within 4 deviations. */
  @Test
  void masks_have_the_shares_of_bert() {
    Samples samples = masked(texts(500, 100), false);
    long tokens = 0;
    long chosen = 0;
    long hidden = 0;
    long changed = 0;
    for (int i = 0; i < samples.size(); i++) {
      Features features = samples.get(i, draws(0, i));
      long[] original = Pieces.ofBert().encode(texts(500, 100).get(i)).ids();
      int length = original.length;
      assertEquals(NO, features.labels()[0]);
      assertEquals(NO, features.labels()[length - 1]);
      assertEquals(Pieces.CLS, features.inputIds()[0]);
      assertEquals(Pieces.SEP, features.inputIds()[length - 1]);
      tokens += length - 2;
      for (int t = 0; t < length; t++) {
        long id = features.inputIds()[t];
        if (features.labels()[t] == NO) {
          assertEquals(original[t], id);
          continue;
        }
        assertEquals(original[t], features.labels()[t]);
        chosen++;
        hidden += id == Pieces.MASK ? 1 : 0;
        changed += id != Pieces.MASK && id != original[t] ? 1 : 0;
        assertTrue(id >= Pieces.MASK, "a special token in place of a word");
      }
    }
    assertTrue(tokens > 95_000, tokens + " tokens");
    near(0.15, chosen, tokens);
    near(0.8, hidden, chosen);
    near(0.1, changed, chosen);
  }

  private static void near(double share, long of, long all) {
    double deviation = Math.sqrt(all * share * (1 - share));
    assertEquals(share * all, of, 4 * deviation, share + " of " + all);
  }

  @Test
  void short_texts_have_a_mask_and_unknown_and_special_tokens_never() {
    Samples one = masked(List.of("sea"), false);
    Samples unknown = masked(List.of("? sea"), false);
    Samples none = masked(List.of("?"), false);
    for (int epoch = 0; epoch < 200; epoch++) {
      assertEquals(1, one.get(0, draws(epoch, 0)).items());
      Features features = unknown.get(0, draws(epoch, 0));
      assertEquals(1, features.items());
      assertEquals(NO, features.labels()[1]);
      assertEquals(0, none.get(0, draws(epoch, 0)).items());
    }
  }

  @Test
  void whole_words_are_masked_with_all_their_pieces() {
    Samples samples = masked(texts(100, 40), true);
    long words = 0;
    long chosen = 0;
    for (int i = 0; i < samples.size(); i++) {
      Features features = samples.get(i, draws(0, i));
      Encoding text = Pieces.ofBert().encode(texts(100, 40).get(i));
      for (int t = 1; t + 1 < text.length(); t++) {
        boolean begins = text.wordIds()[t] != text.wordIds()[t - 1];
        words += begins ? 1 : 0;
        chosen += begins && features.labels()[t] != NO ? 1 : 0;
        if (!begins) {
          assertEquals(features.labels()[t - 1] == NO, features.labels()[t] == NO);
        }
      }
    }
    near(0.15, chosen, words);
  }

  /** A program's records may have longs where files have ints. */
  @Test
  void answers_may_be_counted_in_longs() {
    for (Object at : new Object[] {4, 4L}) {
      Dataset data =
          Dataset.ofRecords(
              List.of(
                  Map.of(
                      "question",
                      "who",
                      "context",
                      "the sea",
                      "answers",
                      Map.of("text", List.of("sea"), "answer_start", List.of(at)))));
      Features features =
          Collator.questionAnswering(Pieces.ofBert(), 32, 0).samples(data).get(0, draws(0, 0));
      assertEquals(4, features.startPosition());
      assertEquals(4, features.endPosition());
    }
  }

  @Test
  void masks_are_functions_of_seed_epoch_and_sample() {
    Samples samples = masked(texts(3, 40), false);
    long[] first = samples.get(1, draws(0, 1)).inputIds();
    assertArrayEquals(first, samples.get(1, draws(0, 1)).inputIds());
    assertFalse(Arrays.equals(first, samples.get(1, draws(1, 1)).inputIds()));
    assertFalse(Arrays.equals(first, samples.get(1, new Draws(6, 0, 1)).inputIds()));
  }

  @Test
  void long_texts_become_several_samples() {
    String text = texts(1, 40).getFirst();
    Collator collator = Collator.maskedLm(Pieces.ofBert(), 20, 0.15, false);
    Samples samples = collator.samples(Dataset.of(List.of("sea", text, "sea")));
    int tokens = Pieces.ofBert().encode(text).length() - 2;
    assertEquals(2 + Math.ceilDiv(tokens, 18), samples.size());
    long[] all =
        LongStream.range(1, samples.size() - 1)
            .flatMap(
                i -> {
                  Features part = samples.get((int) i, draws(0, i));
                  return LongStream.range(1, part.inputIds().length - 1)
                      .map(
                          t ->
                              part.labels()[(int) t] == NO
                                  ? part.inputIds()[(int) t]
                                  : part.labels()[(int) t]);
                })
            .toArray();
    long[] original = Pieces.ofBert().encode(text).ids();
    assertArrayEquals(Arrays.copyOfRange(original, 1, original.length - 1), all);
  }

  @Test
  void causal_texts_end_with_their_token_and_packed_ones_lose_none() {
    Dataset data = Dataset.of(List.of("lock gate", "sea", "ship lake dam"));
    Samples rows = Collator.causalLm(Pieces.ofT5(0), 16, false).samples(data);
    assertEquals(3, rows.size());
    long[] sea = {Pieces.id("sea"), Pieces.EOS};
    assertArrayEquals(sea, rows.get(1, draws(0, 1)).inputIds());
    assertEquals(1, rows.get(1, draws(0, 1)).items());
    Samples packed = Collator.causalLm(Pieces.ofT5(0), 5, true).samples(data);
    List<Long> stream = new ArrayList<>();
    for (int i = 0; i < packed.size(); i++) {
      long[] block = packed.get(i, draws(0, i)).inputIds();
      assertTrue(block.length == 5 || i == packed.size() - 1);
      assertArrayEquals(block, packed.get(i, draws(0, i)).labels());
      Arrays.stream(block).forEach(stream::add);
    }
    List<Long> expected = new ArrayList<>();
    for (int i = 0; i < data.size(); i++) {
      long[] ids = Pieces.ofT5(0).encode(data.get(i).text("text")).ids();
      Arrays.stream(ids).forEach(expected::add);
    }
    assertEquals(expected, stream);
    stream.clear();
    for (int i = 0; i < packed.size(); i++) {
      Arrays.stream(packed.get(i, draws(1, i)).inputIds()).forEach(stream::add);
    }
    assertNotEquals(expected, stream);
    Collections.rotate(expected, -Collections.indexOfSubList(twice(expected), stream));
    assertEquals(expected, stream);
    assertThrows(
        DatasetException.class,
        () -> Collator.causalLm(Pieces.ofBert(), 8, true).samples(Dataset.of(List.of("ab"))));
  }

  private static List<Long> twice(List<Long> ids) {
    List<Long> all = new ArrayList<>(ids);
    all.addAll(ids);
    return all;
  }

  @Test
  void half_of_the_second_sentences_follow_the_first() throws Exception {
    StringBuilder lines = new StringBuilder();
    Map<String, String> next = new HashMap<>();
    for (int d = 0; d < 20; d++) {
      for (int s = 0; s < 30; s++) {
        lines.append(sentence(d, s)).append('\n');
        next.put(sentence(d, s), sentence(d, s + 1));
      }
      lines.append('\n');
    }
    Path file = folder.resolve("sentences.txt");
    Files.writeString(file, lines);
    Samples samples = Collator.nextSentence(Pieces.ofBert(), 64, 0).samples(Dataset.lines(file));
    assertEquals(20 * 29, samples.size());
    long random = 0;
    for (int i = 0; i < samples.size(); i++) {
      Features features = samples.get(i, draws(0, i));
      int d = i / 29;
      String first = sentence(d, i % 29);
      random += features.nextSentence();
      long[] following = Pieces.ofBert().encode(first, next.get(first)).ids();
      boolean follows = Arrays.equals(following, features.inputIds());
      assertEquals(follows ? 0 : 1, features.nextSentence());
      if (!follows) {
        String own = "d" + d;
        assertFalse(
            Arrays.stream(features.inputIds())
                .skip(first.length() > 0 ? Pieces.ofBert().encode(first).length() : 0)
                .anyMatch(id -> id == Pieces.id(own)),
            "a random sentence of the same document");
      }
      assertNull(features.labels());
    }
    near(0.5, random, samples.size());
    Features both =
        Collator.nextSentence(Pieces.ofBert(), 64, 0.15)
            .samples(Dataset.lines(file))
            .get(0, draws(0, 0));
    assertTrue(both.items() >= 1 && both.labels() != null && both.nextSentence() >= 0);
    Exception e =
        assertThrows(
            DatasetException.class,
            () ->
                Collator.nextSentence(Pieces.ofBert(), 64, 0)
                    .samples(Dataset.of(List.of("one", "two"))));
    assertTrue(e.getMessage().contains("an empty line begins a document, here are 2 of 2"));
  }

  private static String sentence(int document, int number) {
    return "d%d s%d end".formatted(document, number);
  }

  private static Samples classes(ProblemType type, Object... labels) {
    List<Map<String, Object>> records = new ArrayList<>();
    for (Object label : labels) {
      records.add(Map.of("text", "sea", "label", label));
    }
    return Collator.sequenceClassification(Pieces.ofBert(), 8, List.of("no", "yes", "so"), type)
        .samples(Dataset.ofRecords(records));
  }

  @Test
  void classes_are_numbers_or_names() {
    Samples samples = classes(null, 2, "yes");
    assertArrayEquals(new long[] {2}, samples.get(0, null).labels());
    assertArrayEquals(new long[] {1}, samples.get(1, null).labels());
    Samples several = classes(null, List.of("yes", "so"), List.of(0, 0.5, 1));
    assertArrayEquals(new float[] {0, 1, 1}, several.get(0, null).labelValues());
    assertArrayEquals(new float[] {0, 0.5f, 1}, several.get(1, null).labelValues());
    for (Object bad : new Object[] {3, -1, "maybe", 1.5}) {
      assertEquals(
          "record 1: field 'label' has the label %s, expected 0 to 2 or one of [no, yes, so]"
              .formatted(bad),
          assertThrows(DatasetException.class, () -> classes(null, 0, bad)).getMessage());
    }
    assertEquals(
        "record 0: field 'label' is [1, 2], expected a list of 3 numbers",
        assertThrows(DatasetException.class, () -> classes(ProblemType.REGRESSION, List.of(1, 2)))
            .getMessage());
  }

  @Test
  void a_word_has_its_label_at_its_first_piece() {
    Map<String, Object> record =
        Map.of("tokens", List.of("Gatun", "lies", "in", "Colombia"), "tags", List.of(1, 0, 0, "P"));
    Collator collator = Collator.tokenClassification(Pieces.ofBert(), 32, List.of("O", "B", "P"));
    Features features = collator.samples(Dataset.ofRecords(List.of(record))).get(0, null);
    // [CLS] Gat un lie s in Col omb ia [SEP]
    assertArrayEquals(new long[] {NO, 1, NO, 0, NO, 0, 2, NO, NO, NO}, features.labels());
    assertEquals(4, features.items());
    // The second piece of a word that a window begins with has no label.
    Collator narrow = Collator.tokenClassification(Pieces.ofBert(), 5, List.of("O", "B", "P"));
    Samples parts = narrow.samples(Dataset.ofRecords(List.of(record)));
    assertEquals(3, parts.size());
    assertArrayEquals(new long[] {NO, NO, 0, 2, NO}, parts.get(1, null).labels());
    Map<String, Object> bad = Map.of("tokens", List.of("a", "b"), "ner_tags", List.of(1));
    assertEquals(
        "record 0: field 'ner_tags' has 1 labels, 'tokens' 2 words",
        assertThrows(
                DatasetException.class, () -> collator.samples(Dataset.ofRecords(List.of(bad))))
            .getMessage());
  }

  private static Map<String, Object> question(String context, String answer, int start) {
    return Map.of(
        "question",
        "who",
        "context",
        context,
        "answers",
        Map.of("text", List.of(answer), "answer_start", List.of(start)));
  }

  /** Starts count code points: the ship before the answer is two chars of Java. */
  @Test
  void answers_are_found_in_their_window() {
    String context = "a \uD83D\uDEA2 and the lock keeper opens gates";
    Collator collator = Collator.questionAnswering(Pieces.ofBert(), 64, 0);
    Dataset data = Dataset.ofRecords(List.of(question(context, "lock keeper", 12)));
    Features features = collator.samples(data).get(0, null);
    // [CLS] who [SEP] a 🚢 and the loc k kee per ope ns gat es [SEP]
    assertEquals(7, features.startPosition());
    assertEquals(10, features.endPosition());
    Samples windows = Collator.questionAnswering(Pieces.ofBert(), 10, 2).samples(data);
    assertEquals(3, windows.size());
    // a 🚢 and the loc k | loc k kee per ope ns | ope ns gat es
    assertEquals(0, windows.get(0, null).startPosition());
    assertEquals(0, windows.get(0, null).endPosition());
    assertEquals(3, windows.get(1, null).startPosition());
    assertEquals(6, windows.get(1, null).endPosition());
    assertEquals(0, windows.get(2, null).endPosition());
    Dataset wrong = Dataset.ofRecords(List.of(question(context, "lock keeper", 13)));
    assertEquals(
        "record 0: the answer 'lock keeper' is not in the context at character 13",
        assertThrows(DatasetException.class, () -> collator.samples(wrong)).getMessage());
  }

  @Test
  void sources_and_targets_are_cut_by_themselves() {
    Map<String, Object> record = Map.of("text", "ship lake dam", "summary", "sea sea sea sea");
    Samples samples =
        Collator.sequenceToSequence(Pieces.ofT5(0), 4, 3, "do ")
            .samples(Dataset.ofRecords(List.of(record)));
    Features features = samples.get(0, null);
    long[] source = {Pieces.id("do"), Pieces.id("shi"), Pieces.id("p"), Pieces.EOS};
    long[] target = {Pieces.id("sea"), Pieces.id("sea"), Pieces.EOS};
    assertArrayEquals(source, features.inputIds());
    assertArrayEquals(target, features.labels());
    assertEquals(3, features.items());
  }

  @Test
  void what_a_record_weighs_its_labels_weigh() {
    List<Map<String, Object>> records =
        List.of(
            Map.of("text", "sea", "label", 2, "target", "sea"),
            Map.of("text", "sea", "label", 0, "target", "sea sea", "sample_weight", 0.5));
    Dataset data = Dataset.ofRecords(records);
    for (Collator collator :
        List.of(
            Collator.maskedLm(Pieces.ofBert(), 32, 0.5, false),
            Collator.causalLm(Pieces.ofBert(), 32, false),
            Collator.sequenceClassification(Pieces.ofBert(), 8, List.of("a", "b", "c"), null),
            Collator.sequenceToSequence(Pieces.ofT5(0), 8, 8, ""))) {
      Samples samples = collator.samples(data);
      Features light = samples.get(1, draws(0, 1));
      float[] halves = new float[light.labels().length];
      Arrays.fill(halves, 0.5f);
      float[][] weights = new Batch(List.of(samples.get(0, draws(0, 0)), light)).labelWeights();
      assertArrayEquals(halves, weights[1]);
      assertEquals(1, weights[0][0]);
      assertNull(new Batch(List.of(samples.get(0, draws(0, 0)))).labelWeights());
    }
    for (Object bad : new Object[] {-1, "much"}) {
      Dataset wrong = Dataset.ofRecords(List.of(Map.of("text", "sea", "sample_weight", bad)));
      assertEquals(
          "record 0: field 'sample_weight' is %s, expected 0 or a positive number".formatted(bad),
          assertThrows(
                  DatasetException.class,
                  () -> Collator.maskedLm(Pieces.ofBert(), 32, 0.5, false).samples(wrong))
              .getMessage());
    }
    assertEquals(
        "record 1: field 'sample_weight': one stream of texts has no weights of samples",
        assertThrows(
                DatasetException.class,
                () -> Collator.causalLm(Pieces.ofBert(), 32, true).samples(data))
            .getMessage());
  }

  @Test
  void a_tokenizer_without_languages_has_no_translations() {
    assertThrows(
        IllegalArgumentException.class,
        () -> Collator.translation(Pieces.ofT5(0), 100, 100, "fr", "en"));
  }
}
