package dev.gatun.chat;

import static org.junit.jupiter.api.Assertions.assertEquals;

import java.util.ArrayList;
import java.util.List;
import java.util.Set;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;

/** Calls of every format, whole and cut anywhere, and what only looks like one. */
final class ToolCallParserTest {
  private static final String WEATHER = "weather({\"city\": \"Col\\u00f3n {x}\", \"days\": [2]})";

  /** What came: text as it is, calls as {@code <name(arguments)>}. */
  private static final class Heard implements ToolCallParser.Sink {
    private final StringBuilder content = new StringBuilder();
    private final List<String> calls = new ArrayList<>();

    @Override
    public void content(String text) {
      content.append(text);
    }

    @Override
    public void begin(int call, String name) {
      assertEquals(calls.size(), call);
      calls.add(name + "(");
    }

    @Override
    public void arguments(int call, String text) {
      assertEquals(calls.size() - 1, call);
      calls.set(call, calls.get(call) + text);
    }

    @Override
    public String toString() {
      return content + calls.stream().map(each -> "<" + each + ")>").reduce("", String::concat);
    }
  }

  private static Heard parse(ToolCallFormat format, Set<String> tokens, List<String> pieces) {
    Heard heard = new Heard();
    ToolCallParser parser = new ToolCallParser(format, Set.of("weather", "clock"), tokens, heard);
    for (String piece : pieces) {
      if (tokens.contains(piece)) {
        parser.control(piece);
      } else {
        parser.text(piece);
      }
    }
    parser.finish();
    return heard;
  }

  private static Arguments of(ToolCallFormat format, String text, String heard) {
    return Arguments.of(format, text, heard);
  }

  static Stream<Arguments> answers() {
    String json =
        "{\"name\": \"weather\", \"arguments\": {\"city\": \"Col\\u00f3n {x}\", \"days\": [2]}}";
    String clock = "{\"name\": \"clock\", \"arguments\": {}}";
    String both = "<" + WEATHER + "><clock({})>";
    return Stream.of(
        of(ToolCallFormat.HERMES, "<tool_call>\n" + json + "\n</tool_call>", "<" + WEATHER + ">"),
        of(
            ToolCallFormat.HERMES,
            "I look. \n<tool_call>" + json + "</tool_call>",
            "I look.<" + WEATHER + ">"),
        of(
            ToolCallFormat.HERMES,
            "<tool_call>\n" + json + "\n</tool_call>\n<tool_call>\n" + clock + "\n</tool_call>",
            both),
        of(ToolCallFormat.HERMES, "<tool_call>\n" + json + "\n" + clock + "\n</tool_call>", both),
        of(
            ToolCallFormat.HERMES,
            "<tool_call>" + json + "</tool_call>\nThat is all. ",
            "\nThat is all.<" + WEATHER + ">"),
        of(
            ToolCallFormat.HERMES,
            "<tool_call>{\"arguments\": {\"a\": 1}, \"name\": \"clock\"}</tool_call>",
            "<clock({\"a\": 1})>"),
        of(ToolCallFormat.HERMES, "<tool_call>{\"name\": \"clock\"}</tool_call>", "<clock({})>"),
        of(
            ToolCallFormat.HERMES,
            "<tool_call>{\"name\": \"clock\", \"arguments\": null}</tool_call>",
            "<clock({})>"),
        of(
            ToolCallFormat.HERMES,
            "<tool_call>{\"name\": \"clock\", \"arguments\": \"{\\\"a\\\": \\\"\\\\n"
                + "\\u0041\\\"}\"}</tool_call>",
            "<clock({\"a\": \"\\nA\"})>"),
        of(
            ToolCallFormat.HERMES,
            "<tool_call>{\"type\": \"function\", \"id\": 5, \"function\": {\"name\": \"clock\","
                + " \"arguments\": {\"a\": 1}}}</tool_call>",
            "<clock({\"a\": 1})>"),
        of(
            ToolCallFormat.HERMES,
            "<tool_call>{\"name\": \"other\", \"arguments\": {}}",
            "<other({})>"),
        // Cut off.
        of(
            ToolCallFormat.HERMES,
            "<tool_call>{\"name\": \"weather\", \"arguments\": {\"city\": \"Col",
            "<weather({\"city\": \"Col)>"),
        of(ToolCallFormat.HERMES, "<tool_call>{\"name\": \"weath", "<tool_call>{\"name\": \"weath"),
        of(ToolCallFormat.HERMES, "One <tool_ca", "One <tool_ca"),
        // No calls.
        of(
            ToolCallFormat.HERMES,
            "  The tag <tool_call> is open. \n",
            "  The tag <tool_call> is open. \n"),
        of(
            ToolCallFormat.HERMES,
            "<tool_call>{'name': 'weather'}</tool_call>",
            "<tool_call>{'name': 'weather'}</tool_call>"),
        of(
            ToolCallFormat.HERMES,
            "<tool_call>{\"city\": 1}</tool_call> x",
            "<tool_call>{\"city\": 1}</tool_call> x"),
        of(
            ToolCallFormat.HERMES,
            "<tool_call><tool_call>" + clock + "</tool_call>",
            "<tool_call><clock({})>"),
        of(ToolCallFormat.HERMES, "<<tool_call>" + clock, "<<clock({})>"),
        // What is wrong behind the name stays in the arguments.
        of(
            ToolCallFormat.HERMES,
            "<tool_call>{\"name\": \"weather\", \"arguments\": {\"city\": 1]}}</tool_call> So.",
            " So.<weather({\"city\": 1]}})>"),
        of(ToolCallFormat.LLAMA, json.replace("arguments", "parameters"), "<" + WEATHER + ">"),
        of(ToolCallFormat.LLAMA, "\n" + json + "; " + clock, both),
        of(ToolCallFormat.LLAMA, json + "\n" + clock, both),
        of(ToolCallFormat.LLAMA, "<|python_tag|>" + json, "<" + WEATHER + ">"),
        of(
            ToolCallFormat.LLAMA,
            "<|python_tag|>weather.call(city=\"x\")",
            "<|python_tag|>weather.call(city=\"x\")"),
        of(ToolCallFormat.LLAMA, "Such as " + json, "Such as " + json),
        of(
            ToolCallFormat.LLAMA,
            "{\"name\": \"Ana\", \"parameters\": 3}",
            "{\"name\": \"Ana\", \"parameters\": 3}"),
        of(ToolCallFormat.LLAMA, "{\"name\": \"clock\"}", "{\"name\": \"clock\"}"),
        of(ToolCallFormat.LLAMA, "{\"city\": \"x\"}", "{\"city\": \"x\"}"),
        of(ToolCallFormat.MISTRAL, "[TOOL_CALLS] [" + json + ", " + clock + "]", both),
        of(
            ToolCallFormat.MISTRAL,
            "[TOOL_CALLS][{\"arguments\": {}, \"name\": \"clock\", \"id\": \"123456789\"}]",
            "<clock({})>"),
        of(
            ToolCallFormat.MISTRAL,
            "Yes.[TOOL_CALLS]weather[ARGS]{\"city\": \"Col\\u00f3n {x}\", \"days\":"
                + " [2]}[TOOL_CALLS]clock[CALL_ID]a1[ARGS]{}",
            "Yes." + both),
        of(ToolCallFormat.MISTRAL, "[TOOL_CALLS]clock{\"a\": 1}", "<clock({\"a\": 1})>"),
        of(ToolCallFormat.MISTRAL, "[TOOL_CALLS] is a token", "[TOOL_CALLS] is a token"),
        of(ToolCallFormat.MISTRAL, "[TOOL_CALLS] [" + clock + ", oh", ", oh<clock({})>"),
        of(
            ToolCallFormat.COMMAND_R,
            "Action: ```json\n"
                + "[\n"
                + "    {\n"
                + "        \"tool_name\": \"clock\",\n"
                + "        \"parameters\": {}\n"
                + "    }\n"
                + "]```",
            "<clock({})>"),
        of(
            ToolCallFormat.COMMAND_R,
            "Plan: I look.\nAction:\n[" + json + "," + clock + "]",
            "Plan: I look." + both),
        of(
            ToolCallFormat.COMMAND_R,
            "A plan of Action: [" + clock + "]",
            "A plan of Action: [" + clock + "]"),
        of(ToolCallFormat.COMMAND_R, "Action: ```java\n[1]```", "Action: ```java\n[1]```"),
        of(
            ToolCallFormat.COMMAND_R7B,
            "<|START_ACTION|>[\n"
                + "{\"tool_call_id\": \"0\", \"tool_name\": \"clock\", \"parameters\": {\"a\":"
                + " true}}\n"
                + "]<|END_ACTION|>",
            "<clock({\"a\": true})>"),
        of(
            ToolCallFormat.TOOL_CALL_TOKEN,
            "<|tool_call|>[" + json + ", " + clock + "]<|/tool_call|>",
            both),
        of(ToolCallFormat.JSON, json, "<" + WEATHER + ">"),
        of(ToolCallFormat.JSON, "[" + json + ", " + clock + "]", both),
        of(ToolCallFormat.JSON, "[1, 2]", "[1, 2]"),
        of(ToolCallFormat.JSON, " \n", " \n"),
        of(ToolCallFormat.JSON, "", ""));
  }

  @ParameterizedTest
  @MethodSource("answers")
  void areTheSameHoweverTheTextIsCut(ToolCallFormat format, String text, String expected) {
    assertEquals(expected, parse(format, Set.of(), List.of(text)).toString());
    for (int at = 0; at <= text.length(); at++) {
      List<String> pieces = List.of(text.substring(0, at), text.substring(at));
      assertEquals(expected, parse(format, Set.of(), pieces).toString(), "cut at " + at);
    }
    List<String> letters = text.chars().mapToObj(c -> String.valueOf((char) c)).toList();
    assertEquals(expected, parse(format, Set.of(), letters).toString());
  }

  @Test
  void markersThatAreTokensAreNotTheirSpelling() {
    Set<String> tokens = Set.of("[TOOL_CALLS]", "[ARGS]", "<|other|>");
    String calls = " [{\"name\": \"clock\", \"arguments\": {}}]";
    assertEquals(
        "<clock({})>",
        parse(ToolCallFormat.MISTRAL, tokens, List.of("[TOOL_CALLS]", calls)).toString());
    assertEquals(
        "[TOOL_CALLS]" + calls,
        parse(ToolCallFormat.MISTRAL, tokens, List.of("[TOOL_", "CALLS]", calls)).toString());
    assertEquals(
        "<clock({\"a\": 1})>",
        parse(
                ToolCallFormat.MISTRAL,
                tokens,
                List.of("[TOOL_CALLS]", "clo", "ck", "[ARGS]", "{\"a\": 1}", "<|other|>"))
            .toString());
    assertEquals(
        "Hm [TOOL_CALLS] what",
        parse(ToolCallFormat.MISTRAL, tokens, List.of("Hm ", "[TOOL_CALLS]", " what")).toString());
    Set<String> action = Set.of("<|START_ACTION|>", "<|END_ACTION|>");
    assertEquals(
        " So<clock({})>",
        parse(
                ToolCallFormat.COMMAND_R7B,
                action,
                List.of("<|START_ACTION|>", calls.strip(), "<|END_ACTION|>", " So"))
            .toString());
    assertEquals(
        "<|START_ACTION|>[1 So",
        parse(
                ToolCallFormat.COMMAND_R7B,
                action,
                List.of("<|START_ACTION|>", "[", "1", "<|END_ACTION|>", " So"))
            .toString());
  }

  @Test
  void textAndArgumentsComeAtOnce() {
    Heard heard = new Heard();
    ToolCallParser parser =
        new ToolCallParser(ToolCallFormat.HERMES, Set.of("weather"), Set.of(), heard);
    parser.text("Look:");
    assertEquals("Look:", heard.toString());
    parser.text(" now <");
    assertEquals("Look: now", heard.toString());
    parser.text("tool_call>{\"name\": \"weather\"");
    assertEquals("Look: now<weather()>", heard.toString());
    parser.text(", \"arguments\": {\"city");
    assertEquals("Look: now<weather({\"city)>", heard.toString());
  }

  @Test
  void formatsAreToldByTheirTemplates() {
    assertEquals(ToolCallFormat.HERMES, ToolCallFormat.ofTemplate("{{ '<tool_call>\\n' }}"));
    assertEquals(ToolCallFormat.MISTRAL, ToolCallFormat.ofTemplate("{{ \"[TOOL_CALLS] [\" }}"));
    assertEquals(
        ToolCallFormat.LLAMA,
        ToolCallFormat.ofTemplate(
            "<|start_header_id|>{{ '{\"name\": \"' }}{{ '\"parameters\": ' }}"));
    assertEquals(
        ToolCallFormat.COMMAND_R,
        ToolCallFormat.ofTemplate("{{ '\\nAction: ```json' }} tool_name"));
    assertEquals(
        ToolCallFormat.COMMAND_R7B, ToolCallFormat.ofTemplate("{{ '<|START_ACTION|>[' }}"));
    assertEquals(
        ToolCallFormat.TOOL_CALL_TOKEN, ToolCallFormat.ofTemplate("{{ '<|tool_call|>' }}"));
    assertEquals(ToolCallFormat.JSON, ToolCallFormat.ofTemplate("{{ tools | tojson }}"));
  }
}
