package dev.gatun.test.packaging;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** What a build of the CUDA kernels refuses: less than {@code cuda-src/registers.txt} reports. */
final class KernelReportTest {
  private static final Path SOURCES = Path.of("../cuda-src");

  @TempDir private Path folder;

  /** What the check prints of a build's report, nothing where it passes. */
  private String check(List<String> built, boolean sameCompiler)
      throws IOException, InterruptedException {
    Path report = Files.write(folder.resolve("registers.txt"), built);
    Process awk =
        new ProcessBuilder(
                "awk",
                "-v",
                "same=" + (sameCompiler ? 1 : 0),
                "-f",
                SOURCES.resolve("check_registers.awk").toString(),
                SOURCES.resolve("registers.txt").toString(),
                report.toString())
            .redirectErrorStream(true)
            .start();
    String printed = new String(awk.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
    assertEquals(printed.isEmpty() ? 0 : 1, awk.waitFor(), printed);
    return printed.strip();
  }

  private static List<String> report() throws IOException {
    return Files.readAllLines(SOURCES.resolve("registers.txt"));
  }

  /** The report with one number of a kernel changed, of those that follow its name and target. */
  private static List<String> with(String kernel, String target, int column, int change)
      throws IOException {
    List<String> lines =
        report().stream()
            .map(
                line -> {
                  String[] words = line.split(" +");
                  if (words[0].equals(kernel) && words[1].equals(target)) {
                    words[column] = String.valueOf(Integer.parseInt(words[column]) + change);
                    return String.join(" ", words);
                  }
                  return line;
                })
            .toList();
    assertTrue(lines.stream().anyMatch(line -> line.startsWith(kernel + " ")), kernel);
    return lines;
  }

  @Test
  void what_is_there_passes() throws Exception {
    assertEquals("", check(report(), true));
  }

  @ParameterizedTest
  @CsvSource({
    "w4a16_bf16_m8, sm_80, 5, 4, w4a16_bf16_m8 for sm_80 spills 4 bytes",
    "w4a16_bf16_m8, sm_90a, 7, -1, w4a16_bf16_m8 for sm_90a leaves room for 1 blocks",
    "w8a8_m64_sm90a, sm_90a, 8, 6000, w8a8_m64_sm90a for sm_90a has"
  })
  void what_is_lost_is_named(String kernel, String target, int column, int change, String problem)
      throws Exception {
    String printed = check(with(kernel, target, column, change), true);
    assertTrue(printed.startsWith("cuda-src: " + problem), printed);
    assertEquals(1, printed.lines().count(), printed);
  }

  @Test
  void more_registers_or_a_larger_frame_are_only_reported() throws Exception {
    assertEquals("", check(with("w4a16_bf16_m8", "sm_80", 3, 8), true));
    assertEquals("", check(with("w4a16_bf16_m8", "sm_80", 4, 64), true));
  }

  @Test
  void another_compiler_may_spill_but_not_unroll_without_end() throws Exception {
    assertEquals("", check(with("w4a16_bf16_m8", "sm_80", 5, 4), false));
    assertEquals("", check(with("w4a16_bf16_m8", "sm_90a", 7, -1), false));
    assertTrue(
        check(with("w4a16_f16_m64_sm90a", "sm_90a", 8, 6000), false)
            .endsWith("instructions, expected below 6000"));
  }

  @Test
  void a_new_kernel_may_not_spill() throws Exception {
    List<String> lines = new ArrayList<>(report());
    lines.add("new_kernel sm_80 128 40 0 8 0 8 100");
    assertEquals(
        "cuda-src: new_kernel for sm_80 spills 8 bytes, registers.txt says 0", check(lines, true));
  }
}
