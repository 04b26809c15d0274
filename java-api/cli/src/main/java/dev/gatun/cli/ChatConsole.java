package dev.gatun.cli;

import dev.gatun.chat.Chat;
import dev.gatun.chat.ChatDelta;
import dev.gatun.chat.ChatMessage;
import dev.gatun.chat.ChatResult;
import dev.gatun.chat.ChatSession;
import dev.gatun.chat.ChatStream;
import dev.gatun.chat.ToolCall;
import dev.gatun.text.jinja.TemplateException;
import java.io.IOException;
import java.nio.file.InvalidPathException;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;

/** A conversation: what is typed is said, or is a command. */
final class ChatConsole {
  private static final String BLOCK = "\"\"\"";
  private static final String HELP =
      """
      /system [TEXT]  tells what the model is to be, or shows it; /system - takes it back
      /save FILE      writes the conversation to a file
      /load FILE      goes on with a conversation from a file
      /reset          forgets what was said
      /stats          tells tokens and speed
      /exit           ends (as does Ctrl-D)
      A line that ends with \\ goes on in the next one, lines between \""" are one message.
      A message that begins with / is typed with //. Ctrl-C stops an answer.\
      """;

  private final Chat chat;
  private final ChatSession session;
  private final ChatInput input;
  private final Terminal terminal;
  private final ChatStats stats = new ChatStats();
  // Calls whose results are to be typed.
  private final List<ToolCall> waiting = new ArrayList<>();
  private final List<ChatMessage> results = new ArrayList<>();
  private boolean ended;

  ChatConsole(Chat chat, ChatSession session, ChatInput input, Terminal terminal) {
    this.chat = chat;
    this.session = session;
    this.input = input;
    this.terminal = terminal;
  }

  /** Talks until the input ends. Of a person a mistake is told, and the chat goes on. */
  void run() throws IOException {
    while (!ended) {
      String message;
      try {
        message = read();
      } catch (ChatInput.InterruptedLine e) {
        if (e.isEmpty()) {
          say("Ctrl-D or /exit ends");
        }
        continue;
      }
      if (message == null) {
        return;
      }
      try {
        take(message);
      } catch (CliException | TemplateException | IllegalArgumentException e) {
        if (!input.isInteractive()) {
          throw e;
        }
        say(e.getMessage());
      }
    }
  }

  private void say(String text) {
    text.lines().forEach(line -> terminal.err().println("gatun: " + Terminal.shown(line)));
  }

  /** The next message, of one line or more; null at the end. */
  private String read() throws IOException, ChatInput.InterruptedLine {
    String prompt = waiting.isEmpty() ? "> " : waiting.getFirst().name() + "> ";
    String line = input.readLine(terminal.bold(Terminal.shown(prompt)));
    if (line == null) {
      return null;
    }
    if (line.strip().startsWith(BLOCK)) {
      return block(line.strip().substring(BLOCK.length()));
    }
    StringBuilder message = new StringBuilder();
    while (line != null && line.endsWith("\\")) {
      message.append(line, 0, line.length() - 1).append('\n');
      line = input.readLine(". ");
    }
    return message.append(line == null ? "" : line).toString();
  }

  private String block(String first) throws IOException, ChatInput.InterruptedLine {
    StringBuilder message = new StringBuilder();
    String line = first;
    while (line != null && !line.stripTrailing().endsWith(BLOCK)) {
      message.append(line).append(line == first && line.isEmpty() ? "" : "\n");
      line = input.readLine(". ");
    }
    if (line != null) {
      String last = line.stripTrailing();
      message.append(last, 0, last.length() - BLOCK.length());
    }
    return message.toString().strip();
  }

  private void take(String message) throws IOException {
    if (message.isBlank() && waiting.isEmpty()) {
      return;
    }
    if (message.startsWith("//")) {
      say(List.of(ChatMessage.user(message.substring(1))));
    } else if (message.startsWith("/")) {
      command(message);
    } else if (waiting.isEmpty()) {
      say(List.of(ChatMessage.user(message)));
    } else {
      results.add(ChatMessage.tool(waiting.removeFirst(), message));
      if (waiting.isEmpty()) {
        List<ChatMessage> all = List.copyOf(results);
        results.clear();
        say(all);
      }
    }
  }

  private void command(String line) throws IOException {
    String[] words = line.strip().split("\\s+", 2);
    String rest = words.length > 1 ? words[1] : "";
    switch (words[0]) {
      case "/help", "/?" -> terminal.out().println(HELP);
      case "/exit", "/quit" -> ended = true;
      case "/system" -> system(rest);
      case "/reset" -> {
        session.reset();
        forgetCalls();
      }
      case "/stats" -> terminal.out().println(stats.text(chat.generator().maxLength()));
      case "/save" -> {
        ChatFile.write(file(words[0], rest), session.messages());
        say("saved %d messages".formatted(session.messages().size()));
      }
      case "/load" -> {
        session.restore(ChatFile.read(words[0], file(words[0], rest)));
        forgetCalls();
        say("goes on after %d messages".formatted(session.messages().size()));
      }
      default -> throw new CliException("%s is no command: /help lists them".formatted(words[0]));
    }
  }

  private void forgetCalls() {
    waiting.clear();
    results.clear();
  }

  private void system(String text) {
    if (!text.isEmpty()) {
      session.system(text.equals("-") ? null : text);
      return;
    }
    String now =
        session.messages().stream()
            .filter(message -> message.role().equals("system"))
            .findFirst()
            .map(ChatMessage::content)
            .orElse("(nothing)");
    terminal.out().println(terminal.outIsTerminal() ? Terminal.shown(now) : now);
  }

  private static Path file(String command, String name) {
    if (name.isBlank()) {
      throw new CliException("%s needs a file's name".formatted(command));
    }
    try {
      return Path.of(name.strip());
    } catch (InvalidPathException e) {
      throw new CliException("%s: %s".formatted(command, e.getMessage()), e);
    }
  }

  private void say(List<ChatMessage> messages) {
    try (ChatStream stream = session.stream(messages)) {
      input.duringWork(stream::cancel, () -> print(stream));
      ChatResult result = stream.result();
      stats.add(result);
      switch (result.choices().getFirst().completion().reason()) {
        case CANCELLED -> say("stopped");
        case LENGTH -> say("the answer is as long as it may become, and is cut off");
        default -> {}
      }
      waiting.addAll(result.message().toolCalls());
    }
  }

  private void print(ChatStream stream) {
    int before = 0;
    try (Progress progress = new Progress("prompt", stream.promptTokens(), terminal)) {
      while (!stream.await(Duration.ofMillis(100))) {
        int done = stream.promptTokensDone();
        progress.step(done - before);
        before = done;
      }
    }
    ChatPrinter printer = new ChatPrinter(terminal);
    for (ChatDelta delta : stream) {
      printer.print(delta);
    }
    printer.end();
  }
}
