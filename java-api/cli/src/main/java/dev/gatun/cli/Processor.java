package dev.gatun.cli;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;

/**
 * The processor, as far as the system tells.
 *
 * @param name its name; the architecture's where the system does not tell
 * @param features what kernels choose by
 */
record Processor(String name, List<String> features) {
  private static final List<String> OF_INTEREST =
      List.of(
          "avx",
          "f16c",
          "fma",
          "avx2",
          "avx_vnni",
          "avx512f",
          "avx512bw",
          "avx512dq",
          "avx512vl",
          "avx512_vnni",
          "avx512_bf16",
          "avx512_fp16",
          "amx_tile",
          "amx_int8",
          "amx_bf16",
          "asimd",
          "asimddp",
          "i8mm",
          "bf16",
          "sve",
          "sve2");

  static Processor find() {
    Path file = Path.of("/proc/cpuinfo");
    try {
      return Files.isReadable(file) ? parse(Files.readString(file)) : unknown();
    } catch (IOException e) {
      return unknown();
    }
  }

  /** Reads Linux's {@code /proc/cpuinfo}. */
  static Processor parse(String text) {
    List<String> flags = Arrays.asList((value(text, "flags") + value(text, "Features")).split(" "));
    String name = value(text, "model name");
    return new Processor(
        name.isEmpty() ? unknown().name : name,
        OF_INTEREST.stream().filter(flags::contains).toList());
  }

  private static Processor unknown() {
    return new Processor(System.getProperty("os.arch"), List.of());
  }

  private static String value(String text, String key) {
    return text.lines()
        .filter(line -> line.startsWith(key) && line.contains(":"))
        .findFirst()
        .map(line -> line.substring(line.indexOf(':') + 1).strip())
        .orElse("");
  }
}
