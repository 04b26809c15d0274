package dev.gatun.test.contract;

import java.util.stream.Stream;

/** All cases of the contract; {@code -Dgatun.test.seed=N} begins the random ones elsewhere. */
final class Cases {
  /** The property that sets where the seeds begin. */
  static final String SEED = "gatun.test.seed";

  private Cases() {}

  /**
   * @param each how many random cases to make of each kernel
   */
  static Stream<Case> all(int each) {
    long seed = Long.getLong(SEED, 1);
    return Stream.of(
            AttentionCases.cases(seed, 3 * each),
            AttentionEdges.cases(seed, each),
            MatmulCases.cases(seed, each),
            RowCases.cases(seed, each),
            LongRowCases.cases(seed, each),
            LookupCases.cases(seed, each),
            RotaryCases.cases(seed, each),
            QuantizedCases.cases(seed, each),
            ElementwiseCases.cases(seed, 2 * each),
            ReductionCases.cases(seed, each),
            IndexingCases.cases(seed, each),
            ExpertCases.cases(seed, each))
        .flatMap(s -> s);
  }

  /** Cases for tensor cores, whose operands are aligned to 16 bytes. */
  static Stream<Case> tiles(int each) {
    long seed = Long.getLong(SEED, 1);
    return Stream.of(
            AttentionCases.tiles(seed, 2 * each),
            AttentionEdges.tiles(seed, each / 2),
            AttentionEdges.caches(seed, each / 2),
            MatmulCases.tiles(seed, each),
            QuantizedCases.tiles(seed, each),
            ExpertCases.tiles(seed, each))
        .flatMap(s -> s);
  }

  /** Cases for the kernels of compute capability 9.0. */
  static Stream<Case> hopper(int each) {
    long seed = Long.getLong(SEED, 1);
    return Stream.of(
            AttentionCases.hopper(seed, 2 * each),
            AttentionEdges.hopper(seed, each),
            MatmulCases.hopper(seed, each),
            QuantizedCases.hopper(seed, 2 * each))
        .flatMap(s -> s);
  }
}
