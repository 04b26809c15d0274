package dev.gatun.cli;

import dev.gatun.chat.ChatDelta;
import dev.gatun.chat.ToolCallDelta;

/** Prints an answer as it comes; a person sees reasoning too, a file gets the answer alone. */
final class ChatPrinter {
  private final Terminal terminal;
  private boolean reasoning;
  private boolean content;
  private boolean call;

  ChatPrinter(Terminal terminal) {
    this.terminal = terminal;
  }

  void print(ChatDelta delta) {
    if (!delta.reasoning().isEmpty() && terminal.outIsTerminal()) {
      reasoning = true;
      put(terminal.dim(shown(delta.reasoning())));
    }
    if (!delta.content().isEmpty()) {
      if (reasoning && !content || call) {
        put(call ? "\n" : "\n\n");
      }
      content = true;
      call = false;
      put(shown(delta.content()));
    }
    for (ToolCallDelta each : delta.toolCalls()) {
      if (each.name() != null) {
        put(content || reasoning || call ? "\n" : "");
        put(terminal.cyan("[calls %s]".formatted(shown(each.name()))) + " ");
        call = true;
      }
      put(shown(each.arguments()));
    }
    terminal.out().flush();
  }

  void end() {
    terminal.out().println();
    terminal.out().flush();
  }

  private void put(String text) {
    terminal.out().print(text);
  }

  private String shown(String text) {
    return terminal.outIsTerminal() ? Terminal.shown(text) : text;
  }
}
