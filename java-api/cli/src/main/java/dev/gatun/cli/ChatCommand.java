package dev.gatun.cli;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.core.type.TypeReference;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.json.JsonMapper;
import dev.gatun.chat.Chat;
import dev.gatun.chat.ChatMessage;
import dev.gatun.chat.ChatSession;
import dev.gatun.generation.GenerationConfig;
import dev.gatun.generation.GeneratorOptions;
import java.io.IOException;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.ParameterException;
import picocli.CommandLine.Spec;

/** {@code gatun chat}: a conversation. */
@Command(
    name = "chat",
    mixinStandardHelpOptions = true,
    versionProvider = Version.class,
    description =
        "Talks with a model by its chat template; /help lists what can be typed besides messages.",
    footer = {
      "%nWhere standard input is no terminal, each of its lines is a message, and the first error"
          + " ends the command. A file gets answers without the model's reasoning.",
      "%nSettings that are left out are those of the model's generation_config.json, else greedy."
    })
final class ChatCommand implements Callable<Integer> {
  private static final JsonMapper JSON = JsonMapper.builder().build();

  @Mixin private DecoderOptions decoder;

  @Option(
      names = "--cache-bytes",
      paramLabel = "N",
      description = "The most memory for keys and values; by the model's context when left out.")
  private Long cacheBytes;

  @Option(names = "--system", paramLabel = "TEXT", description = "What the model is told to be.")
  private String system;

  @Option(
      names = "--load",
      paramLabel = "FILE",
      description = "Goes on with a conversation that /save wrote.")
  private Path load;

  @Option(
      names = "--tools",
      paramLabel = "FILE",
      description =
          "What the model may call: a JSON list of OpenAI's {\"type\": \"function\", ...}. What a"
              + " call gives is typed as the next message.")
  private Path tools;

  @Option(
      names = "--template-variable",
      paramLabel = "NAME=JSON",
      description =
          "What the chat template is given besides, such as enable_thinking=false; may be given"
              + " several times.")
  private Map<String, String> variables = Map.of();

  @Mixin private SamplingOptions sampling;

  @Option(
      names = "--draft",
      paramLabel = "DIR",
      description =
          "A small model of the same vocabulary, which guesses tokens for the large one to verify;"
              + " changes the speed alone.")
  private Path draft;

  @Spec private CommandSpec spec;

  private final Terminal terminal;

  ChatCommand(Terminal terminal) {
    this.terminal = terminal;
  }

  @Override
  public Integer call() throws IOException {
    GeneratorOptions options = decoder.options(cacheBytes);
    List<ChatMessage> before = load == null ? null : ChatFile.read("--load", load);
    List<Map<String, Object>> called = tools == null ? null : readTools();
    try (Chat chat = load(options);
        ChatInput input = input()) {
      new TextPrinter(terminal).warn(chat.defaults());
      ChatSession session = chat.session().config(config(chat.defaults().config()));
      if (before != null) {
        session.restore(before);
      }
      if (system != null) {
        session.system(system);
      }
      if (called != null) {
        session.tools(called);
      }
      variables.forEach((name, value) -> session.variable(name, json(name, value)));
      if (input.isInteractive()) {
        terminal
            .err()
            .println(
                "%s, a context of %d tokens; /help lists what can be typed"
                    .formatted(
                        Terminal.shown(decoder.directory().toString()),
                        chat.generator().maxLength()));
      }
      new ChatConsole(chat, session, input, terminal).run();
    }
    return 0;
  }

  private ChatInput input() throws IOException {
    return terminal.outIsTerminal() && Terminal.inIsTerminal()
        ? new TypedInput()
        : new PipedInput(terminal.in());
  }

  private Chat load(GeneratorOptions options) throws IOException {
    try (Progress progress = new Progress("loading", 0, terminal)) {
      return Chat.load(decoder.directory(), draft, options, progress::at);
    }
  }

  private GenerationConfig config(GenerationConfig defaults) {
    try {
      return sampling.apply(defaults).build();
    } catch (IllegalArgumentException e) {
      throw new ParameterException(spec.commandLine(), e.getMessage(), e);
    }
  }

  private List<Map<String, Object>> readTools() {
    JsonNode root = Json.read("--tools", tools);
    if (!root.isArray()) {
      throw new CliException("--tools: %s has no list of tools, expected [...]".formatted(tools));
    }
    for (int i = 0; i < root.size(); i++) {
      if (!root.get(i).isObject()) {
        throw new CliException(
            "--tools: %s: tool %d is no object, expected {\"type\": \"function\", ...}"
                .formatted(tools, i + 1));
      }
    }
    return JSON.convertValue(root, new TypeReference<>() {});
  }

  /** A value of JSON, or the text where it is none. */
  private Object json(String name, String value) {
    try {
      return JSON.readValue(value, Object.class);
    } catch (JsonProcessingException e) {
      throw new ParameterException(
          spec.commandLine(),
          "--template-variable: %s=%s is no JSON; a text is written \"%s\""
              .formatted(name, value, value),
          e);
    }
  }
}
