package dev.gatun.test.contract.cases;

import dev.gatun.test.contract.frame.Generator;
import dev.gatun.test.contract.frame.Target;
import java.util.List;
import java.util.Locale;
import java.util.stream.Stream;

/** Generators that are run together. */
public enum Family {
  /** Every kernel on every backend. */
  PLAIN {
    @Override
    List<Generator> generators(Target target) {
      return Stream.of(
              AttentionCases.generators(),
              AttentionEdges.generators(),
              AttentionBackwardCases.generators(),
              MatmulCases.generators(),
              RowCases.generators(),
              NormBackwardCases.generators(),
              LongRowCases.generators(),
              LookupCases.generators(),
              RotaryCases.generators(),
              QuantizedCases.generators(target),
              ElementwiseCases.generators(),
              ReductionCases.generators(),
              IndexingCases.generators(),
              OptimCases.generators(),
              BackwardCases.generators(),
              ExpertCases.generators(target),
              RareCases.generators(target))
          .flatMap(List::stream)
          .toList();
    }
  },
  /** What tensor cores take, with operands that are aligned to 16 bytes. */
  TILES {
    @Override
    List<Generator> generators(Target target) {
      return Stream.of(
              AttentionCases.tiles(),
              AttentionEdges.tiles(),
              MatmulCases.tiles(target),
              QuantizedCases.tiles(target),
              ExpertCases.tiles(target),
              RowCases.tiles(),
              LongRowCases.tiles(),
              RotaryCases.tiles(),
              ElementwiseCases.tiles())
          .flatMap(List::stream)
          .toList();
    }
  },
  /** What the kernels of compute capability 9.0 take, aligned too. */
  HOPPER {
    @Override
    List<Generator> generators(Target target) {
      return Stream.of(
              AttentionCases.hopper(),
              AttentionEdges.hopper(),
              RareCases.hopper(target),
              MatmulCases.hopper(target),
              QuantizedCases.hopper(target))
          .flatMap(List::stream)
          .toList();
    }
  };

  abstract List<Generator> generators(Target target);

  /** Whether the operands of a case begin where vectors of 16 bytes may. */
  boolean isAligned(long number) {
    return this != PLAIN || number % 2 == 0;
  }

  String id() {
    return name().toLowerCase(Locale.ROOT);
  }
}
