package dev.gatun.djl;

import ai.djl.ndarray.NDManager;
import java.util.function.Function;

/**
 * A program over arrays.
 *
 * @param name the methods that it calls
 * @param run gives an NDArray, an NDList, or what equals
 */
record Program(String name, Function<NDManager, Object> run) {
  @Override
  public String toString() {
    return name;
  }
}
