package dev.gatun.generation;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.ArrayList;
import java.util.List;
import java.util.Set;
import java.util.TreeSet;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/** Texts that are held to a constraint, whatever the model would say: its logits are noise. */
@Timeout(60)
final class ConstrainedGenerationTest {
  private static final int END = 1;
  private static final GenerationConfig PLAIN =
      GenerationConfig.builder().maxNewTokens(60).eosTokenId(List.of(END)).build();

  private static TextGenerator generator(TableModel model) {
    return new TextGenerator(
        model,
        null,
        new Letters(),
        new GenerationDefaults(PLAIN, List.of()),
        GeneratorOptions.defaults());
  }

  private static GenerationConfig drawn(Constraint constraint, long seed) {
    return PLAIN.toBuilder().constraint(constraint).doSample(true).seed(seed).build();
  }

  @Test
  void a_text_matches_its_expression_and_ends_where_it_does() {
    Set<String> texts = new TreeSet<>();
    try (TextGenerator generator = generator(new TableModel(200, 8, 200))) {
      for (int seed = 0; seed < 200; seed++) {
        GenerationResult result =
            generator.generate("abc", drawn(Constraint.regex("(ab|c){1,3}d?ca"), seed));
        Completion completion = result.completions().getFirst();
        assertTrue(result.text().matches("(ab|c){1,3}d?ca"), result.text());
        assertEquals(FinishReason.END_OF_TEXT, completion.reason());
        assertEquals(END, completion.ids()[completion.ids().length - 1]);
        texts.add(result.text());
      }
    }
    assertTrue(texts.size() > 15, texts.toString());
  }

  @Test
  void one_of_some_texts_comes() {
    List<String> choices = List.of("abca", "abcb", "dd", "c");
    Set<String> texts = new TreeSet<>();
    TableModel model = new TableModel(200, 8, 200);
    try (TextGenerator generator = generator(model)) {
      for (int seed = 0; seed < 100; seed++) {
        texts.add(generator.generate("b", drawn(Constraint.choice(choices), seed)).text());
      }
    }
    assertEquals(new TreeSet<>(choices), texts);
  }

  @Test
  void what_is_without_a_choice_takes_no_steps() {
    TableModel model = new TableModel(200, 8, 200);
    String text = "dcccccccccccccccccccccba";
    try (TextGenerator generator = generator(model)) {
      GenerationResult result = generator.generate("ab", drawn(Constraint.choice(text, "dab"), 1));
      int most = 2;
      for (int seed = 2; !result.text().equals(text); seed++) {
        model.steps.set(0);
        result = generator.generate("ab", drawn(Constraint.choice(text, "dab"), seed));
      }
      assertEquals(FinishReason.END_OF_TEXT, result.completions().getFirst().reason());
      assertTrue(model.steps.get() <= most + 2, model.steps + " steps");
    }
  }

  @Test
  void a_text_that_may_end_is_not_forced_on() {
    Set<String> texts = new TreeSet<>();
    try (TextGenerator generator = generator(new TableModel(200, 8, 200))) {
      for (int seed = 0; seed < 40; seed++) {
        texts.add(generator.generate("ab", drawn(Constraint.choice("d", "dccccd"), seed)).text());
      }
    }
    assertEquals(Set.of("d", "dccccd"), texts);
  }

  /** What forced text costs is one step, with guesses that were wrong taken back before. */
  @Test
  void guesses_and_forced_texts_go_together() {
    TableModel model = new TableModel(400, 8, 200);
    try (TextGenerator generator = generator(model)) {
      for (int seed = 0; seed < 60; seed++) {
        GenerationConfig config = drawn(Constraint.regex("([ab]{3}dddcccd){6}"), seed);
        GenerationConfig guessing = config.toBuilder().promptLookupNumTokens(6).build();
        String prompt = "abadddcccdbab";
        assertEquals(
            generator.generate(prompt, config).text(), generator.generate(prompt, guessing).text());
      }
    }
  }

  /** What a forced text ends with may be the beginning of a longer token. */
  @Test
  void tokens_that_may_grow_are_left_to_the_model() {
    Set<Integer> seconds = new TreeSet<>();
    try (TextGenerator generator = generator(new TableModel(200, 8, 200))) {
      for (int seed = 0; seed < 60; seed++) {
        // Behind d comes a for certain; a, ab and abc are tokens.
        GenerationResult result = generator.generate("c", drawn(Constraint.regex("da[bc]+"), seed));
        seconds.add(result.completions().getFirst().ids()[1]);
      }
    }
    assertTrue(
        seconds.containsAll(
            List.of(
                Letters.TOKENS.indexOf("a"),
                Letters.TOKENS.indexOf("ab"),
                Letters.TOKENS.indexOf("abc"))),
        seconds.toString());
  }

  @Test
  void a_length_that_ends_before_the_text_is_told() {
    try (TextGenerator generator = generator(new TableModel(200, 8, 200))) {
      GenerationConfig config =
          drawn(Constraint.regex("[ab]{50,}d"), 3).toBuilder().maxNewTokens(7).build();
      Completion completion = generator.generate("ab", config).completions().getFirst();
      assertEquals(FinishReason.LENGTH, completion.reason());
      assertEquals(7, completion.ids().length);
      assertTrue(completion.text().matches("[ab]*"), completion.text());
      GenerationConfig forced =
          drawn(Constraint.choice("c".repeat(40), "d"), 3).toBuilder()
              .maxNewTokens(6)
              .suppressTokens(List.of(Letters.TOKENS.indexOf("d")))
              .build();
      completion = generator.generate("ab", forced).completions().getFirst();
      assertEquals(FinishReason.LENGTH, completion.reason());
      assertEquals(6, completion.ids().length);
    }
  }

  @Test
  void sequences_guesses_and_greedy_texts_match_too() {
    try (TextGenerator generator = generator(new TableModel(200, 8, 200))) {
      Constraint constraint = Constraint.regex("(ab|ba|c){4,20}d");
      GenerationConfig several = drawn(constraint, 5).toBuilder().numReturnSequences(4).build();
      List<String> texts = new ArrayList<>();
      for (Completion completion : generator.generate("abc", several).completions()) {
        texts.add(completion.text());
        assertTrue(completion.text().matches("(ab|ba|c){4,20}d"), completion.text());
      }
      assertTrue(Set.copyOf(texts).size() > 1, texts.toString());
      GenerationConfig greedy = PLAIN.toBuilder().constraint(constraint).build();
      String expected = generator.generate("abc", greedy).text();
      assertTrue(expected.matches("(ab|ba|c){4,20}d"), expected);
      GenerationResult guessed =
          generator.generate(
              "abcabcabc", drawn(constraint, 9).toBuilder().promptLookupNumTokens(5).build());
      GenerationResult plain = generator.generate("abcabcabc", drawn(constraint, 9));
      assertEquals(plain.text(), guessed.text());
      assertTrue(plain.text().matches("(ab|ba|c){4,20}d"), plain.text());
      assertTrue(
          generator
              .generate("abc", greedy.toBuilder().logprobs(2).build())
              .text()
              .matches("(ab|ba|c){4,20}d"));
    }
  }

  @Test
  void a_dead_end_is_an_error_that_says_what_was_to_come() {
    try (TextGenerator generator = generator(new TableModel(200, 8, 200))) {
      IllegalStateException failure =
          assertThrows(
              IllegalStateException.class,
              () -> generator.generate("ab", drawn(Constraint.choice("abx"), 1)));
      assertTrue(
          failure.getMessage().contains("dead end")
              && failure.getMessage().contains("'x', and no token of the vocabulary begins so"),
          failure.getMessage());
      GenerationConfig against =
          drawn(Constraint.choice("d"), 1).toBuilder()
              .suppressTokens(List.of(Letters.TOKENS.indexOf("d")))
              .build();
      failure = assertThrows(IllegalStateException.class, () -> generator.generate("ab", against));
      assertTrue(failure.getMessage().contains("other settings forbid"), failure.getMessage());
    }
  }

  @Test
  void beams_and_generators_without_a_tokenizer_are_refused() {
    assertTrue(
        assertThrows(
                IllegalArgumentException.class,
                () -> PLAIN.toBuilder().numBeams(3).constraint(Constraint.choice("a")).build())
            .getMessage()
            .contains("num_beams is 3 with a constraint"));
    try (TextGenerator generator =
        new TextGenerator(
            new TableModel(80, 8, 50),
            null,
            null,
            new GenerationDefaults(PLAIN, List.of()),
            GeneratorOptions.defaults())) {
      assertTrue(
          assertThrows(
                  IllegalArgumentException.class,
                  () ->
                      generator.generate(
                          new int[] {2},
                          PLAIN.toBuilder().constraint(Constraint.choice("a")).build()))
              .getMessage()
              .contains("a constraint needs a tokenizer"));
    }
  }
}
