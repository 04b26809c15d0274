package dev.gatun.kernels.api;

import java.util.List;
import java.util.Map;

/** The kernels of one device with its memory. */
public interface Backend {
  /** The backend's name: {@code cpu}, {@code reference}. */
  String name();

  /** One line for people: what runs, at which level, with how many threads. */
  String description();

  /** Name and description, as every message prints a backend: {@code cpu (avx512, 2 threads)}. */
  default String label() {
    return name() + " (" + description() + ")";
  }

  /** What people may ask besides, a line each: why this level, which file; none is fine. */
  default List<String> details() {
    return List.of();
  }

  /** The versions of what the backend brings, by their names for people, in order. */
  default Map<String, String> versions() {
    return Map.of();
  }

  Memory memory();

  Kernels kernels();
}
