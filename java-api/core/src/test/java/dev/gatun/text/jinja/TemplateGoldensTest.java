package dev.gatun.text.jinja;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.json.JsonMapper;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.LocalDateTime;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;

/** Templates give what jinja2 gives, errors included. */
final class TemplateGoldensTest {
  private static final Path GOLDENS = Path.of("../../test/goldens");
  private static final LocalDateTime NOW = LocalDateTime.of(2026, 3, 5, 14, 7, 9);

  private final List<String> wrong = new ArrayList<>();

  @Test
  void published_kinds_of_templates() throws IOException {
    JsonNode golden = read("chat-templates");
    for (JsonNode test : golden.path("cases")) {
      Map<String, Object> variables = new HashMap<>();
      variables.put("messages", golden.path("messages").path(test.path("messages").asText()));
      boolean tools = test.path("template").asText().equals("tools");
      variables.put("tools", tools ? golden.path("tools") : null);
      variables.put("documents", null);
      variables.put("bos_token", golden.path("bos_token"));
      variables.put("eos_token", golden.path("eos_token"));
      variables.put("add_generation_prompt", test.path("add_generation_prompt"));
      String name = test.path("template").asText();
      compare(name, golden.path("templates").path(name).asText(), variables, test);
    }
    report(golden.path("cases").size());
  }

  @Test
  void every_feature() throws IOException {
    JsonNode golden = read("chat-templates-more");
    int count = 0;
    for (Map.Entry<String, JsonNode> template : golden.path("templates").properties()) {
      for (Map.Entry<String, JsonNode> result : template.getValue().path("results").properties()) {
        JsonNode context = golden.path("contexts").path(result.getKey());
        String name = template.getKey() + " of " + result.getKey();
        String source = template.getValue().path("template").asText();
        compare(name, source, variables(context), result.getValue());
        count++;
      }
    }
    report(count);
  }

  @Test
  void snippets() throws IOException {
    JsonNode golden = read("jinja-snippets");
    for (JsonNode test : golden.path("cases")) {
      String source = test.path("template").asText();
      compare(source, source, variables(golden.path("context")), test);
    }
    report(golden.path("cases").size());
  }

  private void report(int count) {
    assertTrue(count > 10, () -> count + " cases");
    assertEquals("", String.join("\n", wrong), () -> wrong.size() + " of " + count + " differ");
  }

  private static Map<String, Object> variables(JsonNode context) {
    Map<String, Object> variables = new HashMap<>();
    context.properties().forEach(entry -> variables.put(entry.getKey(), entry.getValue()));
    return variables;
  }

  private static JsonNode read(String folder) throws IOException {
    return JsonMapper.builder()
        .build()
        .readTree(Files.readAllBytes(GOLDENS.resolve(folder).resolve("case.json")));
  }

  private void compare(
      String name, String source, Map<String, Object> variables, JsonNode expected) {
    String wanted =
        expected.has("output")
            ? expected.path("output").asText()
            : (expected.has("message") ? expected.path("error").asText() : "TemplateError")
                + ": "
                + expected.path(expected.has("message") ? "message" : "error").asText();
    String given;
    try {
      given = Template.parse(source).render(variables, Limits.DEFAULT, () -> NOW).toString();
    } catch (TemplateException e) {
      given = e.kind().pythonName() + ": " + e.reason();
      if (e.kind() == TemplateException.Kind.RECURSION) {
        given = "RecursionError: " + expected.path("message").asText();
      }
      if (expected.path("line").isInt() && expected.path("line").intValue() != e.line()) {
        given += " (line " + e.line() + ")";
      }
    } catch (RuntimeException e) {
      given = e + " at " + e.getStackTrace()[0] + e.getStackTrace()[1];
    }
    if (!given.equals(wanted)) {
      wrong.add("%s%n  wanted %s%n  given  %s".formatted(name, wanted, given));
    }
  }
}
