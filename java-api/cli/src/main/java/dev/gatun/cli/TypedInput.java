package dev.gatun.cli;

import java.io.IOError;
import java.io.IOException;
import org.jline.reader.EndOfFileException;
import org.jline.reader.History;
import org.jline.reader.LineReader;
import org.jline.reader.LineReaderBuilder;
import org.jline.reader.UserInterruptException;
import org.jline.reader.impl.history.DefaultHistory;
import org.jline.terminal.Terminal.Signal;
import org.jline.terminal.Terminal.SignalHandler;
import org.jline.terminal.TerminalBuilder;

/** Lines that a person types, with those before at hand by the arrow keys. */
final class TypedInput implements ChatInput {
  private static final int ATTEMPTS = 5;

  private final org.jline.terminal.Terminal device;
  private LineReader reader;

  TypedInput() throws IOException {
    // Needs no native code: it asks the commands tty and stty.
    device = TerminalBuilder.builder().system(true).provider("exec").build();
    reader = reader(new DefaultHistory());
  }

  private LineReader reader(History history) {
    return LineReaderBuilder.builder()
        .terminal(device)
        .history(history)
        .option(LineReader.Option.DISABLE_EVENT_EXPANSION, true)
        .option(LineReader.Option.HISTORY_IGNORE_SPACE, false)
        .build();
  }

  @Override
  public boolean isInteractive() {
    return true;
  }

  @Override
  public String readLine(String prompt) throws IOException, InterruptedLine {
    for (int attempt = 0; ; attempt++) {
      try {
        return reader.readLine(prompt);
      } catch (UserInterruptException e) {
        throw new InterruptedLine(e.getPartialLine().isEmpty());
      } catch (EndOfFileException e) {
        return null;
      } catch (IOError e) {
        // A Ctrl-C that comes while the reader asks stty ends that, too.
        if (attempt == ATTEMPTS) {
          throw new IOException(e.getCause());
        }
        reader = reader(reader.getHistory());
      }
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
