package dev.gatun.bench;

import dev.gatun.bench.generation.GenerationCase;
import dev.gatun.bench.generation.LoadingCase;
import java.util.Arrays;
import java.util.List;
import java.util.Map;

/**
 * A table of medians in Markdown. A peer's column ends with how often Gatun's time fits into its
 * own. The last one says which part of the nearer ceiling Gatun reaches; of small calls, what the
 * op and the run of a record take more than the kernel.
 */
final class Table {
  private final Results results;
  private final List<String> contenders;
  private final boolean small;
  private final String last;

  private Table(Results results) {
    this.results = results;
    this.contenders = List.copyOf(results.versions().keySet());
    this.small = contenders.contains(Contender.SMALL_KERNEL.id);
    boolean bounded =
        contenders.contains(Contender.MEMORY.id)
            || results.cases().keySet().stream().anyMatch(name -> Cost.of(name) != null);
    this.last = small ? "over the kernel: op, run" : bounded ? "of the ceiling" : null;
  }

  static String of(Results results) {
    return new Table(results).text();
  }

  private String text() {
    StringBuilder text = new StringBuilder("| case | " + String.join(" | ", contenders));
    text.append(last == null ? " |\n|---|" : " | " + last + " |\n|---|");
    text.append("---:|".repeat(contenders.size() + (last == null ? 0 : 1))).append('\n');
    results.cases().forEach((name, times) -> row(text, name, times));
    text.append(
        "\n%s, %d threads, commit %s; "
            .formatted(results.processor(), results.threads(), results.commit()));
    results
        .typicalCeilings()
        .forEach(
            (name, rate) -> text.append("%s %.0f %s; ".formatted(name, rate / 1e9, unit(name))));
    List<String> versions = results.versions().values().stream().distinct().toList();
    return text.append(String.join("; ", versions)).append(".\n").toString();
  }

  private void row(StringBuilder text, String name, Map<String, double[]> times) {
    text.append("| ").append(name);
    double[] own = times.get(Contender.GATUN.id);
    for (String id : contenders) {
      double[] other = times.get(id);
      text.append(" | ").append(shown(name, Results.median(other)));
      if (isPeer(id)) {
        text.append(" (%.2fx)".formatted(Results.ratio(other, own)));
      }
    }
    text.append(last == null ? " |\n" : " | " + last(name, times) + " |\n");
  }

  /** Whether it is a library, and neither Gatun nor a part or a bound of its time. */
  private boolean isPeer(String id) {
    return small
        ? id.equals(Contender.LIBTORCH.id)
        : !id.equals(Contender.GATUN.id) && !id.equals(Contender.MEMORY.id);
  }

  /** A time as tables show it. */
  static String time(double seconds) {
    if (seconds < 1e-5) {
      return "%.0f ns".formatted(1e9 * seconds);
    }
    if (seconds < 1e-4) {
      return "%.1f us".formatted(1e6 * seconds);
    }
    return (seconds < 0.01 ? "%.2f ms" : "%.1f ms").formatted(1000 * seconds);
  }

  /** A case's time as tables show it: of generated text as tokens a second; or its memory. */
  static String shown(String name, double seconds) {
    if (PeakMemory.isName(name)) {
      return PeakMemory.shown(seconds);
    }
    if (LoadingCase.isName(name)) {
      return LoadingCase.of(name).shown(seconds);
    }
    return GenerationCase.isName(name) ? rate(seconds) : time(seconds);
  }

  private static String rate(double seconds) {
    return (seconds > 0.1 ? "%.2f tok/s" : seconds > 0.01 ? "%.1f tok/s" : "%.0f tok/s")
        .formatted(1 / seconds);
  }

  private static String unit(String ceiling) {
    return ceiling.equals("read") || ceiling.equals("copy") ? "GB/s" : "GFLOP/s";
  }

  private String last(String name, Map<String, double[]> times) {
    double[] own = times.get(Contender.GATUN.id);
    if (small) {
      double[] kernel = times.get(Contender.SMALL_KERNEL.id);
      double[] run = times.get(Contender.SMALL_RUN.id);
      return time(Results.difference(own, kernel)) + ", " + time(Results.difference(run, kernel));
    }
    double[] memory = times.get(Contender.MEMORY.id);
    return memory == null
        ? reached(Cost.of(name), own, results.ceilings().get(name))
        : "%.0f %% of memory".formatted(100 * Results.ratio(memory, own));
  }

  private static String reached(Cost cost, double[] seconds, Map<String, double[]> ceilings) {
    if (cost == null) {
      return "";
    }
    double memory = part(cost.bytes(), seconds, ceilings.get("read"));
    double[] rates = ceilings.get(cost.ceiling());
    double arithmetic = rates == null ? 0 : part(cost.operations(), seconds, rates);
    return arithmetic > memory
        ? "%.0f %% of %s".formatted(100 * arithmetic, cost.ceiling())
        : "%.0f %% of read".formatted(100 * memory);
  }

  /** The median of the rounds' parts of a ceiling. */
  private static double part(double amount, double[] seconds, double[] rates) {
    double[] least = Arrays.stream(rates).map(rate -> amount / rate).toArray();
    return Results.ratio(least, seconds);
  }
}
