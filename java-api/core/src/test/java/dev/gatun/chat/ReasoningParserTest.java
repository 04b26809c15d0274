package dev.gatun.chat;

import static org.junit.jupiter.api.Assertions.assertEquals;

import java.util.List;
import java.util.Set;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;

/** Reasoning apart from the answer, however the text is cut. */
final class ReasoningParserTest {
  private static final ReasoningFormat THINK = new ReasoningFormat("<think>", "</think>");

  private static String parse(boolean open, Set<String> tokens, List<String> pieces) {
    StringBuilder reasoning = new StringBuilder();
    StringBuilder answer = new StringBuilder();
    ReasoningParser parser =
        new ReasoningParser(
            THINK,
            open,
            tokens,
            reasoning::append,
            new ReasoningParser.Answer() {
              @Override
              public void text(String text) {
                answer.append(text);
              }

              @Override
              public void control(String spelling) {
                answer.append('{').append(spelling).append('}');
              }
            });
    for (String piece : pieces) {
      if (tokens.contains(piece)) {
        parser.control(piece);
      } else {
        parser.text(piece);
      }
    }
    parser.finish();
    return reasoning + "|" + answer;
  }

  static Stream<Arguments> answers() {
    return Stream.of(
        Arguments.of(
            false,
            "<think>\nA map, \n\nsays I.\n</think>\n\nIn Panama. ",
            "A map, \n\nsays I.|In Panama. "),
        Arguments.of(true, "A map.\n</think>\n\nIn Panama.", "A map.|In Panama."),
        Arguments.of(false, "\n<think></think>x", "|x"),
        Arguments.of(false, "<think>A < b </thin", "A < b </thin|"),
        Arguments.of(true, "no end", "no end|"),
        Arguments.of(
            false, " The tag <think> opens it.</think>", "| The tag <think> opens it.</think>"),
        Arguments.of(false, "<thing>", "|<thing>"),
        Arguments.of(false, "<thi", "|<thi"),
        Arguments.of(false, "<think>a</think>b<think>c</think>", "a|b<think>c</think>"),
        Arguments.of(false, "", "|"));
  }

  @ParameterizedTest
  @MethodSource("answers")
  void isTheSameHoweverTheTextIsCut(boolean open, String text, String expected) {
    for (int at = 0; at <= text.length(); at++) {
      List<String> pieces = List.of(text.substring(0, at), text.substring(at));
      assertEquals(expected, parse(open, Set.of(), pieces), "cut at " + at);
    }
    List<String> letters = text.chars().mapToObj(c -> String.valueOf((char) c)).toList();
    assertEquals(expected, parse(open, Set.of(), letters));
  }

  @Test
  void marksThatAreTokensAreNotTheirSpelling() {
    Set<String> tokens = Set.of("<think>", "</think>", "<call>");
    assertEquals(
        "a </think|b{<call>}c",
        parse(
            false,
            tokens,
            List.of(" ", "<think>", "a </thi", "nk", "</think>", " b", "<call>", "c")));
    assertEquals("|<think>a", parse(false, tokens, List.of("<thin", "k>a")));
    assertEquals("| {<call>}", parse(false, tokens, List.of(" ", "<call>")));
  }
}
