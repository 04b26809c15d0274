package dev.gatun.generation;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/** Guesses at the next tokens, which change how many steps there are and nothing else. */
@Timeout(60)
final class SpeculationTest {
  private static final GenerationConfig LONG =
      GenerationConfig.builder().maxNewTokens(100).eosTokenId(List.of()).build();

  private static TextGenerator generator(TableModel model, DraftModel draft) {
    return new TextGenerator(
        model, draft, null, new GenerationDefaults(LONG, List.of()), GeneratorOptions.defaults());
  }

  @Test
  void what_followed_the_last_tokens_before_is_looked_up() {
    PromptLookup four = new PromptLookup(4);
    assertEquals(
        List.of(4, 5, 1, 2), four.propose(new TokenHistory(new int[] {1, 2, 3, 4, 5, 1, 2, 3}), 9));
    assertEquals(
        List.of(4, 5), four.propose(new TokenHistory(new int[] {1, 2, 3, 4, 5, 1, 2, 3}), 2));
    // The longest match, and of these the latest.
    assertEquals(
        List.of(8, 7, 3),
        new PromptLookup(3).propose(new TokenHistory(new int[] {7, 3, 9, 7, 3, 8, 7, 3}), 9));
    assertEquals(List.of(), four.propose(new TokenHistory(new int[] {1, 2, 3}), 9));
    assertEquals(List.of(), four.propose(new TokenHistory(new int[] {1}), 9));
  }

  /** The table draws by the whole history: a second one guesses right, always. */
  @Test
  void a_draft_model_saves_steps_and_changes_no_token() {
    for (GenerationConfig config :
        List.of(
            LONG,
            LONG.toBuilder().repetitionPenalty(1.3f).build(),
            LONG.toBuilder().doSample(true).seed(5).build())) {
      TableModel plain = new TableModel(200, 4, 100);
      TableModel model = new TableModel(200, 4, 100);
      TableModel small = new TableModel(200, 4, 100);
      int[] prompt = {3, 4, 5};
      int[] expected;
      try (TextGenerator generator = generator(plain, null)) {
        expected = generator.generate(prompt, config).completions().getFirst().ids();
      }
      try (TextGenerator generator = generator(model, new DraftModel(small))) {
        GenerationResult result = generator.generate(prompt, config);
        assertArrayEquals(expected, result.completions().getFirst().ids());
        assertTrue(result.speculation().taken() > 0, "none was right");
        assertTrue(model.steps.get() < plain.steps.get(), "steps " + model.steps);
      }
      assertTrue(small.closed);
      assertEquals(100, small.cache().freePages());
      assertEquals(100, model.cache().freePages());
    }
  }

  @Test
  void what_does_not_pay_is_off_for_a_while_and_says_so() {
    Payoff payoff = new Payoff();
    assertFalse(payoff.isWanted(), "nothing to compare with");
    for (int i = 0; i < Payoff.PLAIN_STEPS; i++) {
      payoff.plain(1_000_000, 1);
    }
    for (int i = 0; i < 3 * Payoff.GUESSED_STEPS; i++) {
      assertTrue(payoff.isWanted());
      payoff.guessed(1_500_000, 2);
    }
    assertNull(payoff.reason());
    for (int i = 0; i < Payoff.GUESSED_STEPS; i++) {
      payoff.guessed(3_000_000, 2);
    }
    assertFalse(payoff.isWanted());
    assertEquals(
        "speculation is off for 256 steps: a token took 1.500 ms with it, 1.000 ms without",
        payoff.reason());
    for (int i = 0; i < Payoff.REST + Payoff.PLAIN_STEPS - 1; i++) {
      assertFalse(payoff.isWanted());
      payoff.plain(1_000_000, 1);
    }
    assertTrue(payoff.isWanted(), "it is tried again");
    assertNull(payoff.reason());
  }

  /** The times before a rest may be those of another load. */
  @Test
  void what_is_tried_again_is_compared_with_new_times() {
    Payoff payoff = new Payoff();
    for (int i = 0; i < Payoff.PLAIN_STEPS; i++) {
      payoff.plain(100_000_000, 1);
    }
    for (int i = 0; i < Payoff.GUESSED_STEPS; i++) {
      payoff.guessed(200_000_000, 1);
    }
    for (int i = 0; i < Payoff.REST + Payoff.PLAIN_STEPS - 1; i++) {
      assertFalse(payoff.isWanted());
      payoff.plain(1_000_000, 1);
    }
    for (int i = 0; i < Payoff.GUESSED_STEPS; i++) {
      assertTrue(payoff.isWanted());
      payoff.guessed(2_000_000, 1);
    }
    assertEquals(
        "speculation is off for 256 steps: a token took 2.000 ms with it, 1.000 ms without",
        payoff.reason());
  }
}
