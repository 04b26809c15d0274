package dev.gatun.kernels.formats;

import java.util.Objects;
import java.util.function.LongConsumer;
import java.util.stream.LongStream;

/** Work that is cut into parts for the common threads. */
final class Parallel {
  private Parallel() {}

  /**
   * Runs a body for each of 0 to {@code count - 1}. Of those that fail the first one's exception is
   * thrown, itself and not inside of another one, which streams do when another thread ran it.
   */
  static void each(long count, LongConsumer body) {
    LongStream.range(0, count)
        .parallel()
        .mapToObj(i -> failure(body, i))
        .filter(Objects::nonNull)
        .findFirst()
        .ifPresent(
            failure -> {
              throw failure;
            });
  }

  private static RuntimeException failure(LongConsumer body, long i) {
    try {
      body.accept(i);
      return null;
    } catch (RuntimeException e) {
      return e;
    }
  }
}
