package dev.gatun.bench.gpu;

import java.util.Map;
import java.util.function.Consumer;

/**
 * What a row of {@code shapes.json} computes.
 *
 * @param ways to submit it, by what follows the contender's name: the empty one, and others that
 *     leave out work that is done once for several calls; all write the same outputs
 * @param check compares results with the host's
 */
record GpuCall(Map<String, Runnable> ways, Consumer<Check> check) {
  static GpuCall of(Runnable call, Consumer<Check> check) {
    return new GpuCall(Map.of("", call), check);
  }
}
