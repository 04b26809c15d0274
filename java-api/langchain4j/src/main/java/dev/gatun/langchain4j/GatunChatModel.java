package dev.gatun.langchain4j;

import dev.gatun.chat.Chat;
import dev.gatun.chat.ChatStream;
import dev.langchain4j.model.chat.Capability;
import dev.langchain4j.model.chat.ChatModel;
import dev.langchain4j.model.chat.listener.ChatModelListener;
import dev.langchain4j.model.chat.request.ChatRequest;
import dev.langchain4j.model.chat.request.ChatRequestParameters;
import dev.langchain4j.model.chat.response.ChatResponse;
import java.util.List;
import java.util.Set;

/**
 * A {@link Chat} as a {@link ChatModel}. Safe for use by several threads; their requests are
 * computed together.
 */
public final class GatunChatModel implements ChatModel {
  private final Calls calls;
  private final ChatRequestParameters defaults;
  private final List<ChatModelListener> listeners;

  private GatunChatModel(Builder builder) {
    this.calls = builder.calls();
    this.defaults = builder.defaults;
    this.listeners = builder.listeners;
  }

  /**
   * A model with its files' settings.
   *
   * @param chat answers; whoever loaded it closes it
   */
  public GatunChatModel(Chat chat) {
    this(builder().chat(chat));
  }

  /**
   * A builder of nothing yet.
   *
   * @return the builder
   */
  public static Builder builder() {
    return new Builder();
  }

  @Override
  public ChatRequestParameters defaultRequestParameters() {
    return defaults;
  }

  @Override
  public Set<Capability> supportedCapabilities() {
    return Set.of(Capability.RESPONSE_FORMAT_JSON_SCHEMA);
  }

  @Override
  public List<ChatModelListener> listeners() {
    return listeners;
  }

  @Override
  public ChatResponse doChat(ChatRequest request) {
    try (ChatStream stream = calls.stream(request)) {
      return calls.response(stream.result());
    }
  }

  /** Makes models. */
  public static final class Builder extends GatunModelBuilder<Builder> {
    private Builder() {}

    @Override
    Builder self() {
      return this;
    }

    /**
     * The model; fails where something is missing or not done.
     *
     * @return the model
     */
    public GatunChatModel build() {
      return new GatunChatModel(this);
    }
  }
}
