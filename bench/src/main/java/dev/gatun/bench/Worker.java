package dev.gatun.bench;

import java.io.BufferedReader;
import java.io.InputStreamReader;
import java.io.PrintStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.HashMap;
import java.util.Map;
import java.util.stream.Collectors;
import java.util.stream.IntStream;

/**
 * A contender's process: {@code Worker CONTENDER THREADS MODEL [CASE]}. With a case it runs that
 * once and ends. Else it answers lines: {@code run CASE ITERATIONS} with the seconds of a call in
 * each iteration, {@code vectors CASE} with the numbers, {@code version} with the library's.
 */
final class Worker {
  private Worker() {}

  public static void main(String[] args) throws Exception {
    // Libraries may print; only answers go to the driver.
    PrintStream answers = System.out;
    System.setOut(System.err);
    Path model = Path.of(args[2]);
    Contender contender = Contender.valueOf(args[0]);
    int threads = Integer.parseInt(args[1]);
    try (Subject subject = contender.open(model, threads)) {
      if (args.length > 3) {
        answers.println(text(subject.task(args[3]).result()));
        return;
      }
      Map<String, Subject.Task> tasks = new HashMap<>();
      BufferedReader orders =
          new BufferedReader(new InputStreamReader(System.in, StandardCharsets.UTF_8));
      for (String order = orders.readLine(); order != null; order = orders.readLine()) {
        String[] words = order.split(" ");
        if (words.length > 1 && !tasks.containsKey(words[1])) {
          tasks.clear(); // of another case, whose memory goes with it
          tasks.put(words[1], task(subject, contender, threads, model, words[1]));
        }
        answers.println(
            switch (words[0]) {
              case "version" -> subject.version();
              case "vectors" -> text(tasks.get(words[1]).result());
              default -> times(tasks.get(words[1]), Integer.parseInt(words[2]));
            });
        answers.flush();
      }
    }
  }

  private static Subject.Task task(
      Subject subject, Contender contender, int threads, Path model, String name) throws Exception {
    if (Crowd.isName(name)) {
      return new Crowd(contender, threads, model, name);
    }
    return PeakMemory.isName(name)
        ? new PeakMemory(contender, threads, model, name)
        : subject.task(name);
  }

  private static String times(Subject.Task task, int iterations) throws Exception {
    double[] seconds = new double[iterations];
    for (int i = 0; i < iterations; i++) {
      seconds[i] = task.seconds();
    }
    return IntStream.range(0, iterations)
        .mapToObj(i -> Double.toString(seconds[i]))
        .collect(Collectors.joining(" "));
  }

  private static String text(float[] numbers) {
    StringBuilder text = new StringBuilder();
    for (float x : numbers) {
      text.append(x).append(' ');
    }
    return text.toString().strip();
  }
}
