package dev.gatun.cli;

import dev.gatun.generation.GenerationDefaults;
import dev.gatun.generation.GenerationStream;
import dev.gatun.generation.TextChunk;
import java.time.Duration;

/** Prints text as it comes. */
record TextPrinter(Terminal terminal) {

  /** What a model's files say in vain. */
  void warn(GenerationDefaults defaults) {
    defaults
        .warnings()
        .forEach(warning -> terminal.err().println("gatun: " + Terminal.shown(warning)));
  }

  /** Shows how far a long prompt is, until its text begins. */
  void awaitFirst(GenerationStream stream) {
    int before = 0;
    try (Progress progress = new Progress("prompt", stream.promptTokens(), terminal)) {
      while (!stream.await(Duration.ofMillis(100))) {
        int done = stream.promptTokensDone();
        progress.step(done - before);
        before = done;
      }
    }
  }

  /** Prints a stream to its end, and ends the line. */
  void print(GenerationStream stream) {
    awaitFirst(stream);
    for (TextChunk chunk : stream) {
      terminal.out().print(shown(chunk.text()));
      terminal.out().flush();
    }
    terminal.out().println();
  }

  /** A model may write what a terminal obeys; a file gets it as it is. */
  String shown(String text) {
    return terminal.outIsTerminal() ? Terminal.shown(text) : text;
  }
}
