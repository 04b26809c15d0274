package dev.gatun.test.mutations;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.ArrayBlockingQueue;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.stream.IntStream;
import java.util.stream.Stream;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/**
 * Whether the tests notice faults: each of {@code test/mutations} is planted in a copy of its file,
 * and its test must fail then, as it must pass without. {@code -Dgatun.test.mutation=TEXT} leaves
 * those whose file or title has a text in it, {@code -Dgatun.test.mutation.part=0/2} every second
 * one from the first on, {@code 1/2} the others.
 */
final class MutationsTest {
  private static final Path LISTS = Path.of("mutations");
  private static final String PART = "gatun.test.mutation.part";
  private static final int LEAST = 80;

  @Test
  void every_fault_has_its_place() throws Exception {
    for (Mutation m : Mutation.all(LISTS)) {
      assertFalse(m.applied().isEmpty(), m.toString());
      assertFalse(m.from().equals(m.to()), m.toString());
    }
  }

  @Test
  @Tag("full")
  void each_fault_is_noticed(@TempDir Path folder) throws Exception {
    String wanted = System.getProperty("gatun.test.mutation", "");
    List<Mutation> faults =
        part(Mutation.all(LISTS)).stream().filter(m -> m.toString().contains(wanted)).toList();
    assertTrue(faults.size() >= LEAST || !wanted.isEmpty(), "there are " + faults.size());
    faults.stream()
        .filter(m -> !m.isReached())
        .forEach(m -> System.out.println("left out, for want of " + m.needs() + ": " + m));
    faults = faults.stream().filter(Mutation::isReached).toList();
    // One of each class is enough: the tests themselves run elsewhere.
    Map<String, Mutation> tests = new LinkedHashMap<>();
    faults.forEach(m -> tests.putIfAbsent(m.module() + m.test(), m.baseline()));
    List<String> wrong =
        run(Stream.concat(tests.values().stream(), faults.stream()).toList(), folder);
    assertEquals(List.of(), wrong);
  }

  private static List<Mutation> part(List<Mutation> all) {
    String[] part = System.getProperty(PART, "0/1").split("/");
    int first = Integer.parseInt(part[0]);
    int step = Integer.parseInt(part[1]);
    return IntStream.range(0, all.size())
        .filter(i -> i % step == first)
        .mapToObj(all::get)
        .toList();
  }

  private static List<String> run(List<Mutation> all, Path folder) throws Exception {
    int workers = Math.max(1, Runtime.getRuntime().availableProcessors());
    BlockingQueue<Workshop> free = new ArrayBlockingQueue<>(workers);
    for (int i = 0; i < workers; i++) {
      free.add(new Workshop(folder.resolve("workshop-" + i)));
    }
    List<Future<String>> outcomes = new ArrayList<>();
    try (ExecutorService threads = Executors.newFixedThreadPool(workers)) {
      for (Mutation m : all) {
        outcomes.add(threads.submit(() -> one(m, free)));
      }
    }
    List<String> wrong = new ArrayList<>();
    for (Future<String> outcome : outcomes) {
      if (outcome.get() != null) {
        wrong.add(outcome.get());
      }
    }
    return wrong;
  }

  /** What is wrong, or null. */
  private static String one(Mutation m, BlockingQueue<Workshop> free) throws Exception {
    Workshop workshop = free.take();
    long start = System.nanoTime();
    try {
      Workshop.Outcome outcome = workshop.run(m);
      boolean fault = !m.file().isEmpty();
      String what = fault ? m.toString() : m.test() + " " + m.properties();
      System.out.printf(
          "%s %5.1f s  %s: %s%n",
          outcome.noticed() ? "fails " : "passes",
          (System.nanoTime() - start) / 1e9,
          what,
          outcome.how().substring(0, Math.min(160, outcome.how().length())));
      if (outcome.noticed() == fault) {
        return null;
      }
      return fault
          ? what + ": " + m.test() + " does not notice it"
          : what + " fails without a fault: " + outcome.how();
    } finally {
      free.add(workshop);
    }
  }
}
