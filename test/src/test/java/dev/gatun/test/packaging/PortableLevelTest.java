package dev.gatun.test.packaging;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import dev.gatun.bindings.loader.NativeLoader;
import java.io.File;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.stream.Stream;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;

/**
 * The portable level, compiled for aarch64 and run by QEMU, gives the bits that it gives here.
 * Needs a cross compiler and QEMU's user mode (Debian: g++-aarch64-linux-gnu, qemu-user).
 */
@Tag("full")
final class PortableLevelTest {
  private static final String COMPILER = "aarch64-linux-gnu-g++";
  private static final String QEMU = "qemu-aarch64";
  private static final Path SOURCES =
      Path.of("..", "kernels", "cpu", "src", "main", "cpp").toAbsolutePath().normalize();
  private static final Path TARGET = Path.of("target", "aarch64").toAbsolutePath();

  @Test
  void gives_the_same_bits_on_aarch64() throws Exception {
    assumeTrue(
        isInstalled(COMPILER) && isInstalled(QEMU), COMPILER + " or " + QEMU + " is missing");
    NativeLoader.Result here = NativeLoader.load("gatun_cpu");
    assertTrue(here.loaded(), here::report);
    Files.createDirectories(TARGET);
    run(
        Map.of("CXX", COMPILER),
        "bash",
        "" + SOURCES.resolve("build.sh"),
        "" + TARGET.resolve("build"),
        "" + TARGET.resolve("resources"));
    Path there = TARGET.resolve("resources/linux-aarch64/libgatun_cpu.so");
    compile("g++", here.file(), "here");
    compile(COMPILER, there, "there");

    String expected = run(Map.of(), "" + TARGET.resolve("here"));
    String got = run(Map.of(), QEMU, "-L", "/usr/aarch64-linux-gnu", "" + TARGET.resolve("there"));

    assertTrue(expected.lines().count() > 100, expected);
    assertTrue(expected.lines().allMatch(line -> line.contains("status 0")), expected);
    assertEquals(expected, got);
  }

  private static void compile(String compiler, Path library, String program) throws Exception {
    run(
        Map.of(),
        compiler,
        "-std=c++17",
        "-ffp-contract=off",
        "-Wall",
        "-Wextra",
        "-Werror",
        "-I" + SOURCES.resolve("include"),
        "" + Path.of("src/test/cpp/kernel_bits.cpp").toAbsolutePath(),
        "" + library,
        "-Wl,-rpath," + library.getParent(),
        "-o",
        "" + TARGET.resolve(program));
  }

  private static boolean isInstalled(String program) {
    return Stream.of(System.getenv("PATH").split(File.pathSeparator))
        .anyMatch(folder -> Files.isExecutable(Path.of(folder, program)));
  }

  private static String run(Map<String, String> environment, String... command)
      throws IOException, InterruptedException {
    ProcessBuilder builder = new ProcessBuilder(command).redirectErrorStream(true);
    builder.environment().putAll(environment);
    Process process = builder.start();
    String output = new String(process.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
    assertEquals(0, process.waitFor(), () -> List.of(Arrays.asList(command), output).toString());
    return output;
  }
}
