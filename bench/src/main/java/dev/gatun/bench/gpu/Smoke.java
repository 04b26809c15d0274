package dev.gatun.bench.gpu;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import dev.gatun.kernels.api.device.Backend;
import dev.gatun.kernels.api.device.Devices;
import dev.gatun.kernels.api.device.Replay;
import dev.gatun.tensor.Device;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;

/**
 * A program that runs single calls on the first CUDA device, rows of {@code shapes.json}, and
 * compares results with the host's. Each row begins with a line {@code begin ID}, and ends with
 * {@code right ID}, or {@code failed: ID} and why.
 */
public final class Smoke {
  private static final double ENCODER_BOUND = 1e-4;
  private static final int REPLAYS = 3;

  private Smoke() {}

  /**
   * @param rows as JSON, each with an id; {@code replay} records the call as a graph first, and the
   *     kernel {@code encoder} is compared with the processor's
   */
  public static void main(String[] rows) throws IOException {
    boolean right = true;
    for (String text : rows) {
      JsonNode row = new ObjectMapper().readTree(text);
      String id = row.get("id").asText();
      System.out.println("begin " + id);
      String problem;
      try {
        problem = row.get("kernel").asText().equals("encoder") ? encoder(row) : kernel(row);
      } catch (RuntimeException | OutOfMemoryError e) {
        problem = e.toString();
      }
      System.out.println(problem == null ? "right " + id : "failed: " + id + " " + problem);
      right &= problem == null;
    }
    System.exit(right ? 0 : 1);
  }

  /** What is wrong; null where nothing is. */
  private static String kernel(JsonNode row) {
    Backend backend = Devices.open("cuda", 0);
    try (GpuRow one = new GpuRow(backend, row, 0)) {
      for (Runnable call : one.call().ways().values()) {
        one.poison();
        if (compare(one).isRight()) {
          return "outputs that nothing has written are taken for right";
        }
        if (row.path("replay").asBoolean()) {
          try (Replay replay = backend.capture(call)) {
            one.poison();
            for (int i = 0; i < REPLAYS; i++) {
              replay.run();
            }
            one.await();
          }
        } else {
          call.run();
        }
        Check check = compare(one);
        if (!check.isRight()) {
          return "errs by %.3g of what is allowed: %s"
              .formatted(check.worst(), check.worstResult());
        }
      }
      return null;
    }
  }

  private static Check compare(GpuRow row) {
    Check check = new Check();
    row.call().check().accept(check);
    return check;
  }

  private static String encoder(JsonNode row) throws IOException {
    Path folder = Files.createTempDirectory("gatun-smoke");
    try (EncoderRow cuda = new EncoderRow(Device.of("cuda"), folder, row);
        EncoderRow cpu = new EncoderRow(Device.cpu(), folder, row)) {
      double apart = EncoderRow.difference(cuda.hidden(), cpu.hidden());
      return apart <= ENCODER_BOUND
          ? null
          : "is %.3g of its norm from the processor's, allowed %.3g"
              .formatted(apart, ENCODER_BOUND);
    }
  }
}
