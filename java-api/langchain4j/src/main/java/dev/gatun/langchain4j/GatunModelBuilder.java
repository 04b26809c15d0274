package dev.gatun.langchain4j;

import dev.gatun.chat.Chat;
import dev.langchain4j.model.chat.listener.ChatModelListener;
import dev.langchain4j.model.chat.request.ChatRequestParameters;
import java.util.List;
import java.util.Objects;

/**
 * What the builders of models of a chat share.
 *
 * @param <B> the builder
 */
public abstract sealed class GatunModelBuilder<B extends GatunModelBuilder<B>>
    permits GatunChatModel.Builder, GatunStreamingChatModel.Builder {
  Chat chat;
  String modelName = "gatun";
  ChatRequestParameters defaults = GatunChatRequestParameters.builder().build();
  List<ChatModelListener> listeners = List.of();

  GatunModelBuilder() {}

  abstract B self();

  /**
   * Sets what answers; whoever loaded it closes it.
   *
   * @param value the chat
   * @return this builder
   */
  public B chat(Chat value) {
    this.chat = Objects.requireNonNull(value, "chat");
    return self();
  }

  /**
   * Sets what answers call the model; {@code gatun} when left out.
   *
   * @param value the name
   * @return this builder
   */
  public B modelName(String value) {
    this.modelName = Objects.requireNonNull(value, "modelName");
    return self();
  }

  /**
   * Sets the parameters of requests that give none.
   *
   * @param value the parameters
   * @return this builder
   */
  public B defaultRequestParameters(ChatRequestParameters value) {
    this.defaults = GatunChatRequestParameters.builder().overrideWith(value).build();
    return self();
  }

  /**
   * Sets who is told of requests and answers.
   *
   * @param value the listeners
   * @return this builder
   */
  public B listeners(List<ChatModelListener> value) {
    this.listeners = List.copyOf(value);
    return self();
  }

  Calls calls() {
    if (chat == null) {
      throw new IllegalArgumentException("there is no chat: load one by Chat.load");
    }
    Calls calls = new Calls(chat, modelName);
    calls.check(defaults);
    return calls;
  }
}
