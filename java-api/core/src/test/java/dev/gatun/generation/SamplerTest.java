package dev.gatun.generation;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.List;
import org.junit.jupiter.api.Test;

final class SamplerTest {
  private static final float[] LOGITS = {1, 3, 2, 3, Float.NEGATIVE_INFINITY, -1};

  private static GenerationConfig.Builder sampling() {
    return GenerationConfig.builder().doSample(true).topK(0);
  }

  private static Sampler.Choice next(GenerationConfig config, int... prompt) {
    return new Sampler(config, 100, null).next(LOGITS.clone(), new TokenHistory(prompt), 1, 0);
  }

  /** The vectors of Random123's kat_vectors. */
  @Test
  void philox_gives_the_published_words() {
    assertArrayEquals(
        new int[] {0x6627e8d5, 0xe169c58d, 0xbc57ac4c, 0x9b00dbd8}, Philox.words(0, 0, 0));
    assertArrayEquals(
        new int[] {0x408f276d, 0x41c83b0e, 0xa20bc7c6, 0x6d5451fd}, Philox.words(-1, -1, -1));
    assertArrayEquals(
        new int[] {0xd16cfe09, 0x94fdcceb, 0x5001e420, 0x24126ea1},
        Philox.words(0x299f31d0a4093822L, 0x85a308d3243f6a88L, 0x0370734413198a2eL));
  }

  @Test
  void greedy_takes_the_first_of_the_highest() {
    assertEquals(1, next(GenerationConfig.builder().build(), 0).id());
    assertEquals(1, next(sampling().temperature(0).build(), 0).id());
  }

  @Test
  void penalties_count_what_was_generated() {
    GenerationConfig config =
        GenerationConfig.builder().presencePenalty(0.5f).frequencyPenalty(0.25f).build();
    float[] scores = {0, 0, 0, 0};
    TokenHistory history = new TokenHistory(new int[] {0, 1});
    history.add(1);
    history.add(3);
    history.add(3);
    new Sampler(config, 100, null).process(scores, history);
    assertArrayEquals(new float[] {0, -0.75f, 0, -1}, scores);
  }

  @Test
  void draws_follow_the_probabilities() {
    int[] counts = new int[LOGITS.length];
    Sampler sampler = new Sampler(sampling().temperature(2).build(), 1 << 20, null);
    int draws = 20_000;
    for (int draw = 0; draw < draws; draw++) {
      counts[sampler.next(LOGITS.clone(), new TokenHistory(new int[] {0}), 7, draw).id()]++;
    }
    double sum = 0;
    for (float logit : LOGITS) {
      sum += Math.exp(logit / 2);
    }
    double chiSquare = 0;
    for (int id = 0; id < counts.length; id++) {
      double expected = draws * Math.exp(LOGITS[id] / 2) / sum;
      chiSquare += expected == 0 ? 0 : Math.pow(counts[id] - expected, 2) / expected;
    }
    assertEquals(0, counts[4]);
    // The 99.9th percentile with 4 degrees of freedom.
    assertTrue(chiSquare < 18.5, () -> List.of(counts[0], counts[1], counts[2]).toString());
  }

  @Test
  void a_draw_depends_on_seed_position_and_number_alone() {
    Sampler sampler = new Sampler(sampling().temperature(5).build(), 100, null);
    StringBuilder drawn = new StringBuilder();
    for (int length = 1; length < 60; length++) {
      TokenHistory history = new TokenHistory(new int[length]);
      int id = sampler.next(LOGITS.clone(), history, 3, 0).id();
      assertEquals(id, sampler.next(LOGITS.clone(), history, 3, 0).id());
      drawn.append(id);
    }
    assertTrue(drawn.chars().distinct().count() > 3, drawn.toString());
  }

  @Test
  void log_probabilities_are_the_models() {
    GenerationConfig config =
        GenerationConfig.builder().logprobs(3).suppressTokens(List.of(1)).build();
    Sampler.Choice choice = next(config, 0);
    double logSumExp =
        Math.log(Math.exp(1) + Math.exp(3) + Math.exp(2) + Math.exp(3) + Math.exp(-1));
    assertEquals(3, choice.id());
    assertEquals(3 - logSumExp, choice.logprob(), 1e-6);
    assertEquals(List.of(1, 3, 2), choice.top().stream().map(TokenScore::id).toList());
    assertEquals(2 - logSumExp, choice.top().get(2).logprob(), 1e-6);
    assertTrue(Float.isNaN(next(GenerationConfig.builder().build(), 0).logprob()));
  }

  @Test
  void logits_that_choose_nothing_are_named() {
    GenerationConfig greedy = GenerationConfig.builder().build();
    Sampler sampler = new Sampler(greedy, 100, null);
    TokenHistory history = new TokenHistory(new int[] {1, 2, 3});
    String nan =
        assertThrows(
                InvalidLogitsException.class,
                () -> sampler.next(new float[] {0, Float.NaN}, history, 0, 0))
            .getMessage();
    assertEquals("logits of the token at position 3: that of id 1 is NaN", nan);
    GenerationConfig none = greedy.toBuilder().suppressTokens(List.of(0, 1)).build();
    for (GenerationConfig config : List.of(none, none.toBuilder().doSample(true).build())) {
      Sampler nothing = new Sampler(config, 100, null);
      assertThrows(
          InvalidLogitsException.class, () -> nothing.next(new float[] {0, 1}, history, 0, 0));
    }
    Sampler repaired = new Sampler(greedy.toBuilder().removeInvalidValues(true).build(), 100, null);
    assertEquals(1, repaired.next(new float[] {-1, Float.NaN}, history, 0, 0).id());
  }

  @Test
  void tokens_outside_of_the_vocabulary_are_named() {
    for (GenerationConfig config :
        List.of(
            GenerationConfig.builder().suppressTokens(List.of(6)).build(),
            GenerationConfig.builder().badWordsIds(List.of(List.of(6))).build(),
            GenerationConfig.builder().minNewTokens(2).eosTokenId(List.of(6)).build())) {
      String message =
          assertThrows(IllegalArgumentException.class, () -> next(config, 0)).getMessage();
      assertTrue(message.endsWith("has the token 6, the model's vocabulary has 6"), message);
    }
  }
}
