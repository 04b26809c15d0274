package dev.gatun.test.contract.suites;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.gatun.test.contract.cases.Cases;
import dev.gatun.test.contract.programs.NeonRuns;
import dev.gatun.test.devices.Aarch64;
import dev.gatun.test.devices.ChildJvm;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/**
 * The kernels of aarch64 under QEMU hold the contract: this machine's JVM draws the cases and has
 * the reference, a library in place of ours sends each call to a program of aarch64. Needs a cross
 * compiler and QEMU's user mode (Debian: g++-aarch64-linux-gnu, qemu-user).
 */
final class NeonContractTest {
  private static final Path SOURCES = Path.of("src/test/cpp").toAbsolutePath();
  private static final Path INCLUDE =
      Path.of("../kernels/cpu/src/main/cpp/include").toAbsolutePath().normalize();
  @TempDir private Path folder;

  @Test
  void some_cases_of_each_kernel() throws Exception {
    run(4, 1, 500);
  }

  @Test
  @Tag("full")
  void many_cases() throws Exception {
    run(7, 1, 850);
  }

  private void run(int each, int every, int least) throws Exception {
    Path library = Aarch64.library();
    Path here = folder.resolve("libgatun_cpu.so");
    compile("g++", "-shared", "-fPIC", SOURCES.resolve("remote_cpu.cpp"), here);
    Path there = folder.resolve("runner");
    compile(
        Aarch64.COMPILER,
        "" + library,
        "-Wl,-rpath," + library.getParent(),
        SOURCES.resolve("remote_runner.cpp"),
        there);
    ChildJvm.Outcome outcome =
        ChildJvm.run(
            folder,
            Map.of("GATUN_REMOTE", Aarch64.QEMU + " -cpu max -L " + Aarch64.SYSTEM + " " + there),
            List.of(
                "-Dgatun.cpu.library=" + here,
                "-D" + Cases.SEED + "=" + Long.getLong(Cases.SEED, 1)),
            NeonRuns.class,
            "" + each,
            "" + every);
    assertEquals(0, outcome.code(), outcome::err);
    List<String> lines = outcome.out().lines().toList();
    // The emulated processor has all that the level chooses by.
    assertEquals(
        "levels: [portable, neon, neon without dotprod, neon without i8mm, neon without arm_bf16,"
            + " neon without dotprod, i8mm, arm_bf16]",
        lines.getFirst());
    assertTrue(lines.getLast().endsWith(", failed: 0"), outcome::out);
    int checks = Integer.parseInt(lines.getLast().replaceAll("checks: (\\d+),.*", "$1"));
    assertTrue(checks >= least, outcome::out);
  }

  private void compile(String compiler, Object... arguments) throws Exception {
    List<String> command = new ArrayList<>(List.of(compiler, "-std=c++17", "-O1", "-Wall"));
    command.addAll(List.of("-Wextra", "-Werror", "-pthread", "-I" + INCLUDE));
    // The source before the library that it needs.
    command.add("" + arguments[arguments.length - 2]);
    for (int i = 0; i < arguments.length - 2; i++) {
      command.add("" + arguments[i]);
    }
    command.addAll(List.of("-o", "" + arguments[arguments.length - 1]));
    ChildJvm.Outcome outcome = ChildJvm.run(folder, Map.of(), command);
    assertEquals(0, outcome.code(), outcome::err);
  }
}
