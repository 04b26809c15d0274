package dev.gatun.test.packaging;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.gatun.bindings.loader.NativeLoader;
import dev.gatun.test.devices.Aarch64;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import org.junit.jupiter.api.Test;

/** The portable level, compiled for aarch64 and run by QEMU, gives the bits that it gives here. */
final class PortableLevelTest {
  private static final Path SOURCES =
      Path.of("..", "kernels", "cpu", "src", "main", "cpp").toAbsolutePath().normalize();
  private static final Path TARGET = Path.of("target", "aarch64").toAbsolutePath();

  @Test
  void gives_the_same_bits_on_aarch64() throws Exception {
    Path there = Aarch64.library();
    NativeLoader.Result here = NativeLoader.load("gatun_cpu");
    assertTrue(here.loaded(), here::report);
    Files.createDirectories(TARGET);
    compile("g++", here.file(), "here");
    compile(Aarch64.COMPILER, there, "there");

    String expected = run("" + TARGET.resolve("here"));
    String got = run(Aarch64.QEMU, "-L", Aarch64.SYSTEM, "" + TARGET.resolve("there"));

    assertTrue(expected.lines().count() > 100, expected);
    assertTrue(expected.lines().allMatch(line -> line.contains("status 0")), expected);
    assertEquals(expected, got);
  }

  private static void compile(String compiler, Path library, String program) throws Exception {
    run(
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

  private static String run(String... command) throws IOException, InterruptedException {
    ProcessBuilder builder = new ProcessBuilder(command).redirectErrorStream(true);
    Process process = builder.start();
    String output = new String(process.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
    assertEquals(0, process.waitFor(), () -> List.of(Arrays.asList(command), output).toString());
    return output;
  }
}
