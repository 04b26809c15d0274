package dev.gatun.djl.host;

import java.util.Arrays;
import java.util.concurrent.atomic.AtomicReference;
import java.util.function.Supplier;
import java.util.stream.IntStream;

/**
 * The way through arrays of one shape, in row-major order, by rows that are as long as all strides
 * allow: axes that lie without gaps between them, in every array, are one.
 */
final class Walk {
  /** The most elements of a row. */
  static final int ROW = 1024;

  /** From here on another thread pays. */
  private static final long MANY = 1 << 15;

  private static final int THREADS = Runtime.getRuntime().availableProcessors();

  /** What is done to a row. */
  interface Row {
    /**
     * @param at the byte of each array's first element
     * @param count how many elements
     */
    void run(long[] at, int count);
  }

  private final long[] lengths;
  private final long[][] steps;
  private final long[] first;

  private Walk(long[] first, long[][] steps, long... lengths) {
    this.lengths = lengths;
    this.steps = steps;
    this.first = first;
  }

  /** The way whose axes are as few as the strides allow. */
  private static Walk merged(long[] first, long[][] steps, long... shape) {
    long[] merged = new long[shape.length];
    long[][] mergedSteps = new long[steps.length][shape.length];
    int axes = 0;
    for (int axis = 0; axis < shape.length; axis++) {
      if (shape[axis] == 1) {
        continue;
      }
      boolean joins = axes > 0;
      for (int i = 0; joins && i < steps.length; i++) {
        joins = mergedSteps[i][axes - 1] == steps[i][axis] * shape[axis];
      }
      if (joins) {
        axes--;
      }
      merged[axes] = joins ? merged[axes] * shape[axis] : shape[axis];
      for (int i = 0; i < steps.length; i++) {
        mergedSteps[i][axes] = steps[i][axis];
      }
      axes++;
    }
    if (axes == 0) {
      return new Walk(first, new long[steps.length][1], 1);
    }
    for (int i = 0; i < steps.length; i++) {
      mergedSteps[i] = Arrays.copyOf(mergedSteps[i], axes);
    }
    return new Walk(first, mergedSteps, Arrays.copyOf(merged, axes));
  }

  /** The way through arrays of one shape. */
  static Walk of(Strided... arrays) {
    long[] first = new long[arrays.length];
    long[][] steps = new long[arrays.length][];
    boolean whole = true;
    for (int i = 0; i < arrays.length; i++) {
      first[i] = arrays[i].offset() * arrays[i].codec().bytes();
      whole = whole && arrays[i].isContiguous();
    }
    if (whole) {
      for (int i = 0; i < arrays.length; i++) {
        steps[i] = new long[] {arrays[i].codec().bytes()};
      }
      return new Walk(first, steps, arrays[0].count());
    }
    for (int i = 0; i < arrays.length; i++) {
      steps[i] = arrays[i].strides();
      long bytes = arrays[i].codec().bytes();
      for (int axis = 0; axis < steps[i].length; axis++) {
        steps[i][axis] *= bytes;
      }
    }
    return merged(first, steps, arrays[0].shape());
  }

  /** The elements of the longest row: what a loop's buffers need. */
  int width() {
    return (int) Math.min(ROW, lengths[lengths.length - 1]);
  }

  /** Bytes from one element of a row to the next. */
  long step(int array) {
    return steps[array][lengths.length - 1];
  }

  /** All rows, by as many threads as pay. */
  void inParts(Supplier<Row> loops) {
    inParts(loops, 1);
  }

  /**
   * All rows, by as many threads as pay.
   *
   * @param loops makes what is done to a row; once a thread, so that each has buffers of its own
   * @param each elements that are read for one of a row
   */
  void inParts(Supplier<Row> loops, long each) {
    int parts = (int) Math.min(THREADS, Strided.count(lengths) * each / MANY);
    if (parts < 2) {
      forEach(loops.get());
      return;
    }
    int longest = 0;
    for (int axis = 1; axis < lengths.length; axis++) {
      longest = lengths[axis] > lengths[longest] ? axis : longest;
    }
    int axis = longest;
    AtomicReference<RuntimeException> refused = new AtomicReference<>();
    IntStream.range(0, parts)
        .parallel()
        .forEach(
            part -> {
              try {
                part(axis, part, parts).forEach(loops.get());
              } catch (RuntimeException e) {
                refused.compareAndSet(null, e);
              }
            });
    // The stream would wrap it in another of its kind, with another message.
    if (refused.get() != null) {
      throw refused.get();
    }
  }

  /** One of several parts of about the same length. */
  private Walk part(int axis, int part, int parts) {
    long begin = lengths[axis] * part / parts;
    long[] some = lengths.clone();
    some[axis] = lengths[axis] * (part + 1) / parts - begin;
    long[] from = first.clone();
    for (int i = 0; i < from.length; i++) {
      from[i] += begin * steps[i][axis];
    }
    return new Walk(from, steps, some);
  }

  /** All rows in their order. */
  void forEach(Row row) {
    if (Strided.count(lengths) == 0) {
      return;
    }
    int last = lengths.length - 1;
    long[] index = new long[last];
    long[] start = first.clone();
    long[] at = new long[first.length];
    while (true) {
      for (long done = 0; done < lengths[last]; done += ROW) {
        for (int i = 0; i < at.length; i++) {
          at[i] = start[i] + done * steps[i][last];
        }
        row.run(at, (int) Math.min(ROW, lengths[last] - done));
      }
      int axis = last - 1;
      while (axis >= 0) {
        index[axis]++;
        for (int i = 0; i < start.length; i++) {
          start[i] += steps[i][axis];
        }
        if (index[axis] < lengths[axis]) {
          break;
        }
        for (int i = 0; i < start.length; i++) {
          start[i] -= lengths[axis] * steps[i][axis];
        }
        index[axis--] = 0;
      }
      if (axis < 0) {
        return;
      }
    }
  }

  /** Runs loops while the arrays' memory cannot be given back. */
  static void holding(Runnable loops, Strided... arrays) {
    int held = 0;
    try {
      for (; held < arrays.length; held++) {
        arrays[held].store().acquire();
      }
      loops.run();
    } finally {
      for (int i = 0; i < held; i++) {
        arrays[i].store().free();
      }
    }
  }
}
