package dev.gatun.server;

import dev.gatun.chat.Chat;
import dev.gatun.generation.TextGenerator;
import dev.gatun.text.Tokenizer;
import dev.gatun.text.TokenizerException;
import dev.gatun.text.chat.ChatTemplate;
import dev.gatun.text.jinja.TemplateException;
import java.io.IOException;
import java.nio.file.Path;
import java.util.List;

/** A model that writes. */
final class GenerativeModel extends ServedModel {
  private final TextGenerator generator;
  private final Chat chat;
  private final String whyNoChat;
  private final int sequences;

  /**
   * A model of parts, which it closes.
   *
   * @param template null where it has none
   * @param whyNoChat what is told then
   */
  GenerativeModel(
      String name,
      TextGenerator generator,
      ChatTemplate template,
      String whyNoChat,
      int sequences) {
    super(name, sequences);
    if (generator.tokenizer().isEmpty()) {
      throw new IllegalArgumentException(
          "the model %s has no tokenizer, and clients send texts".formatted(name));
    }
    this.generator = generator;
    this.chat = template == null ? null : Chat.of(generator, template);
    this.whyNoChat = whyNoChat;
    this.sequences = sequences;
  }

  static GenerativeModel of(String name, TextGenerator generator, Path directory, int sequences)
      throws IOException {
    ChatTemplate template = null;
    String whyNoChat = null;
    try {
      template = ChatTemplate.load(directory);
    } catch (TokenizerException | TemplateException e) {
      whyNoChat = e.getMessage();
    }
    return new GenerativeModel(name, generator, template, whyNoChat, sequences);
  }

  TextGenerator generator() {
    return generator;
  }

  Tokenizer tokenizer() {
    return generator.tokenizer().orElseThrow();
  }

  /** The most sequences that are computed at once. */
  int sequences() {
    return sequences;
  }

  /**
   * What answers conversations.
   *
   * @throws ApiException where there is nothing that does
   */
  Chat chat() {
    if (chat == null) {
      throw ApiException.badRequest(
          "model",
          "no_chat_template",
          "the model %s has no chats, use /v1/completions: %s".formatted(name(), whyNoChat));
    }
    return chat;
  }

  @Override
  int maxLength() {
    return generator.maxLength();
  }

  @Override
  public List<String> capabilities() {
    return chat == null ? List.of("completions") : List.of("chat", "completions");
  }

  @Override
  public List<String> warnings() {
    return generator.defaults().warnings();
  }

  @Override
  public void close() {
    generator.close();
  }
}
