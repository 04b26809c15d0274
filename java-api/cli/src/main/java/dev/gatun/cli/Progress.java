package dev.gatun.cli;

import java.io.PrintStream;
import java.time.Duration;
import me.tongfei.progressbar.ConsoleProgressBarConsumer;
import me.tongfei.progressbar.ProgressBar;
import me.tongfei.progressbar.ProgressBarBuilder;
import me.tongfei.progressbar.ProgressBarStyle;

/** A progress bar that shows itself on a terminal once work has taken two seconds. */
final class Progress implements AutoCloseable {
  private static final long PATIENCE = Duration.ofSeconds(2).toNanos();
  private static final int WIDTH = 78;

  private final String task;
  private long total;
  private final Terminal terminal;
  private final long started = System.nanoTime();
  private long done;
  private ProgressBar bar;

  /**
   * Progress of a task.
   *
   * @param total how many steps it has; 0 when that is not known
   */
  Progress(String task, long total, Terminal terminal) {
    this.task = task;
    this.total = total;
    this.terminal = terminal;
  }

  void step(long count) {
    done += count;
    if (bar == null && terminal.errIsTerminal() && System.nanoTime() - started > PATIENCE) {
      bar = show(terminal.err());
    }
    if (bar != null) {
      bar.stepTo(done);
    }
  }

  /** How much is done, of how much in all. */
  void at(long now, long of) {
    total = of;
    step(now - done);
  }

  private ProgressBar show(PrintStream err) {
    return new ProgressBarBuilder()
        .setTaskName(task)
        .setInitialMax(total == 0 ? -1 : total)
        .setStyle(ProgressBarStyle.ASCII)
        .setConsumer(new ConsoleProgressBarConsumer(err, WIDTH))
        .startsFrom(0, Duration.ofNanos(System.nanoTime() - started))
        .clearDisplayOnFinish()
        .build();
  }

  @Override
  public void close() {
    if (bar != null) {
      bar.close();
    }
  }
}
