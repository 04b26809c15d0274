package dev.gatun.cli;

import java.io.IOException;

/** Where the lines of a chat come from. */
interface ChatInput extends AutoCloseable {
  /** What a person typed that is to be thrown away. */
  final class InterruptedLine extends Exception {
    private static final long serialVersionUID = 1L;

    private final boolean empty;

    InterruptedLine(boolean empty) {
      super("the line was interrupted");
      this.empty = empty;
    }

    /** Whether there was nothing yet. */
    boolean isEmpty() {
      return empty;
    }
  }

  /** Whether a person types them. */
  boolean isInteractive();

  /** The next line; null at the end. */
  String readLine(String prompt) throws IOException, InterruptedLine;

  /**
   * Does something at an interruption (Ctrl-C), in place of ending the program, while other work
   * runs.
   */
  void duringWork(Runnable interruption, Runnable work);

  @Override
  void close() throws IOException;
}
