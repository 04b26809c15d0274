package dev.gatun.djl.host;

import ai.djl.engine.EngineException;
import java.util.Arrays;

/** The exceptions that DJL's engines throw, with what was wrong and what would be right. */
public final class Refusal {
  private Refusal() {}

  /** Arguments that do not go together, as DJL's PyTorch engine refuses them. */
  public static EngineException wrong(String format, Object... arguments) {
    return new EngineException(format.formatted(arguments));
  }

  /** What the engine has not. */
  public static UnsupportedOperationException unsupported(String what) {
    return new UnsupportedOperationException(what + ": the engine Gatun does not have this");
  }

  /** An axis counted from 0, given from 0 or backwards from -1. */
  public static int axis(String op, int axis, int rank) {
    // An array without axes is taken for one of one element.
    int axes = Math.max(1, rank);
    if (axis < -axes || axis >= axes) {
      throw wrong("%s: axis %d is outside of %d to %d", op, axis, -axes, axes - 1);
    }
    return axis < 0 ? axis + axes : axis;
  }

  static String text(long... shape) {
    return Arrays.toString(shape);
  }
}
