package dev.gatun.cli;

import java.io.IOException;
import org.jline.reader.EndOfFileException;
import org.jline.reader.LineReader;
import org.jline.reader.LineReaderBuilder;
import org.jline.reader.UserInterruptException;
import org.jline.terminal.Terminal.Signal;
import org.jline.terminal.Terminal.SignalHandler;
import org.jline.terminal.TerminalBuilder;

/** Lines that a person types, with those before at hand by the arrow keys. */
final class TypedInput implements ChatInput {
  private final org.jline.terminal.Terminal device;
  private final LineReader reader;

  TypedInput() throws IOException {
    // Needs no native code: it asks the commands tty and stty.
    device = TerminalBuilder.builder().system(true).provider("exec").build();
    reader =
        LineReaderBuilder.builder()
            .terminal(device)
            .option(LineReader.Option.DISABLE_EVENT_EXPANSION, true)
            .option(LineReader.Option.HISTORY_IGNORE_SPACE, false)
            .build();
  }

  @Override
  public boolean isInteractive() {
    return true;
  }

  @Override
  public String readLine(String prompt) throws InterruptedLine {
    try {
      return reader.readLine(prompt);
    } catch (UserInterruptException e) {
      throw new InterruptedLine(e.getPartialLine().isEmpty());
    } catch (EndOfFileException e) {
      return null;
    }
  }

  @Override
  public void duringWork(Runnable interruption, Runnable work) {
    SignalHandler before = device.handle(Signal.INT, _ -> interruption.run());
    try {
      work.run();
    } finally {
      device.handle(Signal.INT, before);
    }
  }

  @Override
  public void close() throws IOException {
    device.close();
  }
}
