package dev.gatun.test.contract.frame;

import dev.gatun.kernels.api.memory.DType;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;

/**
 * The attention papers' rule: a kernel may err by twice what the plain computation in its dtype
 * does, plus twice what adding and subtracting 0.3 does to the exact results, plus two units in the
 * last place of the largest result: an error of that size is what one more rounding makes. Of
 * signed bytes it makes one. The same holds of the root of the mean square.
 *
 * <p>What the plain computation errs is itself drawn by chance: of one result it may be next to
 * nothing, and then the rule would refuse every other computation. So where a case fails, what it
 * is measured by is drawn again, and the most of all draws counts. First by the other orders of its
 * sums. Then by the exact results of operands that were rounded once more, as a rounding moves
 * them: a computation is as good as its precision allows when it gives what is exact for operands
 * within a few roundings of the given ones (Higham, <i>Accuracy and Stability of Numerical
 * Algorithms</i>, 1.5: the forward error is at most the condition number times the backward error),
 * so what such operands give is what no order of sums can be held below. Last by the plain
 * computation whose roundings go up or down by chance: where the exact result is nothing whatever
 * the operands are, as a softmax's gradient summed over its row, a result is made of roundings
 * alone. A kernel that reads the wrong element, leaves a term out, or keeps sums in fewer digits
 * errs by more than these do.
 */
public final class Tolerance {
  private static final int POISON = -1;

  private Tolerance() {}

  /**
   * Fails unless the results are good enough.
   *
   * @param c the case
   * @param references what it gives by the reference
   * @param got the results under test
   */
  public static void check(Case c, Runs.References references, Map<String, int[]> got) {
    check(c, references, List.of(), got);
  }

  /** The same, where other plain computations count besides the reference's. */
  public static void check(
      Case c, Runs.References references, List<Map<String, int[]>> others, Map<String, int[]> got) {
    while (true) {
      List<Map<String, int[]>> plain = new ArrayList<>(others);
      plain.addAll(references.plain());
      try {
        check(c, references.exact(), plain, got);
        return;
      } catch (AssertionError e) {
        // Most cases need no more than the first draws, and more of them never allow less.
        if (!references.addDraws()) {
          throw e;
        }
      }
    }
  }

  private static void check(
      Case c, Map<String, int[]> exact, List<Map<String, int[]>> plain, Map<String, int[]> got) {
    if (!got.keySet().equals(exact.keySet())) {
      throw new AssertionError(c + ": results " + got.keySet() + ", expected " + exact.keySet());
    }
    for (String name : exact.keySet()) {
      DType dtype = c.data(name).dtype();
      if (c.exact() && isWhole(dtype)) {
        equal(c, name, exact.get(name), got.get(name));
        continue;
      }
      int[][] bits = plain.stream().map(p -> p.get(name)).toArray(int[][]::new);
      int[] right = widened(exact.get(name), c.widened().data(name).dtype());
      check(c, name, dtype, right, bits, got.get(name));
    }
  }

  private static boolean isWhole(DType dtype) {
    return switch (dtype) {
      case F32, BF16, F16 -> false;
      default -> true;
    };
  }

  /** Whole numbers are not looked at as floats, which would not tell large ones apart. */
  private static void equal(Case c, String name, int[] exact, int[] got) {
    int i = Arrays.mismatch(exact, got);
    if (i >= 0) {
      throw new AssertionError(
          "%s: %s[%d] has the bits %08x, expected %08x".formatted(c, name, i, got[i], exact[i]));
    }
  }

  private static void check(
      Case c, String name, DType dtype, int[] exact, int[][] plain, int[] got) {
    Errors of = new Errors();
    Errors[] ofPlain = new Errors[plain.length];
    Arrays.setAll(ofPlain, p -> new Errors());
    Errors ofRounding = new Errors();
    Errors results = new Errors();
    for (int i = 0; i < exact.length; i++) {
      float want = Float.intBitsToFloat(exact[i]);
      float base = Numbers.value(plain[0][i], dtype);
      float have = Numbers.value(got[i], dtype);
      if (exact[i] == POISON) {
        if (got[i] != POISON) {
          throw wrong(c, name, i, want, have, "not written");
        }
      } else if (c.exact()) {
        if (Float.compare((float) Numbers.round(want, dtype), have) != 0) {
          throw wrong(c, name, i, want, have, "exactly that");
        }
      } else if (Float.isFinite((float) Numbers.round(want, dtype)) && Float.isFinite(base)) {
        if (!Float.isFinite(have)) {
          throw wrong(c, name, i, want, have, "finite");
        }
        of.add((double) have - want);
        for (int p = 0; p < plain.length; p++) {
          ofPlain[p].addFinite((double) Numbers.value(plain[p][i], dtype) - want);
        }
        ofRounding.add(Numbers.round(Numbers.round(want + 0.3, dtype) - 0.3, dtype) - want);
        results.add(want);
      } else if (Float.compare((float) Numbers.round(want, dtype), base) == 0
          && Float.compare(base, have) != 0) {
        throw wrong(c, name, i, want, have, "as the formula defines it");
      }
    }
    double plainMost = Arrays.stream(ofPlain).mapToDouble(e -> e.most).max().orElseThrow();
    double plainRoot = Arrays.stream(ofPlain).mapToDouble(Errors::root).max().orElseThrow();
    double ulp = dtype == DType.BF16 ? 0x1p-7 : dtype == DType.F16 ? 0x1p-10 : 0x1p-23;
    boolean bytes = dtype == DType.I8;
    double most = 2 * plainMost + 2 * ofRounding.most + (bytes ? 1 : 2 * ulp * results.most);
    double root = 2 * plainRoot + 2 * ofRounding.root() + (bytes ? 1 : 2 * ulp * results.root());
    if (of.most > most || of.root() > root) {
      throw new AssertionError(
          "%s: %s errs by %.3g (allowed %.3g), root mean square %.3g (allowed %.3g)"
              .formatted(c, name, of.most, most, of.root(), root));
    }
  }

  private static int[] widened(int[] bits, DType dtype) {
    return Arrays.stream(bits)
        .map(
            b ->
                // A byte of -1 is a number as good as any.
                b == POISON && dtype != DType.I8
                    ? POISON
                    : Float.floatToRawIntBits(Numbers.value(b, dtype)))
        .toArray();
  }

  private static AssertionError wrong(
      Case c, String name, int i, float want, float have, String how) {
    return new AssertionError(
        "%s: %s[%d] is %s, expected %s: %s".formatted(c, name, i, have, want, how));
  }

  private static final class Errors {
    double most;
    double squares;
    long count;

    void add(double error) {
      most = Math.max(most, Math.abs(error));
      squares += error * error;
      count++;
    }

    /** What overflows by another order says nothing of how much this one may err. */
    void addFinite(double error) {
      add(Double.isFinite(error) ? error : 0);
    }

    double root() {
      return count == 0 ? 0 : Math.sqrt(squares / count);
    }
  }
}
