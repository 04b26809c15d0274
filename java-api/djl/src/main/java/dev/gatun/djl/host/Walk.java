package dev.gatun.djl.host;

import java.util.Arrays;

/**
 * The way through arrays of one shape, in row-major order, by rows that are as long as all strides
 * allow: axes that lie without gaps between them, in every array, are one.
 */
final class Walk {
  /** The most elements of a row: what a loop's buffers have. */
  static final int ROW = 1024;

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
  private final boolean empty;

  private Walk(long[] shape, long[] first, long[][] steps) {
    this.first = first;
    this.empty = Strided.count(shape) == 0;
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
      this.lengths = new long[] {1};
      this.steps = new long[steps.length][1];
    } else {
      this.lengths = Arrays.copyOf(merged, axes);
      for (int i = 0; i < steps.length; i++) {
        mergedSteps[i] = Arrays.copyOf(mergedSteps[i], axes);
      }
      this.steps = mergedSteps;
    }
  }

  /** The way through arrays of one shape. */
  static Walk of(Strided... arrays) {
    long[] first = new long[arrays.length];
    long[][] steps = new long[arrays.length][];
    for (int i = 0; i < arrays.length; i++) {
      long bytes = arrays[i].codec().bytes();
      first[i] = arrays[i].offset() * bytes;
      steps[i] = Arrays.stream(arrays[i].strides()).map(s -> s * bytes).toArray();
    }
    return new Walk(arrays[0].shape(), first, steps);
  }

  /** Bytes from one element of a row to the next. */
  long step(int array) {
    return steps[array][lengths.length - 1];
  }

  void forEach(Row row) {
    if (empty) {
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
