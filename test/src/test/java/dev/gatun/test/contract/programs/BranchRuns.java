package dev.gatun.test.contract.programs;

import dev.gatun.test.contract.cases.Cases;
import dev.gatun.test.contract.frame.LevelVariant;
import dev.gatun.test.contract.frame.Runs;
import dev.gatun.test.contract.frame.Subjects;
import java.util.stream.Stream;

/**
 * A program that calls the processor's kernels with the contract's cases, on each level as it is
 * and as processors have it that lack instructions, and judges nothing: for counting what the cases
 * reach, by a library that has counters. The suites hold the same cases to the reference.
 */
public final class BranchRuns {
  private BranchRuns() {}

  public static void main(String[] args) {
    Subjects.CPU.setThreads(3);
    Stream.concat(LevelVariant.whole().stream(), LevelVariant.reduced().stream())
        .forEach(
            variant -> {
              variant.choose(Subjects.CPU);
              Cases.all(40).forEach(c -> Runs.run(c, Subjects.CPU));
            });
  }
}
