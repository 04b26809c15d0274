package dev.gatun.training;

/** What callbacks ask of a trainer. */
public final class TrainerControl {
  private boolean stop;
  private boolean save;
  private boolean evaluate;
  private boolean log;

  TrainerControl() {}

  /** Ends the run after this update. */
  public void stop() {
    stop = true;
  }

  /** Writes a checkpoint after this update. */
  public void save() {
    save = true;
  }

  /** Evaluates the model after this update. */
  public void evaluate() {
    evaluate = true;
  }

  /** Writes a line of the log after this update. */
  public void log() {
    log = true;
  }

  boolean stops() {
    return stop;
  }

  boolean takeSave() {
    boolean asked = save;
    save = false;
    return asked;
  }

  boolean takeEvaluate() {
    boolean asked = evaluate;
    evaluate = false;
    return asked;
  }

  boolean takeLog() {
    boolean asked = log;
    log = false;
    return asked;
  }
}
