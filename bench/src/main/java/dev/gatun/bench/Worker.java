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
 * once and ends. Else it answers lines: {@code run CASE ITERATIONS} with the seconds of each
 * iteration, {@code vectors CASE} with the numbers, {@code version} with the library's.
 */
final class Worker {
  private Worker() {}

  public static void main(String[] args) throws Exception {
    // Libraries may print; only answers go to the driver.
    PrintStream answers = System.out;
    System.setOut(System.err);
    Path model = Path.of(args[2]);
    try (Embedder embedder = Contender.valueOf(args[0]).open(model, Integer.parseInt(args[1]))) {
      if (args.length > 3) {
        answers.println(text(Work.of(args[3], model).run(embedder)));
        return;
      }
      Map<String, Work> work = new HashMap<>();
      BufferedReader orders =
          new BufferedReader(new InputStreamReader(System.in, StandardCharsets.UTF_8));
      for (String order = orders.readLine(); order != null; order = orders.readLine()) {
        String[] words = order.split(" ");
        if (words.length > 1 && !work.containsKey(words[1])) {
          work.put(words[1], Work.of(words[1], model));
        }
        answers.println(
            switch (words[0]) {
              case "version" -> embedder.version();
              case "vectors" -> text(work.get(words[1]).run(embedder));
              default -> times(work.get(words[1]), embedder, Integer.parseInt(words[2]));
            });
        answers.flush();
      }
    }
  }

  private static String times(Work work, Embedder embedder, int iterations) throws Exception {
    double[] seconds = new double[iterations];
    for (int i = 0; i < iterations; i++) {
      long start = System.nanoTime();
      work.run(embedder);
      seconds[i] = (System.nanoTime() - start) / 1e9;
    }
    return IntStream.range(0, iterations)
        .mapToObj(i -> Double.toString(seconds[i]))
        .collect(Collectors.joining(" "));
  }

  private static String text(float[][] vectors) {
    StringBuilder text = new StringBuilder();
    for (float[] vector : vectors) {
      for (float x : vector) {
        text.append(x).append(' ');
      }
    }
    return text.toString().strip();
  }
}
