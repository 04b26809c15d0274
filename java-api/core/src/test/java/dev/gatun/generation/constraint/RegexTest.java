package dev.gatun.generation.constraint;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/** Regular expressions, beside those of java.util.regex. */
final class RegexTest {
  private static final TokenTrie TRIE = Vocabularies.small();

  private static TokenAutomaton automaton(String regex) {
    return new TokenAutomaton(Notations.regex(regex), TRIE, false);
  }

  @Test
  void what_is_drawn_matches_and_what_matches_is_taken() {
    long seed = Long.getLong("gatun.test.seed", 11);
    Random random = new Random(seed);
    int drawn = 0;
    int taken = 0;
    for (int round = 0; round < 400; round++) {
      RandomRegex regex = RandomRegex.draw(random, 0);
      TokenAutomaton automaton = automaton(regex.toString());
      for (int i = 0; i < 4; i++) {
        byte[] bytes = Vocabularies.draw(automaton, TRIE, random, 60);
        if (bytes == null) {
          continue;
        }
        drawn++;
        String text = new String(bytes, StandardCharsets.UTF_8);
        assertTrue(
            regex.matches(text), () -> "seed " + seed + ": " + regex + " for '" + text + "'");
        // A change of it is taken as far as it matches.
        String changed = changed(text, random);
        boolean matches = regex.matches(changed);
        taken += matches ? 1 : 0;
        assertEquals(
            matches,
            Vocabularies.accepts(automaton, changed),
            "seed " + seed + ": " + regex + " for '" + changed + "'");
      }
    }
    assertTrue(drawn > 1000, drawn + " texts were drawn");
    assertTrue(taken > 100, taken + " changed ones matched");
  }

  private static String changed(String text, Random random) {
    int[] points = text.codePoints().toArray();
    StringBuilder changed = new StringBuilder();
    for (int point : points) {
      switch (random.nextInt(8)) {
        case 0 -> {}
        case 1 -> changed.append("abc1é水\n.".charAt(random.nextInt(8)));
        case 2 -> changed.appendCodePoint(point).appendCodePoint(point);
        default -> changed.appendCodePoint(point);
      }
    }
    return changed.toString();
  }

  /** The walk over the trie, and its short cuts, allow what each token alone would be. */
  @ParameterizedTest
  @ValueSource(
      strings = {
        "[^\"]*",
        "[^\"]{0,3}",
        "[^\"]{2,4}abc",
        "\"[^\"]{0,5}\"",
        "(?:[^\"]{2,3},)*",
        ".{1,3}",
        "[^\"]+\"",
        "(?:ab|a|b){0,4}",
        "\\p{L}{1,3}",
        "(?:[^\"]|\"\"){0,4}b",
        "x?[^\"]{3}",
        "x(?:[^\"]{0,3}|name|aaaa)",
        "é?水+"
      })
  void masks_are_what_each_token_says(String regex) {
    TokenAutomaton automaton = automaton(regex);
    Random random = new Random(3);
    for (int round = 0; round < 20; round++) {
      TokenAutomaton.Position at = automaton.start();
      for (int i = 0; i < 12; i++) {
        List<Integer> ids = new ArrayList<>();
        automaton.mask(at).forEach(ids::add);
        assertEquals(Vocabularies.tried(automaton, TRIE, at), ids, regex);
        assertEquals(ids.size(), automaton.mask(at).count());
        if (ids.isEmpty()) {
          break;
        }
        at = automaton.advance(at, ids.get(random.nextInt(ids.size())));
      }
    }
  }

  /** More states than are remembered. */
  @Test
  void states_that_are_forgotten_are_made_again() {
    TokenAutomaton automaton = automaton("(?:a{0,70000}b){2}");
    String most = "a".repeat(70_000);
    assertTrue(Vocabularies.accepts(automaton, most + "b" + most + "b"));
    assertEquals(false, Vocabularies.accepts(automaton, most + "ab" + most + "b"));
    assertTrue(Vocabularies.accepts(automaton, "ab" + most + "b"));
  }

  /** A decoder takes away the space that a text's first token has; no token is held against it. */
  @Test
  void a_first_space_that_is_no_part_of_the_text_may_come() {
    TokenAutomaton automaton = new TokenAutomaton(Notations.regex("ab{0,4} ?"), TRIE, true);
    assertTrue(Vocabularies.accepts(automaton, "abb"));
    assertTrue(Vocabularies.accepts(automaton, " abb"));
    assertEquals(false, Vocabularies.accepts(automaton, "  abb"));
    assertEquals(false, Vocabularies.accepts(automaton, "abb  "));
    TokenAutomaton spaced = new TokenAutomaton(Notations.regex(" {2}a"), TRIE, true);
    assertTrue(Vocabularies.accepts(spaced, "   a"));
    assertEquals(false, Vocabularies.accepts(spaced, "  a"));
    TokenAutomaton counted = new TokenAutomaton(Notations.regex("[^\"]{3}"), TRIE, true);
    List<Integer> ids = new ArrayList<>();
    counted.mask(counted.start()).forEach(ids::add);
    assertEquals(Vocabularies.tried(counted, TRIE, counted.start()), ids);
  }

  @Test
  void repetitions_count_and_are_not_unrolled() {
    Program program = Notations.regex("[a-z]{0,10000}(?:xy){3,9999}");
    assertTrue(program.size() < 20, program.size() + " instructions");
    TokenAutomaton automaton = new TokenAutomaton(program, TRIE, false);
    assertTrue(Vocabularies.accepts(automaton, "a".repeat(9999) + "xyxyxy"));
    assertEquals(false, Vocabularies.accepts(automaton, "1".repeat(10) + "xyxyxy"));
    assertEquals(false, Vocabularies.accepts(automaton("[a-z]{0,10000}"), "a".repeat(10001)));
    assertEquals(true, Vocabularies.accepts(automaton("[a-z]{0,10000}"), "a".repeat(10000)));
  }

  @Test
  void what_depends_on_the_text_around_is_refused() {
    for (String regex :
        List.of(
            "a(?=b)",
            "a(?!b)",
            "(?<=a)b",
            "(?<!a)b",
            "(a)\\1",
            "\\bfoo",
            "a\\B",
            "(?i)a",
            "(?<x>a)\\k<x>",
            "a++",
            "(^a)b",
            "a$b",
            "a(b$)",
            "*a",
            "a{2,1}",
            "[b-a]",
            "(a",
            "a)",
            "[a",
            "\\",
            "\\q",
            "\\p{Nope}",
            "\\p{L",
            "a{999999}",
            "\\u{110000}",
            "\\ud800",
            "a{",
            "]",
            "}",
            "(?P<x>a)",
            "\\c1",
            "\\x1",
            "a**")) {
      String message =
          assertThrows(IllegalArgumentException.class, () -> Notations.regex(regex), regex)
              .getMessage();
      assertTrue(message.startsWith("regular expression '" + regex + "', character "), message);
    }
  }

  @ParameterizedTest
  @CsvSource({
    "'a(?=b)', 2, lookahead",
    "'ab\\bc', 3, a word boundary",
    "'(a)\\1', 4, a back-reference",
    "'ab(c', 3, without a",
  })
  void a_refusal_says_where(String regex, int character, String what) {
    String message =
        assertThrows(IllegalArgumentException.class, () -> Notations.regex(regex)).getMessage();
    assertTrue(
        message.contains("character " + character + ": ") && message.contains(what), message);
  }

  @Test
  void an_expression_without_a_text_is_refused() {
    assertTrue(
        assertThrows(IllegalArgumentException.class, () -> Notations.regex("a[]b"))
            .getMessage()
            .endsWith("no text matches it"));
  }

  @Test
  void spaces_and_properties_are_those_of_ecma() {
    assertTrue(Vocabularies.accepts(automaton("\\s"), "\u2003"));
    assertTrue(Vocabularies.accepts(automaton("\\s"), "\ufeff"));
    assertEquals(false, Vocabularies.accepts(automaton("\\d"), "\u0663"));
    assertTrue(Vocabularies.accepts(automaton("\\p{Script=Greek}+"), "αβγ"));
    assertTrue(Vocabularies.accepts(automaton("\\p{Nd}"), "\u0663"));
    assertTrue(Vocabularies.accepts(automaton("\\ud83d\\ude00"), "\ud83d\ude00"));
    assertTrue(Vocabularies.accepts(automaton("\\u{1f600}"), "\ud83d\ude00"));
    assertEquals(false, Vocabularies.accepts(automaton("."), "\u2028"));
  }
}
