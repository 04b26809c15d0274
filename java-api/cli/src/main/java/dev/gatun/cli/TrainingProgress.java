package dev.gatun.cli;

import dev.gatun.training.StepReport;
import dev.gatun.training.TrainerCallback;
import dev.gatun.training.TrainerControl;
import dev.gatun.training.TrainerState;
import java.nio.file.Path;
import java.time.Duration;
import java.util.Locale;
import java.util.Map;

/**
 * Shows a run: on a terminal a bar with the loss, tokens a second and the time left, else the lines
 * of the log.
 */
final class TrainingProgress implements TrainerCallback {
  private static final int BAR = 24;
  private static final long EVERY = Duration.ofMillis(200).toNanos();
  private static final int WIDTH = 78;

  private final Terminal terminal;
  private final long began = System.nanoTime();
  private long shown;
  private long steps;
  private long tokens;
  private double loss = Double.NaN;

  TrainingProgress(Terminal terminal) {
    this.terminal = terminal;
  }

  @Override
  public void onStepEnd(StepReport step, TrainerState state, TrainerControl control) {
    steps++;
    tokens += step.tokens();
    if (!step.skipped()) {
      loss = Double.isNaN(loss) ? step.loss() : 0.9 * loss + 0.1 * step.loss();
    }
    long now = System.nanoTime();
    if (terminal.errIsTerminal() && now - shown > EVERY) {
      shown = now;
      double seconds = (now - began) / 1e9;
      long left = (long) (seconds / steps * (step.maxSteps() - step.step()));
      int done = (int) (BAR * step.step() / step.maxSteps());
      String line =
          String.format(
              Locale.ROOT,
              "[%s%s] %d/%d loss %.4f %.0f tokens/s %d:%02d:%02d left",
              "=".repeat(done),
              " ".repeat(BAR - done),
              step.step(),
              step.maxSteps(),
              loss,
              tokens / seconds,
              left / 3600,
              left / 60 % 60,
              left % 60);
      terminal.err().print("\r" + line + " ".repeat(Math.max(0, WIDTH - line.length())));
      terminal.err().flush();
    }
  }

  private void say(String line) {
    if (terminal.errIsTerminal()) {
      terminal.err().print("\r" + " ".repeat(WIDTH) + "\r");
    }
    terminal.err().println(Terminal.shown(line));
  }

  @Override
  public void onWarning(String message) {
    say("gatun: " + message);
  }

  @Override
  public void onLog(Map<String, Object> entry, TrainerState state, TrainerControl control) {
    say(
        "step %s of %d, epoch %.2f: %s"
            .formatted(entry.get("step"), state.maxSteps(), entry.get("epoch"), told(entry)));
  }

  private static String told(Map<String, Object> entry) {
    StringBuilder told = new StringBuilder();
    entry.forEach(
        (key, value) -> {
          if (value instanceof Double number && !key.equals("epoch")) {
            String shown = String.format(Locale.ROOT, "%s %.5g", key, number);
            told.append(told.isEmpty() ? "" : ", ").append(shown);
          }
        });
    return told.toString();
  }

  @Override
  public void onSave(Path checkpoint, TrainerState state, TrainerControl control) {
    say("saved " + checkpoint);
  }

  @Override
  public void onTrainEnd(TrainerState state, TrainerControl control) {
    if (terminal.errIsTerminal()) {
      terminal.err().print("\r" + " ".repeat(WIDTH) + "\r");
    }
  }
}
