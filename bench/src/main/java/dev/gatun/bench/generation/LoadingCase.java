package dev.gatun.bench.generation;

import java.io.IOException;
import java.nio.file.Path;

/**
 * A case of the suite {@code loading}: {@code SHAPE/TYPE/load}, from the file to a model; {@code
 * first-token}, to the scores after one token; {@code load-cold}, with none of the file in the
 * system's cache; or {@code anonymous}, the most memory of the process's own while it loads. The
 * type is {@code bf16}, {@code bf16-int4}, of a file of bf16 that becomes INT4, or a GGUF file's
 * {@code q4_0}, {@code q8_0} or {@code q4_k_m}; {@code -mapped} behind it leaves weights in the
 * mapped file.
 *
 * @param shape of the model
 * @param type of its weights
 * @param work load, first-token, load-cold or anonymous
 */
public record LoadingCase(DecoderShape shape, String type, String work) {
  private static final String NAME =
      "(1.1b|135m)/(bf16-int4|(bf16|q4_0|q8_0|q4_k_m)(-mapped)?)"
          + "/(load|first-token|load-cold|anonymous)";
  private static final String MAPPED = "-mapped";

  /** Whether this is a case's name. */
  public static boolean isName(String name) {
    return name.matches(NAME);
  }

  /** The case of a name. */
  public static LoadingCase of(String name) {
    String[] parts = name.split("/");
    return new LoadingCase(DecoderShape.of(parts[0]), parts[1], parts[2]);
  }

  /** Whether bytes are measured in place of seconds. */
  boolean isMemory() {
    return work.equals("anonymous");
  }

  boolean isCold() {
    return work.equals("load-cold");
  }

  boolean ofToken() {
    return work.equals("first-token");
  }

  /** Whether weights stay in the mapped file. */
  boolean isMapped() {
    return type.endsWith(MAPPED);
  }

  /** The type of the file. */
  private String stored() {
    return isMapped() ? type.substring(0, type.length() - MAPPED.length()) : type;
  }

  boolean isGguf() {
    return type.startsWith("q");
  }

  /** The file as Gatun reads it. */
  Path model() throws IOException {
    return isGguf() ? gguf() : decoder().directory();
  }

  /** The same numbers, or those that the type makes of them, in a GGUF file. */
  Path gguf() throws IOException {
    return decoder().stored(stored().equals("bf16-int4") ? "q4_0" : stored());
  }

  private RandomDecoder decoder() {
    return new RandomDecoder(shape, GenerationCase.FOLDER);
  }

  /** Bytes of the file that Gatun reads, but for what is not weights. */
  private double bytes() {
    return shape.elements() * (isGguf() ? RandomDecoder.bits(stored()) : 16) / 8;
  }

  /** What tables show of a measured number. */
  public String shown(double number) {
    return isMemory()
        ? "%.0f MB".formatted(number / 1e6)
        : "%.2f s, %.1f GB/s".formatted(number, bytes() / number / 1e9);
  }
}
