package dev.gatun.bench.gpu;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.gatun.kernels.api.device.Backend;
import dev.gatun.kernels.api.device.Devices;
import dev.gatun.kernels.api.device.Replay;
import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStreamReader;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;

/**
 * A program that times kernels on the first CUDA device: reads rows of {@code shapes.json} as
 * lines, and answers each with a line of seconds a call, or of what went wrong.
 */
public final class GpuTimings {
  private static final double LEAST_SECONDS = 0.02;
  // Copies of the operands, so that a call finds none of its own in the second-level cache.
  private static final long ROTATED_BYTES = 200L << 20;
  private static final int MOST_COPIES = 16;
  // Calls that are submitted as one, so that a short one is timed and not its submission.
  private static final int TOGETHER = 64;

  private GpuTimings() {}

  /** Answers until the input ends. */
  public static void main(String[] arguments) throws IOException {
    Backend backend = Devices.open("cuda", 0);
    ObjectMapper mapper = new ObjectMapper();
    BufferedReader in =
        new BufferedReader(new InputStreamReader(System.in, StandardCharsets.UTF_8));
    System.out.println(
        mapper.createObjectNode().put("ready", "gatun").put("device", backend.description()));
    for (String line = in.readLine(); line != null; line = in.readLine()) {
      JsonNode row = mapper.readTree(line);
      ObjectNode answer = mapper.createObjectNode();
      try {
        time(backend, row, answer);
      } catch (RuntimeException | OutOfMemoryError e) {
        answer.put("error", e.toString());
      }
      System.out.println(answer);
      System.out.flush();
    }
  }

  private static void time(Backend backend, JsonNode row, ObjectNode answer) {
    List<GpuRow> copies = new ArrayList<>();
    try {
      copies.add(new GpuRow(backend, row));
      long bytes = copies.getFirst().bytes();
      while (copies.size() * bytes < ROTATED_BYTES && copies.size() < MOST_COPIES) {
        copies.add(new GpuRow(backend, row));
      }
      // The first time kernels are loaded.
      submitted(copies, 1);
      double round = submitted(copies, 1);
      int most = Math.ceilDiv(TOGETHER, copies.size());
      int rounds = (int) Math.max(1, Math.min(most, Math.ceil(LEAST_SECONDS / round)));
      int together = rounds * copies.size();
      Runnable work = () -> submit(copies, rounds);
      try (Replay replay = backend.capture(work)) {
        long replays = 1;
        batch(copies.getFirst(), replay, replays);
        double seconds = batch(copies.getFirst(), replay, replays);
        while (seconds < LEAST_SECONDS && replays < 1 << 12) {
          replays *= 2;
          seconds = batch(copies.getFirst(), replay, replays);
        }
        long calls = replays * together;
        answer.put("seconds", seconds / calls).put("bytes", bytes).put("calls", calls);
      }
    } finally {
      copies.forEach(GpuRow::close);
    }
  }

  /** Submits every copy's call, so many times in turn. */
  private static void submit(List<GpuRow> copies, int rounds) {
    for (int i = 0; i < rounds; i++) {
      copies.forEach(GpuRow::run);
    }
  }

  /** The seconds of that. */
  private static double submitted(List<GpuRow> copies, int rounds) {
    copies.getFirst().await();
    long start = System.nanoTime();
    submit(copies, rounds);
    copies.getFirst().await();
    return (System.nanoTime() - start) * 1e-9;
  }

  /** The seconds of so many replays in a row. */
  private static double batch(GpuRow row, Replay replay, long replays) {
    row.await();
    long start = System.nanoTime();
    for (long i = 0; i < replays; i++) {
      replay.run();
    }
    row.await();
    return (System.nanoTime() - start) * 1e-9;
  }
}
