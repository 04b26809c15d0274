package dev.gatun.generation.constraint;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;
import java.util.function.IntPredicate;

/** A set of Unicode scalar values: code points without the surrogates. */
final class CodePoints {
  private static final int LAST = Character.MAX_CODE_POINT;

  /** None. */
  static final CodePoints NONE = new CodePoints();

  /** All. */
  static final CodePoints ALL =
      new CodePoints(0, Character.MIN_SURROGATE - 1, Character.MAX_SURROGATE + 1, LAST);

  private static final Map<String, CodePoints> PROPERTIES = new ConcurrentHashMap<>();

  // First and last of each range, ascending, with a gap between two.
  private final int[] ranges;

  private CodePoints(int... ranges) {
    this.ranges = ranges;
  }

  /** One code point. */
  static CodePoints of(int codePoint) {
    return range(codePoint, codePoint);
  }

  /** The code points from one to another, both included. */
  static CodePoints range(int first, int last) {
    return new CodePoints(first, last).intersect(ALL);
  }

  /** Those of a text. */
  static CodePoints ofAll(String text) {
    CodePoints all = NONE;
    for (int codePoint : text.codePoints().toArray()) {
      all = all.union(of(codePoint));
    }
    return all;
  }

  /**
   * The code points that a predicate holds for.
   *
   * @param name of the predicate, under which they are kept
   */
  static CodePoints property(String name, IntPredicate predicate) {
    return PROPERTIES.computeIfAbsent(
        name,
        _ -> {
          List<Integer> found = new ArrayList<>();
          boolean inside = false;
          for (int codePoint = 0; codePoint <= LAST; codePoint++) {
            if (predicate.test(codePoint) != inside) {
              found.add(inside ? codePoint - 1 : codePoint);
              inside = !inside;
            }
          }
          if (inside) {
            found.add(LAST);
          }
          int[] ranges = found.stream().mapToInt(Integer::intValue).toArray();
          return new CodePoints(ranges).intersect(ALL);
        });
  }

  CodePoints union(CodePoints other) {
    int[] a = ranges;
    int[] b = other.ranges;
    int[] merged = new int[a.length + b.length];
    int count = 0;
    for (int i = 0, j = 0; i < a.length || j < b.length; ) {
      boolean first = j == b.length || i < a.length && a[i] <= b[j];
      int from = first ? a[i] : b[j];
      int to = first ? a[i + 1] : b[j + 1];
      i += first ? 2 : 0;
      j += first ? 0 : 2;
      if (count > 0 && from <= merged[count - 1] + 1) {
        merged[count - 1] = Math.max(merged[count - 1], to);
      } else {
        merged[count++] = from;
        merged[count++] = to;
      }
    }
    return new CodePoints(Arrays.copyOf(merged, count));
  }

  /** The scalar values that are not in it. */
  CodePoints complement() {
    int[] left = new int[ranges.length + 2];
    int count = 0;
    int next = 0;
    for (int i = 0; i < ranges.length; i += 2) {
      if (ranges[i] > next) {
        left[count++] = next;
        left[count++] = ranges[i] - 1;
      }
      next = ranges[i + 1] + 1;
    }
    if (next <= LAST) {
      left[count++] = next;
      left[count++] = LAST;
    }
    return new CodePoints(Arrays.copyOf(left, count)).intersect(ALL);
  }

  CodePoints intersect(CodePoints other) {
    int[] a = ranges;
    int[] b = other.ranges;
    int[] common = new int[a.length + b.length];
    int count = 0;
    for (int i = 0, j = 0; i < a.length && j < b.length; ) {
      int from = Math.max(a[i], b[j]);
      int to = Math.min(a[i + 1], b[j + 1]);
      if (from <= to) {
        common[count++] = from;
        common[count++] = to;
      }
      if (a[i + 1] < b[j + 1]) {
        i += 2;
      } else {
        j += 2;
      }
    }
    return new CodePoints(Arrays.copyOf(common, count));
  }

  CodePoints minus(CodePoints other) {
    return intersect(other.complement());
  }

  boolean contains(int codePoint) {
    for (int i = 0; i < ranges.length; i += 2) {
      if (codePoint >= ranges[i] && codePoint <= ranges[i + 1]) {
        return true;
      }
    }
    return false;
  }

  boolean containsAll(CodePoints other) {
    return other.minus(this).isEmpty();
  }

  boolean isEmpty() {
    return ranges.length == 0;
  }

  /** How many ranges it has. */
  int ranges() {
    return ranges.length / 2;
  }

  int first(int range) {
    return ranges[2 * range];
  }

  int last(int range) {
    return ranges[2 * range + 1];
  }

  @Override
  public boolean equals(Object other) {
    return other instanceof CodePoints that && Arrays.equals(ranges, that.ranges);
  }

  @Override
  public int hashCode() {
    return Arrays.hashCode(ranges);
  }
}
