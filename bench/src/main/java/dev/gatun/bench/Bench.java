package dev.gatun.bench;

import dev.gatun.bench.generation.LlamaCppFiles;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Instant;
import java.time.temporal.ChronoUnit;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.Callable;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import picocli.CommandLine;
import picocli.CommandLine.Command;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.ParameterException;
import picocli.CommandLine.Parameters;
import picocli.CommandLine.Spec;

/**
 * Measures the contenders beside each other. Each has a process of its own that rests while others
 * work; in every round each takes one turn, and the order turns too. A turn's time is the median of
 * its iterations.
 */
@Command(
    name = "bench/run.sh",
    mixinStandardHelpOptions = true,
    sortOptions = false,
    description = "Times Gatun beside its peers and keeps the results under bench/results.")
final class Bench implements Callable<Integer> {
  private static final double TURN_SECONDS = 0.4;
  private static final double WARM_SECONDS = 3 * TURN_SECONDS;
  private static final Path FOLDER = Path.of("bench/results");

  /** Suites whose turns take many seconds. */
  private static final Set<String> LONG = Set.of("training", "gguf");

  @Parameters(
      paramLabel = "SUITE",
      description =
          "main-job, minilm, djl, djl-arrays, attention, matmul, experts, rows, gradients,"
              + " gradient-rows, generate, gguf, loading, seq2seq, training or small-calls; 'table'"
              + " writes the READMEs' tables and the plots again.")
  private String suiteName;

  @Option(
      names = "--rounds",
      description =
          "Turns of each contender: 11, of training and gguf 5, whose turns take seconds.")
  private Integer rounds;

  @Option(names = "--threads", defaultValue = "2", description = "Threads of each contender.")
  private int threads;

  @Option(
      names = "--case",
      paramLabel = "TEXT",
      description = "Only cases whose name contains this; the results are not kept.")
  private String only;

  @Option(
      names = "--llama-cpp",
      paramLabel = "DIR",
      description = "A folder with llama.cpp's libraries, in place of the npm package's.")
  private Path llamaCpp;

  @Spec private CommandSpec spec;

  private List<Contender> contenders;
  private Ceilings machine;
  private final Map<String, Map<String, double[]>> ceilings = Results.noCases();
  private final Map<String, Map<String, double[]>> cases = Results.noCases();

  public static void main(String[] args) {
    System.exit(new CommandLine(new Bench()).execute(args));
  }

  @Override
  public Integer call() throws Exception {
    rounds = rounds == null ? LONG.contains(suiteName) ? 5 : 11 : rounds;
    if (rounds < 1 || threads < 1) {
      throw wrong("--rounds is %d and --threads %d, expected 1 or more".formatted(rounds, threads));
    }
    if (!suiteName.equals("table")) {
      Suite suite;
      try {
        suite = Suite.of(suiteName);
      } catch (IllegalArgumentException e) {
        throw wrong(e.getMessage());
      }
      measure(suite);
    }
    writeTables();
    return 0;
  }

  private ParameterException wrong(String message) {
    return new ParameterException(spec.commandLine(), message);
  }

  private void measure(Suite suite) throws Exception {
    if (llamaCpp != null) {
      System.setProperty(LlamaCppFiles.SETTING, llamaCpp.toString());
    }
    if (wanted(suite.cases()).isEmpty()) {
      throw wrong("--case is %s, expected a part of one of %s".formatted(only, suite.cases()));
    }
    contenders = new ArrayList<>();
    for (Contender contender : suite.contenders()) {
      String missing = contender.missing();
      if (missing == null) {
        contenders.add(contender);
      } else {
        System.out.printf("%s is left out: %s%n", contender.id, missing);
      }
    }
    machine = new Ceilings(threads);
    Path model = Model.unpack(Path.of("bench/target/model"));
    Map<Contender, WorkerProcess> processes = new LinkedHashMap<>();
    Map<String, String> versions = new LinkedHashMap<>();
    try {
      for (Contender contender : contenders) {
        WorkerProcess process = new WorkerProcess(contender, threads, model);
        processes.put(contender, process);
        versions.put(contender.id, process.version());
      }
      for (String name : wanted(suite.cases())) {
        compare(name, processes);
        warm(name, processes);
      }
    } finally {
      processes.values().forEach(WorkerProcess::close);
    }
    for (String name : wanted(suite.cold())) {
      for (Contender contender : contenders) {
        WorkerProcess.once(contender, threads, model, name); // builds what is not built yet
      }
      rounds(
          name + " from the start of the process",
          contender -> WorkerProcess.once(contender, threads, model, name));
    }
    Results results =
        new Results(
            suite.name(),
            Instant.now().truncatedTo(ChronoUnit.SECONDS).toString(),
            output("git", "rev-parse", "--short", "HEAD"),
            processor(),
            threads,
            versions,
            ceilings,
            cases);
    if (only == null) {
      Files.createDirectories(FOLDER);
      results.write(FOLDER.resolve(suite.name() + ".json"));
    }
    System.out.print(Table.of(results));
  }

  private List<String> wanted(List<String> names) {
    return names.stream().filter(name -> only == null || name.contains(only)).toList();
  }

  /** Fails unless all contenders compute the same. */
  private static void compare(String name, Map<Contender, WorkerProcess> processes)
      throws IOException {
    double[] first = null;
    for (Map.Entry<Contender, WorkerProcess> entry : processes.entrySet()) {
      if (!entry.getKey().computes()) {
        continue;
      }
      double[] vectors = entry.getValue().vectors(name);
      first = first == null ? vectors : first;
      double cosine = cosine(first, vectors);
      double difference = difference(first, vectors);
      Contender contender = entry.getKey();
      System.out.printf(
          "%s: %s, cosine %.6f, difference %.2g%n", name, contender.id, cosine, difference);
      if (!(cosine >= contender.leastCosine() && difference <= contender.mostDifference())) {
        throw new IOException(
            "case %s: %s differs, cosine %.6f, difference %.2g"
                .formatted(name, contender.id, cosine, difference));
      }
    }
  }

  private static double cosine(double[] a, double[] b) {
    double ab = 0;
    double aa = 0;
    double bb = 0;
    for (int i = 0; i < a.length; i++) {
      ab += a[i] * b[i];
      aa += a[i] * a[i];
      bb += b[i] * b[i];
    }
    return a.length == b.length ? ab / Math.sqrt(aa * bb) : Double.NaN;
  }

  /** The largest, of the largest number of the first. */
  private static double difference(double[] a, double[] b) {
    double most = 0;
    double largest = 0;
    for (int i = 0; i < a.length; i++) {
      most = Math.max(most, Math.abs(a[i] - b[i]));
      largest = Math.max(largest, Math.abs(a[i]));
    }
    return most / largest;
  }

  private void warm(String name, Map<Contender, WorkerProcess> processes) throws Exception {
    Map<Contender, Integer> iterations = new LinkedHashMap<>();
    for (Map.Entry<Contender, WorkerProcess> entry : processes.entrySet()) {
      // By the time of each part: a first call says little of those that a compiler has seen.
      double each = wall(entry.getValue(), name, 1);
      // What takes longer than a turn by itself is warm sooner.
      int least = each > TURN_SECONDS ? 1 : 3;
      double spent = 0;
      do {
        int some = (int) Math.clamp(TURN_SECONDS / each, least, 5000);
        each = wall(entry.getValue(), name, some) / some;
        spent += each * some;
      } while (spent < WARM_SECONDS);
      iterations.put(entry.getKey(), (int) Math.clamp(TURN_SECONDS / each, 1, 5000));
    }
    rounds(
        name,
        contender -> Results.median(processes.get(contender).run(name, iterations.get(contender))));
  }

  private static double wall(WorkerProcess process, String name, int iterations)
      throws IOException {
    long start = System.nanoTime();
    process.run(name, iterations);
    return (System.nanoTime() - start) / 1e9;
  }

  private interface Turn {
    double seconds(Contender contender) throws Exception;
  }

  private void rounds(String name, Turn turn) throws Exception {
    Map<String, double[]> times = new LinkedHashMap<>();
    contenders.forEach(contender -> times.put(contender.id, new double[rounds]));
    Map<String, double[]> rates = new LinkedHashMap<>();
    List<Contender> order = new ArrayList<>(contenders);
    for (int round = 0; round < rounds; round++) {
      Rest.await();
      for (Map.Entry<String, Double> rate : machine.measure().entrySet()) {
        rates.computeIfAbsent(rate.getKey(), _ -> new double[rounds])[round] = rate.getValue();
      }
      for (Contender contender : order) {
        Rest.await();
        times.get(contender.id)[round] = turn.seconds(contender);
      }
      Collections.rotate(order, 1);
    }
    ceilings.put(name, rates);
    cases.put(name, times);
  }

  /** Writes the tables of the READMEs, and the plots beside the results. */
  private static void writeTables() throws IOException {
    Map<String, Results> measured = new LinkedHashMap<>();
    for (Suite suite : Suite.ALL) {
      Path file = FOLDER.resolve(suite.name() + ".json");
      if (Files.exists(file)) {
        Results results = Results.read(file);
        measured.put(suite.name(), results);
        Files.writeString(FOLDER.resolve(suite.name() + ".svg"), Plot.of(results));
      }
    }
    for (Path file : List.of(Path.of("README.md"), Path.of("bench/README.md"))) {
      String text = Files.readString(file);
      for (Map.Entry<String, Results> entry : measured.entrySet()) {
        text =
            Pattern.compile("(<!-- " + entry.getKey() + " -->\n).*?(<!-- end -->)", Pattern.DOTALL)
                .matcher(text)
                .replaceFirst("$1" + Matcher.quoteReplacement(Table.of(entry.getValue())) + "$2");
      }
      Files.writeString(file, text);
    }
  }

  /** Name, family and model, which tell generations with the same name apart. */
  private static String processor() throws IOException {
    Map<String, String> facts = new LinkedHashMap<>();
    for (String line : Files.readAllLines(Path.of("/proc/cpuinfo"))) {
      int colon = line.indexOf(':');
      if (colon > 0) {
        facts.putIfAbsent(line.substring(0, colon).strip(), line.substring(colon + 1).strip());
      }
    }
    if (facts.containsKey("model name")) {
      return "%s (family %s, model %s)"
          .formatted(facts.get("model name"), facts.get("cpu family"), facts.get("model"));
    }
    return "%s (implementer %s, part %s)"
        .formatted(
            System.getProperty("os.arch"), facts.get("CPU implementer"), facts.get("CPU part"));
  }

  private static String output(String... command) throws IOException {
    Process process = new ProcessBuilder(Arrays.asList(command)).start();
    return new String(process.getInputStream().readAllBytes(), StandardCharsets.UTF_8).strip();
  }
}
