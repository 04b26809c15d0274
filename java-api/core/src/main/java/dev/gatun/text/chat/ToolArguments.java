package dev.gatun.text.chat;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.core.type.TypeReference;
import com.fasterxml.jackson.databind.DeserializationFeature;
import com.fasterxml.jackson.databind.json.JsonMapper;
import dev.gatun.text.jinja.Template;
import dev.gatun.text.jinja.TemplateException;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.function.Supplier;

/**
 * The form in which a template writes the {@code arguments} of tool calls right. OpenAI's protocol
 * has them as the text of a JSON object, many templates expect the object: what a template makes of
 * either is tried on a conversation of this class, and messages are given in the form that fits.
 */
final class ToolArguments {
  private static final JsonMapper JSON =
      JsonMapper.builder()
          .enable(DeserializationFeature.FAIL_ON_TRAILING_TOKENS)
          .enable(DeserializationFeature.USE_BIG_INTEGER_FOR_INTS)
          .build();

  private static final Template TO_JSON = Template.parse("{{ value | tojson }}");

  private static final String KEY = "probed_key";
  private static final String VALUE = "probed_value";
  private static final String TEXT = "{\"%s\": \"%s\"}".formatted(KEY, VALUE);

  /** How Python, and so a template that expects a text, shows a map. */
  private static final String SHOWN = "{'" + KEY;

  private final boolean fromText;
  private final boolean fromMap;

  private ToolArguments(String ofText, String ofMap) {
    boolean text = ofText.contains(TEXT);
    boolean map = ofMap.contains(KEY) && ofMap.contains(VALUE) && !ofMap.contains(SHOWN);
    this.fromText = map && !text;
    this.fromMap = text && !map;
  }

  /** Tries a template, given these variables besides. */
  static ToolArguments of(Template template, Map<String, ?> variables) {
    return new ToolArguments(
        probe(template, variables, TEXT), probe(template, variables, Map.of(KEY, VALUE)));
  }

  private static String probe(Template template, Map<String, ?> variables, Object arguments) {
    Map<String, Object> given = new LinkedHashMap<>(variables);
    Map<String, Object> call = new LinkedHashMap<>();
    // Some templates ask for an id of nine letters and digits.
    call.put("id", "call12345");
    call.put("type", "function");
    call.put("function", Map.of("name", "probe", "arguments", arguments));
    Map<String, Object> asked = Conversation.message("assistant", "");
    asked.put("tool_calls", List.of(call));
    Map<String, Object> answer = Conversation.message("tool", "1");
    answer.put("tool_call_id", "call12345");
    answer.put("name", "probe");
    given.put("messages", List.of(Conversation.message("user", "a"), asked, answer));
    given.put("tools", null);
    given.put("documents", null);
    given.put("add_generation_prompt", false);
    try {
      return template.render(given).toString();
    } catch (TemplateException e) {
      // A template that refuses this conversation tells nothing of the form.
      return "";
    }
  }

  /** Whether a message calls tools. */
  static boolean calls(Map<String, ?> message) {
    return message.get("tool_calls") instanceof List<?>;
  }

  /** Messages with their arguments in the form that fits; the same where all do. */
  static List<Map<String, ?>> fit(List<Map<String, ?>> messages, Supplier<ToolArguments> form) {
    if (messages.stream().noneMatch(ToolArguments::calls)) {
      return messages;
    }
    ToolArguments fitting = form.get();
    List<Map<String, ?>> all = new ArrayList<>();
    for (Map<String, ?> message : messages) {
      if (calls(message)) {
        Map<String, Object> changed = new LinkedHashMap<>(message);
        changed.put(
            "tool_calls",
            ((List<?>) message.get("tool_calls")).stream().map(fitting::call).toList());
        all.add(changed);
      } else {
        all.add(message);
      }
    }
    return all;
  }

  private Object call(Object call) {
    if (!(call instanceof Map<?, ?> map)) {
      return call;
    }
    Map<Object, Object> changed = new LinkedHashMap<>(map);
    changed.computeIfPresent("function", (_, function) -> call(function));
    changed.computeIfPresent("arguments", (_, arguments) -> argument(arguments));
    return changed;
  }

  private Object argument(Object given) {
    if (fromMap && given instanceof Map<?, ?>) {
      return TO_JSON.render(Map.of("value", given));
    }
    return fromText && given instanceof String text ? parsed(text) : given;
  }

  /** The object that a text is, or the text. */
  private static Object parsed(String text) {
    try {
      Object object = JSON.readValue(text, new TypeReference<Map<String, Object>>() {});
      return object == null ? text : object;
    } catch (JsonProcessingException e) {
      // What a model wrote need not be JSON; a template may show it all the same.
      return text;
    }
  }
}
