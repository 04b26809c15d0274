package dev.gatun.test.contract.cases;

import dev.gatun.test.contract.frame.BadCall;
import dev.gatun.test.contract.frame.Case;
import dev.gatun.test.contract.frame.Generator;
import dev.gatun.test.contract.frame.Target;
import java.util.List;
import java.util.stream.LongStream;
import java.util.stream.Stream;

/**
 * All cases of the contract. {@code -Dgatun.test.seed=N} begins the random ones elsewhere, {@code
 * -Dgatun.test.kernel=NAME} leaves those whose generator's name begins so, such as {@code
 * quantized_matmul} or {@code quantized_matmul-deep}.
 */
public final class Cases {
  /** The property that sets where the seeds begin. */
  public static final String SEED = "gatun.test.seed";

  /** The property that names the kernels whose cases run. */
  static final String KERNEL = "gatun.test.kernel";

  private Cases() {}

  /**
   * Cases that are made when they are come to.
   *
   * @param each how many of each kernel that is simple
   */
  public static Stream<Draw> draws(Family family, Target target, int each) {
    return draws(family, target, Long.getLong(SEED, 1), 0, each);
  }

  /** The same without the first ones, from a seed. */
  public static Stream<Draw> draws(Family family, Target target, long seed, int without, int each) {
    String kernel = System.getProperty(KERNEL, "");
    checkKernel(kernel, target);
    return family.generators(target).stream()
        .filter(g -> g.name().startsWith(kernel))
        .flatMap(
            g ->
                LongStream.range(seed + g.count(without), seed + g.count(each))
                    .mapToObj(number -> new Draw(family, g, number)));
  }

  private static void checkKernel(String kernel, Target target) {
    List<String> names =
        Stream.of(Family.values())
            .flatMap(family -> family.generators(target).stream())
            .map(Generator::name)
            .distinct()
            .sorted()
            .toList();
    if (names.stream().noneMatch(name -> name.startsWith(kernel))) {
      throw new IllegalArgumentException(
          "-D%s=%s: no name of a generator begins so, there are %s"
              .formatted(KERNEL, kernel, String.join(", ", names)));
    }
  }

  /** Bad arguments of the same kernels. */
  public static Stream<BadCall> bad() {
    String kernel = System.getProperty(KERNEL, "").replaceFirst("-.*", "");
    return Stream.of(
            AttentionCases.badCalls(),
            MatmulCases.badCalls(),
            RowCases.badCalls(),
            NormBackwardCases.badCalls(),
            LookupCases.badCalls(),
            RotaryCases.badCalls(),
            ElementwiseCases.badCalls(),
            ChoiceCases.badCalls(),
            ReductionCases.badCalls(),
            IndexingCases.badCalls())
        .flatMap(List::stream)
        .filter(call -> call.message().startsWith(kernel));
  }

  /** Cases of every kernel, for a processor. */
  public static Stream<Case> all(int each) {
    return all(Target.HOST, 0, each);
  }

  /** Cases of every kernel, without the first ones. */
  public static Stream<Case> all(Target target, int without, int each) {
    return draws(Family.PLAIN, target, Long.getLong(SEED, 1), without, each).map(Draw::make);
  }
}
