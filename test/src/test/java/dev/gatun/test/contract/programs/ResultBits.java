package dev.gatun.test.contract.programs;

import dev.gatun.kernels.cpu.CpuLevel;
import dev.gatun.test.contract.cases.Cases;
import dev.gatun.test.contract.frame.Runs;
import dev.gatun.test.contract.frame.Subjects;
import java.util.Arrays;
import java.util.TreeMap;

/**
 * A program that prints a hash of the bits of each of the processor's results: a line a case and
 * level. Its argument is how many cases of a simple kernel there are.
 */
public final class ResultBits {
  private ResultBits() {}

  public static void main(String[] args) {
    Subjects.CPU.setThreads(2);
    Cases.all(Integer.parseInt(args[0]))
        .forEach(
            c -> {
              for (CpuLevel level : Subjects.levels()) {
                Subjects.CPU.setLevel(level);
                StringBuilder line = new StringBuilder(level.id());
                new TreeMap<>(Runs.run(c, Subjects.CPU))
                    .forEach((name, bits) -> line.append(' ').append(Arrays.hashCode(bits)));
                System.out.println(line + " " + c.description());
              }
            });
  }
}
