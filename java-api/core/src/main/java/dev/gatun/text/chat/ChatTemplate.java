package dev.gatun.text.chat;

import dev.gatun.text.TokenizerException;
import dev.gatun.text.jinja.Limits;
import dev.gatun.text.jinja.Template;
import dev.gatun.text.jinja.TemplateException;
import dev.gatun.text.jinja.Text;
import java.io.IOException;
import java.nio.file.Path;
import java.time.LocalDateTime;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Set;
import java.util.TreeSet;
import java.util.function.Supplier;

/**
 * A model's chat templates: they write conversations as the model was trained to read them, as
 * {@code apply_chat_template} of transformers does; but the {@code arguments} of tool calls may be
 * a map or the text of a JSON object, whichever the template expects. Immutable: may be used by
 * several threads.
 */
public final class ChatTemplate {
  /** The roles that templates know; these words of a message are the template's own. */
  private static final Set<String> KNOWN =
      Set.of("system", "developer", "user", "assistant", "tool", "function");

  private record Named(String source, Template template) {}

  private final String source;
  private final Map<String, Named> templates = new LinkedHashMap<>();
  private final Map<String, Text> tokens = new LinkedHashMap<>();

  private ChatTemplate(TemplateFiles files) {
    this.source = files.source();
    files
        .templates()
        .forEach((name, text) -> templates.put(name, new Named(text, Template.parse(text))));
    files.tokens().forEach((role, token) -> tokens.put(role, Text.template(token)));
  }

  /**
   * Reads the templates of a model directory: {@code chat_template.jinja} and {@code
   * additional_chat_templates/*.jinja}, else {@code chat_template} in {@code
   * tokenizer_config.json}, one or a list of named ones; with the tokens that this file and {@code
   * special_tokens_map.json} give a role. Or those of a GGUF file, key {@code
   * tokenizer.chat_template}.
   *
   * @param directoryOrGguf a model's directory, a file in it such as {@code tokenizer.json}, or a
   *     GGUF file
   * @return the templates, at least one
   * @throws IOException if a file cannot be read
   * @throws TokenizerException if there is no template, or if a file is damaged
   * @throws TemplateException if a template is none
   */
  public static ChatTemplate load(Path directoryOrGguf) throws IOException {
    return new ChatTemplate(TemplateFiles.read(directoryOrGguf));
  }

  /**
   * {@return a template by its text, with the name {@code default}}
   *
   * @param template the text, in Jinja
   * @param tokens the spellings of tokens by what the template calls them, such as {@code
   *     bos_token}
   * @throws TemplateException if it is none
   */
  public static ChatTemplate of(String template, Map<String, String> tokens) {
    return new ChatTemplate(
        new TemplateFiles("the template", Map.of(TemplateFiles.DEFAULT, template), tokens));
  }

  /** {@return the templates' names; {@code default} where there is one without a name} */
  public Set<String> names() {
    return new TreeSet<>(templates.keySet());
  }

  /**
   * {@return a conversation as the model reads it, at the present time}
   *
   * @param conversation the messages, and what else the template is given
   * @throws TemplateException if the template gives up, with what it says
   * @throws IllegalArgumentException if there is no template of the name asked for, or if the last
   *     message cannot be gone on with
   */
  public Prompt apply(Conversation conversation) {
    return apply(conversation, Limits.DEFAULT, LocalDateTime::now);
  }

  /**
   * {@return a conversation as the model reads it}
   *
   * @param conversation the messages, and what else the template is given
   * @param limits how much the template may do
   * @param now the time that {@code strftime_now} writes
   * @throws TemplateException as for {@link #apply(Conversation)}
   * @throws IllegalArgumentException as for {@link #apply(Conversation)}
   */
  public Prompt apply(Conversation conversation, Limits limits, Supplier<LocalDateTime> now) {
    Named chosen = choose(conversation.template(), conversation.tools() != null);
    OpenMessage open =
        conversation.continued() == null
            ? null
            : new OpenMessage(conversation.messages(), conversation.continued(), chosen.source);
    Map<String, Object> variables = new LinkedHashMap<>(tokens);
    variables.putAll(conversation.variables());
    List<Map<String, ?>> messages =
        withRoles(open == null ? conversation.messages() : open.marked());
    variables.put(
        "messages",
        ToolArguments.fit(messages, () -> ToolArguments.of(chosen.template, variables)));
    variables.put("tools", conversation.tools());
    variables.put("documents", conversation.documents());
    variables.put("add_generation_prompt", conversation.addGenerationPrompt());
    Text rendered = chosen.template.render(variables, limits, now);
    return open == null ? new Prompt(rendered, rendered.toString().length()) : open.cut(rendered);
  }

  /**
   * {@return the source of the template that a conversation is written by, in Jinja}
   *
   * @param template its name; null for {@code tool_use} where there are tools and such a template,
   *     else {@code default}
   * @param tools whether there are tools
   * @throws IllegalArgumentException if there is none of the name
   */
  public String source(String template, boolean tools) {
    return choose(template, tools).source;
  }

  private Named choose(String template, boolean tools) {
    String name = template;
    if (name == null) {
      name = tools && templates.containsKey("tool_use") ? "tool_use" : TemplateFiles.DEFAULT;
    }
    Named chosen = templates.get(name);
    if (chosen == null) {
      throw new IllegalArgumentException(
          "%s: no chat template '%s', expected one of %s".formatted(source, name, names()));
    }
    return chosen;
  }

  private static List<Map<String, ?>> withRoles(List<? extends Map<String, ?>> messages) {
    List<Map<String, ?>> all = new ArrayList<>();
    for (Map<String, ?> message : messages) {
      Objects.requireNonNull(message, "message");
      if (message.get("role") instanceof String role && KNOWN.contains(role)) {
        Map<String, Object> changed = new LinkedHashMap<>(message);
        changed.put("role", Text.template(role));
        all.add(changed);
      } else {
        all.add(message);
      }
    }
    return all;
  }
}
