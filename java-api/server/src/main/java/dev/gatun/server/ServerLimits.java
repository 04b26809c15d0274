package dev.gatun.server;

import java.time.Duration;

/**
 * What a server puts up with. Each limit that is passed is an error that names it.
 *
 * @param bodyBytes the most bytes of a request's body
 * @param headerBytes the most bytes of its headers, names and values together
 * @param jsonDepth the most objects and arrays in each other
 * @param bodyTime how long a body may take to come
 * @param requestTime how long a request may take from then on, waiting included
 * @param queueTime how long a request may wait for its turn
 * @param queueLength how many requests of a model may wait
 * @param shutdownTime how long running answers may go on once the server is to be closed
 */
public record ServerLimits(
    int bodyBytes,
    int headerBytes,
    int jsonDepth,
    Duration bodyTime,
    Duration requestTime,
    Duration queueTime,
    int queueLength,
    Duration shutdownTime) {

  /** 16 MiB, 32 KiB, 64 deep; 30 s, 10 min and 1 min; 256 requests; 20 s. */
  public static final ServerLimits DEFAULT =
      new ServerLimits(
          16 << 20,
          32 << 10,
          64,
          Duration.ofSeconds(30),
          Duration.ofMinutes(10),
          Duration.ofMinutes(1),
          256,
          Duration.ofSeconds(20));

  /**
   * Checks them.
   *
   * @throws IllegalArgumentException where one lets nothing through
   */
  public ServerLimits {
    least("bodyBytes", bodyBytes, 1);
    least("headerBytes", headerBytes, 1);
    least("jsonDepth", jsonDepth, 1);
    least("queueLength", queueLength, 0);
    positive("bodyTime", bodyTime);
    positive("requestTime", requestTime);
    positive("queueTime", queueTime);
    if (shutdownTime.isNegative()) {
      throw new IllegalArgumentException(
          "shutdownTime is %s, expected a time from 0".formatted(shutdownTime));
    }
  }

  private static void least(String name, int value, int least) {
    if (value < least) {
      throw new IllegalArgumentException(
          "%s is %d, expected a number from %d".formatted(name, value, least));
    }
  }

  private static void positive(String name, Duration value) {
    if (!value.isPositive()) {
      throw new IllegalArgumentException(
          "%s is %s, expected a time above 0".formatted(name, value));
    }
  }
}
