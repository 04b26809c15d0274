package dev.gatun.kernels.api;

/** The kernels of one device with its memory. */
public interface Backend {
  /** The backend's name: {@code cpu}, {@code reference}. */
  String name();

  /** One line for people: what runs, at which level, with how many threads. */
  String description();

  Memory memory();

  Kernels kernels();
}
