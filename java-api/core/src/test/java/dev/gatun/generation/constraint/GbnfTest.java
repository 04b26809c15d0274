package dev.gatun.generation.constraint;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.nio.charset.StandardCharsets;
import java.util.Random;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** Grammars in llama.cpp's notation, beside derivations that were made by hand. */
final class GbnfTest {
  private static final TokenTrie TRIE = Vocabularies.small();

  private static TokenAutomaton automaton(String gbnf) {
    return new TokenAutomaton(Notations.grammar(gbnf), TRIE, false);
  }

  private static void holds(String gbnf, String[] derived, String... others) {
    TokenAutomaton automaton = automaton(gbnf);
    for (String text : derived) {
      assertTrue(Vocabularies.accepts(automaton, text), () -> "not derived: '" + text + "'");
    }
    for (String text : others) {
      assertEquals(false, Vocabularies.accepts(automaton, text), () -> "derived: '" + text + "'");
    }
  }

  @Test
  void rules_literals_classes_groups_and_repetitions() {
    holds(
        "root ::= \"a\" [0-9]+ (\"x\" | \"yz\"){2,3} \"!\"?",
        new String[] {"a1xx", "a12yzx!", "a0xyzyz!"},
        "axx",
        "a1x",
        "a1xxxx",
        "a1xx!!",
        "");
    holds("root ::= \"ab\"*", new String[] {"", "ab", "abab"}, "aba", "abb");
    holds("root ::= \"a\"{2} \"b\"{1,}", new String[] {"aab", "aabbb"}, "aa", "aaab");
    holds("root ::= [^a-c\\]] .", new String[] {"d\n", "-水", "[a"}, "aa", "]a", "d");
    holds(
        "root ::= [a-] [\\x41-\\x43] \"\\u6c34\\U0001F600\"",
        new String[] {"-A水\ud83d\ude00", "aC水\ud83d\ude00"},
        "bA水\ud83d\ude00",
        "aD水\ud83d\ude00");
    holds("root ::= \"\\n\\t\\\\\\\"\\r\"", new String[] {"\n\t\\\"\r"}, "n");
    holds("root ::= | \"a\"", new String[] {"", "a"}, "b");
  }

  @Test
  void rules_go_on_over_lines_in_groups_and_behind_bars() {
    holds(
        """
        # A comment, and an empty line.

        root ::= (   # begins
          "a"        # one
          | item
        )+ end       # the rest
        item ::= "b" |
          "c"
        end ::= "."
        """,
        new String[] {"a.", "bca.", "c."},
        ".",
        "ab");
  }

  /** Balanced brackets have no bound that an automaton without a stack could count to. */
  @Test
  void recursion() {
    String balanced = "root ::= item*\nitem ::= \"(\" item* \")\" | \"[\" item* \"]\"";
    holds(
        balanced,
        new String[] {"", "()", "([])()", "(".repeat(500) + ")".repeat(500)},
        "(",
        "([)]",
        ")(",
        "(".repeat(500) + ")".repeat(499));
    holds(
        """
        root ::= expr "\\n"
        expr ::= term ([-+*/] term)*
        term ::= [0-9]+ | "(" expr ")"
        """,
        new String[] {"1\n", "1+2*(3-(4))\n", "((12))/3\n"},
        "1+\n",
        "(1\n",
        "1",
        "1++2\n");
    Random random = new Random(5);
    TokenAutomaton automaton = automaton(balanced);
    for (int round = 0; round < 200; round++) {
      byte[] drawn = Vocabularies.draw(automaton, TRIE, random, 40);
      if (drawn != null) {
        String text = new String(drawn, StandardCharsets.UTF_8);
        String less = text;
        String before;
        do {
          before = less;
          less = less.replace("()", "").replace("[]", "");
        } while (!less.equals(before));
        assertEquals("", less, text);
      }
    }
  }

  /** What comes last in a rule is no deeper than the rule. */
  @Test
  void recursion_on_the_right_takes_no_stack() {
    TokenAutomaton automaton = automaton("root ::= \"a\" root | \"b\"");
    assertTrue(Vocabularies.accepts(automaton, "a".repeat(100_000) + "b"));
  }

  /** The grammar for JSON that comes with llama.cpp has strings whose characters are a rule. */
  @Test
  void characters_of_a_rule_are_plain_text() {
    String gbnf =
        """
        root ::= "\\"" char* "\\""
        char ::= [^"\\\\\\x7F\\x00-\\x1F] | "\\\\" (["\\\\bfnrt] | "u" [0-9a-fA-F]{4})
        """;
    holds(gbnf, new String[] {"\"\"", "\"a\\u00e9水\\n\""}, "\"a", "\"\\x\"", "\"\n\"");
    Automaton automaton = new Automaton(Notations.grammar(gbnf));
    Automaton.State inside = automaton.next(automaton.start(), '"');
    assertEquals(7, automaton.plainRun(inside, 7));
    assertEquals(0, automaton.plainRun(automaton.start(), 7));
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = ';',
      value = {
        "root ::= a; 1; 10; the rule 'a' is not defined",
        "a ::= \"x\"; 1; 10; there is no rule 'root'",
        "root ::= \"x; 1; 10; '\"' without its end",
        "root ::= [a-z; 1; 10; '[' without a ']'",
        "root ::= (\"a\"; 1; 10; '(' without a ')'",
        "root ::= *; 1; 10; '*' with nothing to repeat",
        "root ::= \"a\"{2,1}; 1; 13; a repetition of 2 to 1 times",
        "root ::= \"a\"{}; 1; 14; expected a number of repetitions",
        "root := \"a\"; 1; 6; expected '::='",
        "root ::= \"a\" ) \"b\"; 1; 14; expected the end of the line",
        "root ::= \"\\q\"; 1; 11; an escape that is none of",
        "root ::= \"\\x4\"; 1; 13; expected 2 hexadecimal digits",
        "root ::= [z-a]; 1; 11; a range whose ends are not in order",
        "root ::= <[12]>; 1; 10; a token by its id, which is not supported",
        "root ::= root \"a\" | \"b\"; 1; 1; left recursion: root comes back to itself",
      })
  void what_is_wrong_is_named_with_its_place(String gbnf, int line, int column, String what) {
    String message =
        assertThrows(IllegalArgumentException.class, () -> Notations.grammar(gbnf)).getMessage();
    String where = "grammar, line %d, column %d: ".formatted(line, column);
    assertTrue(message.startsWith(where) && message.contains(what), message);
  }

  @Test
  void lines_are_counted() {
    String message =
        assertThrows(
                IllegalArgumentException.class,
                () -> Notations.grammar("root ::= a\n# more\na ::= b\nb ::= a? b\nb ::= \"x\""))
            .getMessage();
    assertTrue(message.startsWith("grammar, line 5, column 1: the rule 'b' is defined"), message);
    message =
        assertThrows(
                IllegalArgumentException.class,
                () -> Notations.grammar("root ::= a\na ::= b\nb ::= \"x\"? a \"y\""))
            .getMessage();
    assertTrue(
        message.startsWith("grammar, line 2, column 1: left recursion: a > b comes"), message);
    assertTrue(
        assertThrows(IllegalArgumentException.class, () -> Notations.grammar("root ::= \"a\" root"))
            .getMessage()
            .contains("no text matches it"));
  }
}
