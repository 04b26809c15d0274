package dev.gatun.bench.gpu;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.gatun.kernels.api.device.Backend;
import dev.gatun.kernels.api.device.Devices;
import dev.gatun.kernels.api.device.Replay;
import java.io.IOException;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/**
 * A program that times kernels on the first CUDA device: reads rows of {@code shapes.json} as
 * lines, and answers each, as {@link Answers} says, with the seconds of a call for every way to
 * submit it. What a row needs is made when it is first asked for, and kept until another one is.
 */
public final class GpuTimings implements AutoCloseable {
  private static final double LEAST_SECONDS = 0.02;
  // Copies of the operands, so that a call finds none of its own in the second-level cache.
  private static final long ROTATED_BYTES = 200L << 20;
  private static final int MOST_COPIES = 16;
  // Calls that are submitted as one, so that a short one is timed and not its submission.
  private static final int TOGETHER = 64;

  private final String name;
  private final Backend backend = Devices.open("cuda", 0);
  private final List<GpuRow> copies = new ArrayList<>();
  private final Map<String, Recorded> recorded = new LinkedHashMap<>();
  private JsonNode row;

  /**
   * A way to submit a row's calls, recorded.
   *
   * @param together the calls of a replay
   */
  private record Recorded(Replay replay, int together) {}

  private GpuTimings(String name) {
    this.name = name;
  }

  /**
   * Answers until the input ends.
   *
   * @param arguments the contender's name
   */
  public static void main(String[] arguments) throws IOException {
    try (GpuTimings timings = new GpuTimings(arguments[0])) {
      Answers.give(timings.name, timings.backend.description(), timings::answer);
    }
  }

  private void answer(JsonNode asked, Answers answers) {
    if (!asked.equals(row)) {
      forget();
      copies.add(new GpuRow(backend, asked, 0));
      long bytes = copies.getFirst().bytes();
      while (copies.size() * bytes < ROTATED_BYTES && copies.size() < MOST_COPIES) {
        copies.add(new GpuRow(backend, asked, copies.size()));
      }
      row = asked;
    }
    for (String way : copies.getFirst().call().ways().keySet()) {
      answers.measure(name + way, answer -> time(way, answer));
    }
  }

  private void time(String way, ObjectNode answer) {
    Recorded work = recorded.computeIfAbsent(way, this::record);
    copies.forEach(GpuRow::poison);
    long replays = 1;
    batch(work.replay(), replays);
    double seconds = batch(work.replay(), replays);
    while (seconds < LEAST_SECONDS && replays < 1 << 12) {
      replays *= 2;
      seconds = batch(work.replay(), replays);
    }
    Check check = new Check();
    copies.getFirst().call().check().accept(check);
    if (copies.size() > 1) {
      copies.getLast().call().check().accept(check);
    }
    answer.put("error", check.worst());
    if (!check.isRight()) {
      answer.put("wrong", check.worstResult());
      return;
    }
    long calls = replays * work.together();
    answer.put("seconds", seconds / calls).put("bytes", copies.getFirst().bytes());
    answer.put("calls", calls);
  }

  private Recorded record(String way) {
    List<Runnable> calls = copies.stream().map(c -> c.call().ways().get(way)).toList();
    // The first time kernels are loaded.
    submitted(calls);
    double round = submitted(calls);
    int most = Math.ceilDiv(TOGETHER, calls.size());
    int rounds = (int) Math.max(1, Math.min(most, Math.ceil(LEAST_SECONDS / round)));
    Runnable work =
        () -> {
          for (int i = 0; i < rounds; i++) {
            calls.forEach(Runnable::run);
          }
        };
    return new Recorded(backend.capture(work), rounds * calls.size());
  }

  /** The seconds of every copy's call, submitted one by one. */
  private double submitted(List<Runnable> calls) {
    copies.getFirst().await();
    long start = System.nanoTime();
    calls.forEach(Runnable::run);
    copies.getFirst().await();
    return (System.nanoTime() - start) * 1e-9;
  }

  /** The seconds of so many replays in a row. */
  private double batch(Replay replay, long replays) {
    copies.getFirst().await();
    long start = System.nanoTime();
    for (long i = 0; i < replays; i++) {
      replay.run();
    }
    copies.getFirst().await();
    return (System.nanoTime() - start) * 1e-9;
  }

  private void forget() {
    row = null;
    recorded.values().forEach(r -> r.replay().close());
    recorded.clear();
    copies.forEach(GpuRow::close);
    copies.clear();
  }

  @Override
  public void close() {
    forget();
  }
}
