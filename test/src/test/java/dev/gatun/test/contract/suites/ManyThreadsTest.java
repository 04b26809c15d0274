package dev.gatun.test.contract.suites;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;

import dev.gatun.kernels.api.device.Backend;
import dev.gatun.test.contract.cases.Cases;
import dev.gatun.test.contract.frame.Case;
import dev.gatun.test.contract.frame.Races;
import dev.gatun.test.contract.frame.Runs;
import dev.gatun.test.contract.frame.Subjects;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/** Many Java threads share the kernels and get the same bits. */
final class ManyThreadsTest {
  static Stream<Backend> backends() {
    return Stream.of(Subjects.CPU, Subjects.EXACT);
  }

  @ParameterizedTest
  @MethodSource("backends")
  void a_thousand_virtual_threads_get_the_same_bits(Backend backend) throws Exception {
    List<Case> cases = Cases.all(2).toList();
    List<Map<String, int[]>> expected = cases.stream().map(c -> Runs.run(c, backend)).toList();
    List<Future<?>> futures = new ArrayList<>();
    try (ExecutorService threads = Executors.newVirtualThreadPerTaskExecutor()) {
      for (int i = 0; i < 1000; i++) {
        int which = i % cases.size();
        futures.add(threads.submit(() -> same(cases.get(which), expected.get(which), backend)));
      }
    }
    for (Future<?> future : futures) {
      future.get();
    }
  }

  private static void same(Case c, Map<String, int[]> expected, Backend backend) {
    Runs.run(c, backend)
        .forEach((name, bits) -> assertArrayEquals(expected.get(name), bits, c + ": " + name));
  }

  @Test
  void a_buffer_that_is_closed_while_kernels_use_it_is_an_exception() throws Exception {
    List<Future<?>> futures = new ArrayList<>();
    try (ExecutorService threads = Executors.newVirtualThreadPerTaskExecutor()) {
      for (int i = 0; i < 200; i++) {
        futures.add(threads.submit(() -> Races.closeWhileRunning(Subjects.CPU)));
      }
    }
    for (Future<?> future : futures) {
      future.get();
    }
  }
}
