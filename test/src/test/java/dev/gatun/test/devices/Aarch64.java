package dev.gatun.test.devices;

import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import java.io.File;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.stream.Stream;

/**
 * What runs programs of Linux on aarch64 here: a cross compiler and QEMU's user mode (Debian:
 * g++-aarch64-linux-gnu, qemu-user).
 */
public final class Aarch64 {
  public static final String COMPILER = "aarch64-linux-gnu-g++";
  public static final String QEMU = "qemu-aarch64";

  /** The folder under which QEMU finds the system's libraries. */
  public static final String SYSTEM = "/usr/aarch64-linux-gnu";

  private static final Path LIBRARY =
      Path.of("../kernels/cpu/target/classes/META-INF/gatun/linux-aarch64/libgatun_cpu.so")
          .toAbsolutePath()
          .normalize();

  private Aarch64() {}

  /** The kernels of aarch64, which the build made; a test without the tools is left out. */
  public static Path library() {
    assumeTrue(isInstalled(COMPILER), COMPILER + " is missing");
    assumeTrue(isInstalled(QEMU), QEMU + " is missing");
    assertTrue(Files.exists(LIBRARY), LIBRARY + ": the build makes it where it has the compiler");
    return LIBRARY;
  }

  private static boolean isInstalled(String program) {
    return Stream.of(System.getenv("PATH").split(File.pathSeparator))
        .anyMatch(folder -> Files.isExecutable(Path.of(folder, program)));
  }
}
