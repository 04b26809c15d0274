package dev.gatun.kernels.api.device;

import java.util.Collection;
import java.util.List;
import java.util.SortedSet;
import java.util.TreeSet;

/**
 * The properties of the Java machine that some part of Gatun reads, so that one which nobody reads
 * is told: a misspelt setting would else do nothing, without a word.
 */
final class Settings {
  static final SortedSet<String> NAMES =
      new TreeSet<>(
          List.of(
              "gatun.backend",
              "gatun.cache",
              "gatun.cpu.level",
              "gatun.cpu.library",
              "gatun.cpu.threads",
              "gatun.cuda.cublaslt",
              "gatun.cuda.driver",
              "gatun.cuda.images",
              "gatun.cuda.multiprocessors",
              "gatun.cuda.pool",
              "gatun.cuda.tf32",
              "gatun.djl.pytorch",
              "gatun.gguf.pre",
              "gatun.strict",
              "gatun.terminals"));

  private static final String OURS = "gatun.";

  /** Those of test suites and benchmarks, which are no part of the library. */
  private static final List<String> OTHERS = List.of("gatun.test.", "gatun.bench.");

  private Settings() {}

  /**
   * {@return a line for each property that begins as Gatun's do and is none of them, in the order
   * of their names}
   *
   * @param given the names of all properties
   */
  static List<String> notices(Collection<String> given) {
    return given.stream()
        .filter(name -> name.startsWith(OURS) && !NAMES.contains(name))
        .filter(name -> OTHERS.stream().noneMatch(name::startsWith))
        .sorted()
        .map(
            name ->
                "gatun: -D%s is no setting and does nothing; there are %s"
                    .formatted(name, String.join(", ", NAMES)))
        .toList();
  }
}
