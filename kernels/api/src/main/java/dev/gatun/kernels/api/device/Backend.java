package dev.gatun.kernels.api.device;

import dev.gatun.kernels.api.memory.Memory;
import java.util.List;
import java.util.Map;

/** The kernels of one device with its memory. */
public interface Backend {
  /** {@return the backend's name: {@code cpu}, {@code reference}} */
  String name();

  /** {@return one line for people: what runs, at which level, with how many threads} */
  String description();

  /**
   * {@return the name and the description, as every message prints a backend: {@code cpu (avx512, 2
   * threads)}}
   */
  default String label() {
    return name() + " (" + description() + ")";
  }

  /**
   * {@return what people may ask besides, a line each: why this level, which file; none is fine}
   */
  default List<String> details() {
    return List.of();
  }

  /** {@return the versions of what the backend brings, by their names for people, in order} */
  default Map<String, String> versions() {
    return Map.of();
  }

  /**
   * Records what a piece of work submits in this thread, to submit it again with one call: what is
   * short is then no longer bound by the host.
   *
   * <p>The work is run twice, first for real, which checks its indices, and then to be recorded;
   * nothing of the second run is done before the first {@link Replay#run}. Buffers that the second
   * run allocates and leaves open have the results of a replay. What it writes from the host is
   * recorded as it is; to give other inputs, write to buffers that were there before. Indices that
   * are written then are checked by the replay as a call checks them, and on the processor offsets
   * and lengths too: a bad one is an exception of the replay, or, where a device computes behind
   * the host, of the next read. While it is recorded, work can read nothing back.
   *
   * @param work what is recorded; it runs twice
   * @return what submits it again, the caller's to close
   * @throws UnsupportedOperationException when this backend records nothing
   * @throws IllegalStateException when the work reads back, or records itself
   */
  default Replay capture(Runnable work) {
    throw new UnsupportedOperationException(
        "capture: the backend %s records nothing".formatted(name()));
  }

  /**
   * {@return the bytes of activations that a pass should stay within, so that they are in a cache
   * when they are read; no limit where parts of a batch would leave the device idle}
   */
  default long activationBytes() {
    return Long.MAX_VALUE;
  }

  /** {@return the memory that its buffers are blocks of} */
  Memory memory();

  /** {@return what runs its calls} */
  Kernels kernels();
}
