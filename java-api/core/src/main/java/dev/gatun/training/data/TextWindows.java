package dev.gatun.training.data;

import dev.gatun.text.Encoding;
import java.util.Arrays;
import java.util.List;
import java.util.function.Function;

/** The windows of all records: which record a sample is of, and which window of it. */
final class TextWindows {
  private final Dataset data;
  private final Function<Example, List<Encoding>> windows;
  // The number of the first sample of each record, and of all samples at the end.
  private final int[] firsts;

  /**
   * Counts them.
   *
   * @param windows those of a record
   */
  TextWindows(Dataset data, Function<Example, List<Encoding>> windows) {
    this.data = data;
    this.windows = windows;
    this.firsts = new int[data.size() + 1];
    for (int i = 0; i < data.size(); i++) {
      Example example = data.get(i);
      example.weight();
      firsts[i + 1] = Math.addExact(firsts[i], windows.apply(example).size());
    }
  }

  int size() {
    return firsts[firsts.length - 1];
  }

  /**
   * A window of a record.
   *
   * @param isLast whether the record's text ends with it
   */
  record Window(Example example, Encoding encoding, boolean isLast) {}

  Window get(int sample) {
    int found = Arrays.binarySearch(firsts, sample);
    int record = found < 0 ? -found - 2 : found;
    // Records without windows begin where the next one does.
    while (firsts[record + 1] == firsts[record]) {
      record++;
    }
    Example example = data.get(record);
    boolean isLast = sample + 1 == firsts[record + 1];
    return new Window(example, windows.apply(example).get(sample - firsts[record]), isLast);
  }
}
