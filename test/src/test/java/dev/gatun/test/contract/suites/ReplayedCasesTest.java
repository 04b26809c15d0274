package dev.gatun.test.contract.suites;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.gatun.kernels.api.call.KernelCall;
import dev.gatun.kernels.api.device.Replay;
import dev.gatun.kernels.cpu.CpuLevel;
import dev.gatun.test.contract.cases.Cases;
import dev.gatun.test.contract.frame.Case;
import dev.gatun.test.contract.frame.Runs;
import dev.gatun.test.contract.frame.Subjects;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;

/**
 * Every kernel on the processor, recorded and replayed after all others were recorded: the bits of
 * a call that was made at once.
 */
final class ReplayedCasesTest {
  private record Recorded(Case of, Runs.Placed placed, Replay replay) {}

  @BeforeAll
  static void isAskedFor() {
    Subjects.assumeBackend("cpu");
  }

  @AfterAll
  static void restore() {
    Subjects.CPU.setLevel(Subjects.levels().getLast());
  }

  @Test
  void replays_give_the_bits_of_calls() {
    List<Recorded> all = new ArrayList<>();
    Cases.all(6).forEach(c -> all.add(record(c)));
    assertTrue(all.size() > 100, "cases");
    List<CpuLevel> levels = Subjects.levels();
    for (int i = 0; i < all.size(); i++) {
      // A recording holds calls, not a level's kernels.
      Subjects.CPU.setLevel(levels.get(i % levels.size()));
      Recorded recorded = all.get(i);
      Map<String, int[]> want = Runs.run(recorded.of, Subjects.CPU);
      recorded.replay.run();
      Map<String, int[]> got = recorded.placed.results();
      recorded.replay.close();
      recorded.placed.close();
      assertEquals(want.keySet(), got.keySet());
      want.forEach((name, bits) -> assertArrayEquals(bits, got.get(name), recorded.of + name));
    }
    assertEquals(0, Subjects.CPU.memory().allocatedBytes(), "memory is given back");
  }

  /** Records a case's call without making it, for some change what they read. */
  private static Recorded record(Case c) {
    Runs.Placed placed = Runs.Placed.of(c, Subjects.CPU, false);
    KernelCall call = placed.call();
    int[] runs = {0};
    Replay replay =
        Subjects.CPU.capture(
            () -> {
              if (runs[0]++ == 1) {
                Subjects.CPU.kernels().run(call);
              }
            });
    return new Recorded(c, placed, replay);
  }
}
