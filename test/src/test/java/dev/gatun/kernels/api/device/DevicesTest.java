package dev.gatun.kernels.api.device;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertSame;
import static org.junit.jupiter.api.Assertions.assertThrows;

import java.io.IOException;
import java.lang.reflect.InvocationTargetException;
import java.net.URL;
import java.net.URLClassLoader;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Devices that there are and that there are not. */
final class DevicesTest {
  @TempDir private Path folder;

  /** Devices that cannot be opened. */
  abstract static class Broken implements DeviceProvider {
    @Override
    public String name() {
      return getClass().getSimpleName();
    }

    @Override
    public String kind() {
      return "tpu";
    }

    @Override
    public Backend open(int ordinal) throws BackendUnavailableException {
      throw new BackendUnavailableException("%s has no %d".formatted(name(), ordinal));
    }
  }

  /** Asked last. */
  public static final class Slow extends Broken {}

  /** Asked first. */
  public static final class Fast extends Broken {
    @Override
    public int priority() {
      return 1;
    }
  }

  private static DeviceReport report(String name, String status) {
    return new DeviceReport(name, status, null, List.of(), List.of(), List.of());
  }

  /** Devices with these providers and no others. */
  private URLClassLoader with(String... providers) throws IOException {
    Path services = Files.createDirectories(folder.resolve("META-INF/services"));
    Files.write(services.resolve(DeviceProvider.class.getName()), List.of(providers));
    return new URLClassLoader(
        new URL[] {
          folder.toUri().toURL(),
          Devices.class.getProtectionDomain().getCodeSource().getLocation(),
          DevicesTest.class.getProtectionDomain().getCodeSource().getLocation()
        },
        ClassLoader.getPlatformClassLoader());
  }

  @Test
  void the_processor_is_number_0() {
    assertSame(Devices.host(), Devices.open("cpu", 0));
    assertEquals(
        "device cpu:1: there is one processor, 0",
        assertThrows(IllegalStateException.class, () -> Devices.open("cpu", 1)).getMessage());
  }

  @Test
  void a_kind_that_nothing_runs_is_named_with_what_would() {
    IllegalStateException e =
        assertThrows(IllegalStateException.class, () -> Devices.open("tpu", 2));
    assertEquals(
        "device tpu:2: nothing here runs tpu: add the dependency dev.gatun:gatun-kernels-tpu",
        e.getMessage());
    assertNull(e.getCause());
  }

  @Test
  void of_providers_that_all_fail_the_first_says_why() throws Exception {
    try (URLClassLoader loader = with(Slow.class.getName(), Fast.class.getName())) {
      Throwable e =
          assertThrows(
                  InvocationTargetException.class,
                  () ->
                      loader
                          .loadClass(Devices.class.getName())
                          .getMethod("open", String.class, int.class)
                          .invoke(null, "tpu", 3))
              .getCause();
      assertEquals("device tpu:3: Fast has no 3", e.getMessage());
      assertEquals("Fast has no 3", e.getCause().getMessage());
    }
  }

  @Test
  void a_provider_that_cannot_be_loaded_hides_no_other() throws Exception {
    try (URLClassLoader loader = with("no.such.Provider", Slow.class.getName())) {
      Class<?> devices = loader.loadClass(Devices.class.getName());
      String problem =
          "cannot be loaded: %s: Provider no.such.Provider not found"
              .formatted(DeviceProvider.class.getName());
      assertEquals(
          "[%s, %s]".formatted(report("?", problem), report("Slow", "the processor")),
          devices.getMethod("reports").invoke(null).toString());
      Throwable e =
          assertThrows(
                  InvocationTargetException.class,
                  () -> devices.getMethod("open", String.class, int.class).invoke(null, "npu", 0))
              .getCause();
      assertEquals(
          "device npu:0: nothing here runs npu: add the dependency"
              + " dev.gatun:gatun-kernels-npu; "
              + problem,
          e.getMessage());
    }
  }
}
