package dev.gatun.generation;

import java.util.Arrays;

/** Finds places in an order without making it: expected linear time. */
final class Selection {
  /**
   * Where summed weights cross a mass, keys ascending.
   *
   * @param key the key there
   * @param below the weights of all lesser keys together
   */
  record Crossing(float key, long below) {}

  private Selection() {}

  /** The k-th largest of the first {@code count} keys; none may be NaN. */
  static float kthLargest(float[] keys, int count, int k) {
    float[] a = Arrays.copyOf(keys, count);
    int low = 0;
    int high = count;
    int rank = count - k;
    while (true) {
      float pivot = pivot(a, low, high);
      int less = low;
      int greater = high;
      for (int i = low; i < greater; ) {
        if (a[i] < pivot) {
          swap(a, i++, less++);
        } else if (a[i] > pivot) {
          swap(a, i, --greater);
        } else {
          i++;
        }
      }
      if (rank < less) {
        high = less;
      } else if (rank >= greater) {
        low = greater;
      } else {
        return pivot;
      }
    }
  }

  /**
   * The least key with which the weights of all keys up to it exceed {@code mass}; the largest key
   * where all together do not.
   *
   * @param count how many keys and weights there are, at least one; no key may be NaN
   */
  static Crossing crossing(float[] keys, long[] weights, int count, long mass) {
    float[] a = Arrays.copyOf(keys, count);
    long[] w = Arrays.copyOf(weights, count);
    int low = 0;
    int high = count;
    long below = 0;
    while (true) {
      float pivot = pivot(a, low, high);
      int less = low;
      int greater = high;
      long lesser = 0;
      long equal = 0;
      for (int i = low; i < greater; ) {
        if (a[i] < pivot) {
          lesser += w[i];
          swap(w, i, less);
          swap(a, i++, less++);
        } else if (a[i] > pivot) {
          swap(w, i, --greater);
          swap(a, i, greater);
        } else {
          equal += w[i++];
        }
      }
      if (less > low && below + lesser > mass) {
        high = less;
      } else if (greater == high || below + lesser + equal > mass) {
        return new Crossing(pivot, below + lesser);
      } else {
        below += lesser + equal;
        low = greater;
      }
    }
  }

  /** The median of three. */
  private static float pivot(float[] a, int low, int high) {
    float x = a[low];
    float y = a[(low + high) >>> 1];
    float z = a[high - 1];
    return Math.max(Math.min(x, y), Math.min(Math.max(x, y), z));
  }

  private static void swap(float[] a, int i, int j) {
    float t = a[i];
    a[i] = a[j];
    a[j] = t;
  }

  private static void swap(long[] a, int i, int j) {
    long t = a[i];
    a[i] = a[j];
    a[j] = t;
  }
}
