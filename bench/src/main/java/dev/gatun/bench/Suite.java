package dev.gatun.bench;

import java.util.List;

/**
 * What is measured together.
 *
 * @param cases run in processes that stay
 * @param cold cases that are also measured from the start of a process
 */
record Suite(String name, List<String> cases, List<String> cold) {
  static final List<Suite> ALL =
      List.of(
          new Suite("main-job", List.of(Work.MAIN_JOB), List.of(Work.MAIN_JOB)),
          new Suite("minilm", List.of("32x128", "1x16", "1x128", "ragged-32"), List.of()));

  static Suite of(String name) {
    return ALL.stream()
        .filter(suite -> suite.name.equals(name))
        .findAny()
        .orElseThrow(
            () ->
                new IllegalArgumentException(
                    "suite '%s': expected one of %s"
                        .formatted(name, ALL.stream().map(Suite::name).toList())));
  }
}
