package dev.gatun.test.contract.frame;

import java.util.Arrays;
import java.util.Random;
import java.util.function.Supplier;
import java.util.function.ToDoubleFunction;
import java.util.function.UnaryOperator;

/**
 * The numbers of an operand, made when they are first asked for: a case costs nothing until it
 * runs, and what is planned of it needs shapes alone.
 */
public final class Values {
  private final Supplier<double[]> source;
  private double[] made;

  private Values(Supplier<double[]> source) {
    this.source = source;
  }

  public static Values of(double... values) {
    return new Values(() -> values);
  }

  /** What a source makes, which gives the same each time. */
  public static Values of(Supplier<double[]> source) {
    return new Values(source);
  }

  /** So many numbers, drawn by a function, with a seed of their own. */
  public static Values drawn(long seed, int count, ToDoubleFunction<Random> one) {
    return new Values(
        () -> {
          Random random = new Random(seed);
          double[] values = new double[count];
          Arrays.setAll(values, i -> one.applyAsDouble(random));
          return values;
        });
  }

  /** What becomes of them; the change gets an array of its own. */
  public Values changed(UnaryOperator<double[]> change) {
    return new Values(() -> change.apply(copy()));
  }

  /** The numbers, which nobody may change. */
  synchronized double[] get() {
    if (made == null) {
      made = source.get();
    }
    return made;
  }

  /** The same in an array of one's own, without keeping them here. */
  public double[] copy() {
    synchronized (this) {
      if (made != null) {
        return made.clone();
      }
    }
    return source.get().clone();
  }
}
