package dev.gatun.test.contract.programs;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;

import dev.gatun.test.contract.cases.Cases;
import dev.gatun.test.contract.frame.Case;
import dev.gatun.test.contract.frame.LevelVariant;
import dev.gatun.test.contract.frame.Runs;
import dev.gatun.test.contract.frame.Subjects;
import dev.gatun.test.contract.frame.Tolerance;
import java.util.List;
import java.util.Map;
import java.util.stream.Stream;

/**
 * A program: the contract's cases on the levels of the library that {@code gatun.cpu.library}
 * names, which runs elsewhere. Arguments: how many random cases to make of each kernel, and of how
 * many of them all to run one.
 */
public final class NeonRuns {
  private NeonRuns() {}

  public static void main(String[] args) {
    int every = Integer.parseInt(args[1]);
    List<Case> cases = Cases.all(Integer.parseInt(args[0])).toList();
    List<LevelVariant> variants =
        Stream.concat(LevelVariant.whole().stream(), LevelVariant.reduced().stream()).toList();
    System.out.println("levels: " + variants);
    int checks = 0;
    int failed = 0;
    for (int i = 0; i < cases.size(); i += every) {
      Case c = cases.get(i);
      Runs.References references = Runs.references(c);
      for (LevelVariant variant : variants) {
        variant.choose(Subjects.CPU);
        try {
          Subjects.CPU.setThreads(1);
          Map<String, int[]> got = Runs.run(c, Subjects.CPU);
          Tolerance.check(c, references, got);
          Subjects.CPU.setThreads(3);
          Map<String, int[]> again = Runs.run(c, Subjects.CPU);
          got.forEach(
              (name, bits) -> assertArrayEquals(bits, again.get(name), name + ": 3 threads"));
        } catch (AssertionError | RuntimeException e) {
          failed++;
          System.out.println("failed: " + variant + ": " + c + ": " + e.getMessage());
        }
        checks++;
      }
    }
    System.out.println("checks: " + checks + ", failed: " + failed);
  }
}
