package dev.gatun.chat;

import dev.gatun.chat.ReplyReader.Reading;
import dev.gatun.generation.GenerationConfig;
import dev.gatun.generation.GenerationDefaults;
import dev.gatun.generation.GenerationStream;
import dev.gatun.generation.GeneratorOptions;
import dev.gatun.generation.TextGenerator;
import dev.gatun.text.Tokenizer;
import dev.gatun.text.TokenizerException;
import dev.gatun.text.chat.ChatTemplate;
import dev.gatun.text.chat.Conversation;
import dev.gatun.text.chat.Prompt;
import dev.gatun.text.jinja.TemplateException;
import dev.gatun.weights.LoadListener;
import java.io.IOException;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.function.Consumer;
import java.util.stream.Stream;

/**
 * Answers conversations with a language model, by its chat template:
 *
 * <pre>try (Chat chat = Chat.load(directoryOrGguf)) {
 *   System.out.println(chat.answer("How do ships climb over the isthmus?").text());
 * }</pre>
 *
 * It keeps no conversation: a request has all its messages, and what of them was computed before is
 * found in the cache. {@link #session} keeps one. Requests of any number of threads are computed
 * together. The text of messages, tools and documents is data; no control token comes of it.
 */
public final class Chat implements AutoCloseable {
  /** Enough for the characters of a text that is gone on with to join. */
  private static final int TOKENS_BEFORE = 16;

  private final TextGenerator generator;
  private final ChatTemplate template;
  private final Tokenizer tokenizer;
  private final GenerationDefaults defaults;

  private Chat(TextGenerator generator, ChatTemplate template, Tokenizer tokenizer) {
    this.generator = generator;
    this.template = template;
    this.tokenizer = tokenizer;
    GenerationDefaults files = generator.defaults();
    Set<Integer> ends = new LinkedHashSet<>(files.config().eosTokenId());
    ends.addAll(EndOfTurn.of(template, tokenizer));
    this.defaults =
        new GenerationDefaults(
            files.config().toBuilder().eosTokenId(List.copyOf(ends)).build(), files.warnings());
  }

  /**
   * Loads a Hugging Face directory, or a GGUF file, on the processor.
   *
   * @param directoryOrGguf a model's directory, a GGUF file, or a directory with one
   * @return a chat of its own generator, to be closed
   * @throws IOException when a file is missing or cannot be read
   * @throws TokenizerException when there is no chat template, or no tokenizer
   * @throws TemplateException when the chat template is none
   * @throws IllegalArgumentException when a file is not as expected
   */
  public static Chat load(Path directoryOrGguf) throws IOException {
    return load(directoryOrGguf, GeneratorOptions.defaults());
  }

  /**
   * Loads a model by options; fails as {@link #load(Path)} does, or where the cache has no room.
   *
   * @param directoryOrGguf as for {@link #load(Path)}
   * @param options the device, what weights are kept as, and how much is computed at once
   * @return a chat of its own generator, to be closed
   * @throws IOException when a file is missing or cannot be read
   */
  public static Chat load(Path directoryOrGguf, GeneratorOptions options) throws IOException {
    return load(directoryOrGguf, null, options, null);
  }

  /**
   * The same with a small model that guesses tokens, and telling how far the loading is.
   *
   * @param directoryOrGguf as for {@link #load(Path)}
   * @param draftDirectory as for {@link TextGenerator#load(Path, Path, GeneratorOptions)}; null for
   *     none
   * @param options the device, what weights are kept as, and how much is computed at once
   * @param listener is told of each weight before it is read; null for nobody
   * @return a chat of its own generator, to be closed
   * @throws IOException when a file of either model is missing or cannot be read
   */
  public static Chat load(
      Path directoryOrGguf, Path draftDirectory, GeneratorOptions options, LoadListener listener)
      throws IOException {
    ChatTemplate template = ChatTemplate.load(directoryOrGguf);
    return of(TextGenerator.load(directoryOrGguf, draftDirectory, options, listener), template);
  }

  /**
   * Chats with a generator, by a template. Closing the chat closes the generator, as does a
   * failure.
   *
   * @param generator of a model with a tokenizer; the chat owns it from now on
   * @param template what prompts are written by
   * @return the chat, to be closed
   * @throws TokenizerException when the generator has no tokenizer
   */
  public static Chat of(TextGenerator generator, ChatTemplate template) {
    try {
      Tokenizer tokenizer =
          generator
              .tokenizer()
              .orElseThrow(
                  () -> new TokenizerException("the model has no tokenizer, which a chat needs"));
      return new Chat(generator, template, tokenizer);
    } catch (RuntimeException | Error e) {
      generator.close();
      throw e;
    }
  }

  /**
   * {@return the settings that requests have where they give none, the tokens that end a turn among
   * them, and what the files say in vain}
   */
  public GenerationDefaults defaults() {
    return defaults;
  }

  /** {@return what writes the text, closed with this} */
  public TextGenerator generator() {
    return generator;
  }

  /** {@return what writes the prompts} */
  public ChatTemplate template() {
    return template;
  }

  /** {@return a new conversation that is kept, without messages} */
  public ChatSession session() {
    return new ChatSession(this);
  }

  /**
   * Answers one message of a person and waits for the end. Fails as {@link #answer(ChatRequest)}
   * does.
   *
   * @param message what the person says
   * @return the answer with its tokens and times
   */
  public ChatResult answer(String message) {
    return answer(ChatRequest.of(List.of(ChatMessage.user(message))));
  }

  /**
   * Answers, and waits for the end. Fails as {@link #stream(ChatRequest)} and its result do.
   *
   * @param request the conversation, and how it is to be answered
   * @return the answers with their tokens and times
   */
  public ChatResult answer(ChatRequest request) {
    try (ChatStream stream = stream(request)) {
      return stream.result();
    }
  }

  /**
   * Answers one message of a person; the answer comes by the stream. Fails as {@link
   * #stream(ChatRequest)} does.
   *
   * @param message what the person says
   * @return the answer as it comes, to be closed
   */
  public ChatStream stream(String message) {
    return stream(ChatRequest.of(List.of(ChatMessage.user(message))));
  }

  /**
   * Answers; the answer comes by the stream.
   *
   * @param request the conversation, and how it is to be answered
   * @return the answers as they come, to be closed
   * @throws TemplateException when the chat template refuses the conversation, with what it says
   *     and where
   * @throws ContextLengthException when there is no room for an answer
   * @throws IllegalArgumentException when the template reads no tools or documents and there are
   *     some, or the request's settings have no meaning for the model
   * @throws IllegalStateException when the chat is closed
   */
  public ChatStream stream(ChatRequest request) {
    return stream(request, _ -> {});
  }

  ChatStream stream(ChatRequest request, Consumer<ChatResult> whenDone) {
    Prompt prompt = prompt(request);
    GenerationConfig config = request.config() == null ? defaults.config() : request.config();
    String source = template.source(request.template(), !request.tools().isEmpty());
    ReasoningFormat reasoning = ReasoningFormat.of(source, tokenizer);
    boolean open = reasoning != null && isOpen(prompt, reasoning);
    ToolCallFormat calls =
        request.tools().isEmpty()
            ? null
            : request.toolCallFormat() == null
                ? ToolCallFormat.ofTemplate(source)
                : request.toolCallFormat();
    String opening = "";
    if (!request.requiredTools().isEmpty()) {
      opening = calls.opening();
      prompt = prompt.followedBy((open ? reasoning.close() + "\n\n" : "") + opening);
      open = false;
      config =
          config.toBuilder()
              .constraint(RequiredCall.constraint(calls, request.tools(), request.requiredTools()))
              .build();
    }
    long[] ids = encode(prompt);
    requireRoom(ids.length, config);
    Reading reading =
        new Reading(
            tokenizer,
            request.continuing()
                ? Arrays.copyOfRange(ids, Math.max(0, ids.length - TOKENS_BEFORE), ids.length)
                : new long[0],
            opening,
            config.stopStrings(),
            Set.copyOf(config.eosTokenId()),
            request.continuing() ? null : reasoning,
            open,
            calls,
            Set.copyOf(request.toolNames()),
            request.messages().stream().mapToInt(each -> each.toolCalls().size()).sum());
    GenerationStream stream =
        generator.stream(Arrays.stream(ids).mapToInt(Math::toIntExact).toArray(), config);
    return new ChatStream(stream, reading, whenDone);
  }

  /** Whether the template has begun reasoning, for the model to go on with. */
  private static boolean isOpen(Prompt prompt, ReasoningFormat reasoning) {
    String text = prompt.toString().stripTrailing();
    return text.endsWith(reasoning.open())
        && prompt.fromTemplate(text.length() - reasoning.open().length(), text.length());
  }

  private void requireRoom(int tokens, GenerationConfig config) {
    int most = generator.maxLength();
    if (config.maxNewTokens().isEmpty() && config.maxLength().isPresent()) {
      most = Math.min(most, config.maxLength().getAsInt());
    }
    if (tokens >= most) {
      throw new ContextLengthException(tokens, most);
    }
  }

  /**
   * {@return the number of tokens that the model reads of a request} Fails as {@link #prompt} does;
   * room for an answer is not looked at.
   *
   * @param request the conversation with its tools and documents
   * @throws IllegalArgumentException if one character of a message by itself is a control token
   */
  public int countTokens(ChatRequest request) {
    return encode(prompt(request)).length;
  }

  private long[] encode(Prompt prompt) {
    try {
      return prompt.encode(tokenizer);
    } catch (TokenizerException e) {
      throw new IllegalArgumentException(e.getMessage(), e);
    }
  }

  /**
   * The text that the model reads of a request.
   *
   * @param request the conversation with its tools, documents and variables
   * @return the text, in parts that come of the template and parts that are data
   * @throws TemplateException when the chat template refuses the conversation, with what it says
   *     and where
   * @throws IllegalArgumentException when the template reads no tools or documents and there are
   *     some, or has no template of the name
   */
  public Prompt prompt(ChatRequest request) {
    List<Map<String, Object>> messages =
        request.messages().stream().map(ChatMessage::toMap).toList();
    Conversation conversation =
        new Conversation(
            messages,
            request.tools().isEmpty() ? null : request.tools(),
            request.documents().isEmpty() ? null : request.documents(),
            !request.continuing(),
            request.continuing() ? "content" : null,
            request.template(),
            request.variables());
    String source = template.source(request.template(), !request.tools().isEmpty());
    Stream.of("tools", "documents")
        .filter(
            each ->
                !(each.equals("tools") ? request.tools() : request.documents()).isEmpty()
                    && !source.contains(each))
        .forEach(
            each -> {
              throw new IllegalArgumentException(
                  "the model's chat template does not read %s: it knows none".formatted(each));
            });
    return template.apply(conversation);
  }

  /** Ends the requests that run, after the step under way, and frees the model. */
  @Override
  public void close() {
    generator.close();
  }
}
