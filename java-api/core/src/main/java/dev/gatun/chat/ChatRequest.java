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

  /**
   * A request for an answer, all else as the model's files say.
   *
   * @param messages the turns so far, at least one
   * @return the request, without tools and documents
   * @throws IllegalArgumentException if there is no message
   */
  public static ChatRequest of(List<ChatMessage> messages) {
    return builder().messages(messages).build();
  }

  /** {@return a builder of nothing yet} */
  public static Builder builder() {
    return new Builder();
  }

  /** {@return a builder that begins with what this request has; this stays as it is} */
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

  /** {@return the names of the tools, in their order} */
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

    /**
     * Adds messages.
     *
     * @param more in the order of the conversation, behind those that are there
     * @return this builder
     */
    public Builder messages(List<ChatMessage> more) {
      messages.addAll(more);
      return this;
    }

    /**
     * Adds a message.
     *
     * @param message goes behind those that are there; not null
     * @return this builder
     */
    public Builder message(ChatMessage message) {
      messages.add(Objects.requireNonNull(message, "message"));
      return this;
    }

    /**
     * Adds what a system's message says.
     *
     * @param content what the model is told to be
     * @return this builder
     */
    public Builder system(String content) {
      return message(ChatMessage.system(content));
    }

    /**
     * Adds what a person says.
     *
     * @param content what the person says
     * @return this builder
     */
    public Builder user(String content) {
      return message(ChatMessage.user(content));
    }

    /**
     * Adds tools, {@code {"type": "function", "function": {"name": ..., ...}}} each.
     *
     * @param schemas of tools with distinct names, behind those that are there
     * @return this builder
     */
    public Builder tools(List<? extends Map<String, ?>> schemas) {
      tools.addAll(schemas);
      return this;
    }

    /**
     * Adds a tool, a function by its JSON schema.
     *
     * @param name what the model calls it by, distinct from other tools'
     * @param description what it is for, which the model reads
     * @param parameters the JSON schema of its arguments
     * @return this builder
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

    /**
     * Holds the answer to a call of one of these tools, which are among those that there are.
     *
     * @param names of tools that are there when the request is built
     * @return this builder
     */
    public Builder requiredTools(List<String> names) {
      requiredTools.addAll(names);
      return this;
    }

    /**
     * Adds a document.
     *
     * @param title what it is called
     * @param text what may be quoted
     * @return this builder
     */
    public Builder document(String title, String text) {
      Map<String, Object> document = new LinkedHashMap<>();
      document.put("title", title);
      document.put("text", text);
      documents.add(document);
      return this;
    }

    /**
     * Adds documents.
     *
     * @param more with {@code title} and {@code text} each
     * @return this builder
     */
    public Builder documents(List<? extends Map<String, ?>> more) {
      documents.addAll(more);
      return this;
    }

    /**
     * Sets whether the last message is gone on with in place of answered.
     *
     * @param continuing true where that is an assistant's, whose text the answer follows; false by
     *     default
     * @return this builder
     */
    public Builder continuing(boolean continuing) {
      this.continuing = continuing;
      return this;
    }

    /**
     * Takes the template of a name.
     *
     * @param name of the model's chat template; null, the default, for {@code tool_use} where there
     *     are tools and such a template, else {@code default}
     * @return this builder
     */
    public Builder template(String name) {
      this.template = name;
      return this;
    }

    /**
     * Gives the template a variable.
     *
     * @param name as the template spells it, such as {@code enable_thinking}; one that is there is
     *     replaced
     * @param value a text, number, boolean, list or map; or null
     * @return this builder
     */
    public Builder variable(String name, Object value) {
      variables.put(name, value);
      return this;
    }

    /**
     * Reads tool calls that are spelt so.
     *
     * @param format how calls are spelt; null, the default, for what the template says
     * @return this builder
     */
    public Builder toolCallFormat(ToolCallFormat format) {
      this.toolCallFormat = format;
      return this;
    }

    /**
     * Generates with these settings.
     *
     * @param settings how the text is generated; null, the default, for {@link Chat#defaults}
     * @return this builder
     */
    public Builder config(GenerationConfig settings) {
      this.config = settings;
      return this;
    }

    /**
     * Makes the request; the builder may go on to make others.
     *
     * @return a request of copies of what was added
     * @throws IllegalArgumentException where it has no meaning, as {@link ChatRequest} says
     */
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
