package dev.gatun.chat;

import dev.gatun.generation.GenerationConfig;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/**
 * A conversation that is kept: what is said and what is answered goes on it. For one thread. An
 * answer that was cancelled stays as far as it came; a message that could not be answered is taken
 * back.
 */
public final class ChatSession {
  private final Chat chat;
  private final List<ChatMessage> messages = new ArrayList<>();
  private final List<Map<String, ?>> tools = new ArrayList<>();
  private final Map<String, Object> variables = new LinkedHashMap<>();
  private GenerationConfig config;

  ChatSession(Chat chat) {
    this.chat = chat;
  }

  /**
   * Sets what the model is told to be, in place of what it was told.
   *
   * @param content goes before all messages; null or blank for nothing
   * @return this session
   */
  public ChatSession system(String content) {
    if (!messages.isEmpty() && messages.getFirst().role().equals("system")) {
      messages.removeFirst();
    }
    if (content != null && !content.isBlank()) {
      messages.addFirst(ChatMessage.system(content));
    }
    return this;
  }

  /**
   * Generates with these settings from now on.
   *
   * @param settings how the text is generated; null for {@link Chat#defaults}
   * @return this session
   */
  public ChatSession config(GenerationConfig settings) {
    this.config = settings;
    return this;
  }

  /**
   * Lets the model call these tools from now on, in place of those that there were.
   *
   * @param schemas {@code {"type": "function", "function": {"name": ..., ...}}} each; empty for
   *     none
   * @return this session
   */
  public ChatSession tools(List<? extends Map<String, ?>> schemas) {
    tools.clear();
    tools.addAll(schemas);
    return this;
  }

  /**
   * Gives the template a variable from now on.
   *
   * @param name as the template spells it, such as {@code enable_thinking}; one that is there is
   *     replaced
   * @param value a text, number, boolean, list or map; or null
   * @return this session
   */
  public ChatSession variable(String name, Object value) {
    variables.put(name, value);
    return this;
  }

  /** {@return the conversation so far, a copy} */
  public List<ChatMessage> messages() {
    return List.copyOf(messages);
  }

  /**
   * Puts a conversation in place of this one.
   *
   * @param conversation its messages in order, what the model is told to be first where it is told;
   *     copied
   */
  public void restore(List<ChatMessage> conversation) {
    List<ChatMessage> copy = List.copyOf(conversation);
    messages.clear();
    messages.addAll(copy);
  }

  /** Forgets all but what the model is told to be. */
  public void reset() {
    messages.removeIf(message -> !message.role().equals("system"));
  }

  /**
   * Says something and waits for the answer. Fails as {@link #stream(List)} and its result do; then
   * the message is taken back.
   *
   * @param message what a person says
   * @return the answer with its tokens and times
   */
  public ChatResult answer(String message) {
    return answer(List.of(ChatMessage.user(message)));
  }

  /**
   * Adds messages, such as what tools gave, and waits for the answer. Fails as {@link
   * #stream(List)} and its result do; then the messages are taken back.
   *
   * @param more in their order, behind those of the conversation
   * @return the answer with its tokens and times
   */
  public ChatResult answer(List<ChatMessage> more) {
    try (ChatStream stream = stream(more)) {
      return stream.result();
    }
  }

  /**
   * Says something; the answer comes by the stream, and goes on the conversation at its end.
   *
   * @param message what a person says
   * @return the answer as it comes, to be closed
   */
  public ChatStream stream(String message) {
    return stream(List.of(ChatMessage.user(message)));
  }

  /**
   * Adds messages; the answer comes by the stream, and goes on the conversation with them at its
   * end. Fails as {@link Chat#stream(ChatRequest)} does.
   *
   * @param more in their order, behind those of the conversation
   * @return the answer as it comes, to be closed
   */
  public ChatStream stream(List<ChatMessage> more) {
    List<ChatMessage> all = new ArrayList<>(messages);
    all.addAll(more);
    ChatRequest.Builder request = ChatRequest.builder().messages(all).tools(tools).config(config);
    variables.forEach(request::variable);
    return chat.stream(
        request.build(),
        result -> {
          messages.addAll(more);
          messages.add(result.message());
        });
  }
}
