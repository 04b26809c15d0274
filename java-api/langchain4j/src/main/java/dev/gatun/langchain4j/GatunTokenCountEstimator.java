package dev.gatun.langchain4j;

import dev.gatun.chat.Chat;
import dev.gatun.text.EncodeOptions;
import dev.gatun.text.Tokenizer;
import dev.gatun.text.jinja.TemplateException;
import dev.langchain4j.data.message.ChatMessage;
import dev.langchain4j.model.TokenCountEstimator;
import java.util.ArrayList;
import java.util.List;
import java.util.Objects;

/**
 * The tokens that a model reads: of messages with what its chat template writes around them, the
 * beginning of an answer too. Where the template refuses messages, as some do one that does not
 * begin a conversation, their texts are counted.
 */
public final class GatunTokenCountEstimator implements TokenCountEstimator {
  private static final EncodeOptions PLAIN = EncodeOptions.DEFAULT.withSpecialTokens(false);

  private final Chat chat;
  private final Tokenizer tokenizer;

  /**
   * An estimator.
   *
   * @param chat the model; whoever loaded it closes it
   */
  public GatunTokenCountEstimator(Chat chat) {
    this.chat = Objects.requireNonNull(chat, "chat");
    this.tokenizer = chat.generator().tokenizer().orElseThrow();
  }

  @Override
  public int estimateTokenCountInText(String text) {
    return tokenizer.encode(text, PLAIN).length();
  }

  @Override
  public int estimateTokenCountInMessage(ChatMessage message) {
    return estimateTokenCountInMessages(List.of(message));
  }

  @Override
  public int estimateTokenCountInMessages(Iterable<ChatMessage> messages) {
    List<dev.gatun.chat.ChatMessage> all = new ArrayList<>();
    messages.forEach(message -> all.add(Messages.of(message)));
    if (all.isEmpty()) {
      return 0;
    }
    try {
      return chat.countTokens(dev.gatun.chat.ChatRequest.of(all));
    } catch (TemplateException e) {
      return all.stream().mapToInt(each -> estimateTokenCountInText(each.content())).sum();
    }
  }
}
