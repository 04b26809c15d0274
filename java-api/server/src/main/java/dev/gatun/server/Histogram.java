package dev.gatun.server;

import java.util.concurrent.atomic.DoubleAdder;
import java.util.concurrent.atomic.LongAdder;

/** How often a time was how long, as Prometheus counts: each bound has what is no longer. */
final class Histogram {
  private static final double[] BOUNDS = {
    0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 120, 300, 600
  };

  private final LongAdder[] counts = new LongAdder[BOUNDS.length + 1];
  private final DoubleAdder sum = new DoubleAdder();

  Histogram() {
    for (int i = 0; i < counts.length; i++) {
      counts[i] = new LongAdder();
    }
  }

  void add(double seconds) {
    int at = 0;
    while (at < BOUNDS.length && seconds > BOUNDS[at]) {
      at++;
    }
    counts[at].increment();
    sum.add(seconds);
  }

  /**
   * Writes the lines of a metric.
   *
   * @param labels as in {@code model="llama",}, a comma behind each
   */
  void write(StringBuilder out, String name, String labels) {
    long below = 0;
    for (int i = 0; i <= BOUNDS.length; i++) {
      below += counts[i].sum();
      String bound = i == BOUNDS.length ? "+Inf" : String.valueOf(BOUNDS[i]);
      out.append("%s_bucket{%sle=\"%s\"} %d\n".formatted(name, labels, bound, below));
    }
    String own = labels.isEmpty() ? "" : "{" + labels.substring(0, labels.length() - 1) + "}";
    out.append("%s_sum%s %s\n".formatted(name, own, sum.sum()));
    out.append("%s_count%s %d\n".formatted(name, own, below));
  }
}
