package dev.gatun.langchain4j;

import dev.gatun.chat.Chat;
import dev.gatun.chat.ChatStream;
import dev.langchain4j.exception.UnsupportedFeatureException;
import dev.langchain4j.model.chat.Capability;
import dev.langchain4j.model.chat.StreamingChatModel;
import dev.langchain4j.model.chat.listener.ChatModelListener;
import dev.langchain4j.model.chat.request.ChatRequest;
import dev.langchain4j.model.chat.request.ChatRequestParameters;
import dev.langchain4j.model.chat.response.StreamingChatResponseHandler;
import java.util.List;
import java.util.Set;

/**
 * A {@link Chat} as a {@link StreamingChatModel}. A handler is called by one thread, which is the
 * request's own. Safe for use by several threads.
 */
public final class GatunStreamingChatModel implements StreamingChatModel {
  private final Calls calls;
  private final ChatRequestParameters defaults;
  private final List<ChatModelListener> listeners;

  private GatunStreamingChatModel(Builder builder) {
    this.calls = builder.calls();
    this.defaults = builder.defaults;
    this.listeners = builder.listeners;
  }

  /**
   * A model with its files' settings.
   *
   * @param chat answers; whoever loaded it closes it
   */
  public GatunStreamingChatModel(Chat chat) {
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

  /**
   * Answers.
   *
   * @throws UnsupportedFeatureException where something is asked for that is not done; all else
   *     goes to the handler
   */
  @Override
  public void doChat(ChatRequest request, StreamingChatResponseHandler handler) {
    ChatStream stream;
    try {
      stream = calls.stream(request);
    } catch (UnsupportedFeatureException e) {
      throw e;
    } catch (RuntimeException e) {
      Thread.ofVirtual().name("gatun-chat").start(() -> handler.onError(e));
      return;
    }
    Thread.ofVirtual()
        .name("gatun-chat")
        .start(
            () -> {
              try (stream) {
                new Streamed(calls, stream, handler).run();
              }
            });
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
    public GatunStreamingChatModel build() {
      return new GatunStreamingChatModel(this);
    }
  }
}
