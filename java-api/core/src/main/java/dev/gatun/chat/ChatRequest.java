package dev.gatun.chat;

import dev.gatun.generation.GenerationConfig;
import java.util.ArrayList;
import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;

/**
 * What a model is to answer, and how.
 *
 * @param messages the turns so far
 * @param tools what the model may call: JSON schemas as OpenAI's protocol has them, {@link
 *     Builder#tool} makes one; none where empty, and then nothing is read as a call
 * @param requiredTools names of tools of which the answer calls one, and has no other text; none
 *     where the model is free
 * @param documents what it may quote, with {@code title} and {@code text}
 * @param continuing whether the last message, an assistant's, is gone on with in place of answered;
 *     what comes is what follows it
 * @param template the name of the model's chat template; null for {@code tool_use} where there are
 *     tools and such a template, else {@code default}
 * @param variables what else the template is given, such as {@code enable_thinking}
 * @param toolCallFormat how calls are spelt; null for what the template says
 * @param config how the text is generated; null for {@link Chat#defaults}, whose config is what
 *     others begin with, for it has the tokens that end a turn
 */
public record ChatRequest(
    List<ChatMessage> messages,
    List<? extends Map<String, ?>> tools,
    List<String> requiredTools,
    List<? extends Map<String, ?>> documents,
    boolean continuing,
    String template,
    Map<String, ?> variables,
    ToolCallFormat toolCallFormat,
    GenerationConfig config) {

  /**
   * Checks them, and copies.
   *
   * @throws IllegalArgumentException if there is no message, if a tool has no name or two the same,
   *     if the last message is to be gone on with and is no assistant's, or if an answer is held to
   *     a call of a tool that is not there, or to something else besides
   */
  public ChatRequest {
    messages = List.copyOf(messages);
    tools = List.copyOf(tools);
    requiredTools = List.copyOf(requiredTools);
    documents = List.copyOf(documents);
    variables = Collections.unmodifiableMap(new LinkedHashMap<>(variables));
    if (messages.isEmpty()) {
      throw new IllegalArgumentException("there is no message, expected at least one");
    }
    if (continuing && !messages.getLast().role().equals("assistant")) {
      throw new IllegalArgumentException(
          "the last message is of the role '%s': only an assistant's is gone on with"
              .formatted(messages.getLast().role()));
    }
    List<String> names = toolNames(tools);
    for (String name : requiredTools) {
      if (!names.contains(name)) {
        throw new IllegalArgumentException(
            "the tool '%s', which is to be called, is none of %s".formatted(name, names));
      }
    }
    if (continuing && !requiredTools.isEmpty()) {
      throw new IllegalArgumentException("a message that is gone on with cannot be held to a call");
    }
    if (config != null && config.constraint().isPresent() && !requiredTools.isEmpty()) {
      throw new IllegalArgumentException(
          "an answer that is held to a call cannot be held to %s"
              .formatted(config.constraint().get()));
    }
  }

  /** A request for an answer, all else as the model's files say. */
  public static ChatRequest of(List<ChatMessage> messages) {
    return builder().messages(messages).build();
  }

  /** A builder of nothing yet. */
  public static Builder builder() {
    return new Builder();
  }

  /** A builder that begins with these. */
  public Builder toBuilder() {
    Builder builder = new Builder();
    builder.messages.addAll(messages);
    builder.tools.addAll(tools);
    builder.requiredTools.addAll(requiredTools);
    builder.documents.addAll(documents);
    builder.continuing = continuing;
    builder.template = template;
    builder.variables.putAll(variables);
    builder.toolCallFormat = toolCallFormat;
    builder.config = config;
    return builder;
  }

  /** The names of the tools, in their order. */
  public List<String> toolNames() {
    return toolNames(tools);
  }

  private static List<String> toolNames(List<? extends Map<String, ?>> tools) {
    List<String> names = new ArrayList<>();
    for (Map<String, ?> tool : tools) {
      Object function = tool.get("function");
      Object name = function instanceof Map<?, ?> map ? map.get("name") : tool.get("name");
      if (!(name instanceof String text) || text.isBlank()) {
        throw new IllegalArgumentException(
            "tools[%d] has no name, expected {\"type\": \"function\", \"function\": {\"name\": ...}}"
                .formatted(names.size()));
      }
      if (names.contains(text)) {
        throw new IllegalArgumentException(
            "tools[%d] has the name '%s', which another has".formatted(names.size(), text));
      }
      names.add(text);
    }
    return names;
  }

  /** Makes requests. */
  public static final class Builder {
    private final List<ChatMessage> messages = new ArrayList<>();
    private final List<Map<String, ?>> tools = new ArrayList<>();
    private final List<String> requiredTools = new ArrayList<>();
    private final List<Map<String, ?>> documents = new ArrayList<>();
    private boolean continuing;
    private String template;
    private final Map<String, Object> variables = new LinkedHashMap<>();
    private ToolCallFormat toolCallFormat;
    private GenerationConfig config;

    private Builder() {}

    /** Adds messages. */
    public Builder messages(List<ChatMessage> more) {
      messages.addAll(more);
      return this;
    }

    /** Adds a message. */
    public Builder message(ChatMessage message) {
      messages.add(Objects.requireNonNull(message, "message"));
      return this;
    }

    /** Adds what a system's message says. */
    public Builder system(String content) {
      return message(ChatMessage.system(content));
    }

    /** Adds what a person says. */
    public Builder user(String content) {
      return message(ChatMessage.user(content));
    }

    /** Adds tools, {@code {"type": "function", "function": {"name": ..., ...}}} each. */
    public Builder tools(List<? extends Map<String, ?>> schemas) {
      tools.addAll(schemas);
      return this;
    }

    /**
     * Adds a tool.
     *
     * @param parameters the JSON schema of its arguments
     */
    public Builder tool(String name, String description, Map<String, ?> parameters) {
      Map<String, Object> function = new LinkedHashMap<>();
      function.put("name", name);
      function.put("description", description);
      function.put("parameters", parameters);
      Map<String, Object> tool = new LinkedHashMap<>();
      tool.put("type", "function");
      tool.put("function", function);
      tools.add(tool);
      return this;
    }

    /** Holds the answer to a call of one of these tools, which are among those that there are. */
    public Builder requiredTools(List<String> names) {
      requiredTools.addAll(names);
      return this;
    }

    /** Adds a document. */
    public Builder document(String title, String text) {
      Map<String, Object> document = new LinkedHashMap<>();
      document.put("title", title);
      document.put("text", text);
      documents.add(document);
      return this;
    }

    /** Adds documents. */
    public Builder documents(List<? extends Map<String, ?>> more) {
      documents.addAll(more);
      return this;
    }

    /** Goes on with the last message. */
    public Builder continuing(boolean continuing) {
      this.continuing = continuing;
      return this;
    }

    /** Takes the template of a name. */
    public Builder template(String name) {
      this.template = name;
      return this;
    }

    /** Gives the template a variable. */
    public Builder variable(String name, Object value) {
      variables.put(name, value);
      return this;
    }

    /** Reads tool calls that are spelt so. */
    public Builder toolCallFormat(ToolCallFormat format) {
      this.toolCallFormat = format;
      return this;
    }

    /** Generates with these settings. */
    public Builder config(GenerationConfig settings) {
      this.config = settings;
      return this;
    }

    /** The request; fails where it has no meaning. */
    public ChatRequest build() {
      return new ChatRequest(
          messages,
          tools,
          requiredTools,
          documents,
          continuing,
          template,
          variables,
          toolCallFormat,
          config);
    }
  }
}
