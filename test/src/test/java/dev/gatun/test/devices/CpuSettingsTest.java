package dev.gatun.test.devices;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import dev.gatun.kernels.api.device.Devices;
import dev.gatun.kernels.cpu.CpuBackend;
import dev.gatun.kernels.cpu.CpuDeviceProvider;
import dev.gatun.kernels.cpu.CpuFeature;
import dev.gatun.kernels.cpu.CpuLevel;
import java.util.List;
import java.util.Set;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** Levels, threads and instruction sets of the processor's backend, and what it says of them. */
final class CpuSettingsTest {
  private static final String LEVEL = "gatun.cpu.level";
  private static final String THREADS = "gatun.cpu.threads";

  private final String askedLevel = System.getProperty(LEVEL);
  private final String askedThreads = System.getProperty(THREADS);
  private CpuBackend backend;
  private CpuLevel level;
  private int threads;

  @BeforeEach
  void remember() {
    assumeTrue(Devices.host() instanceof CpuBackend, "another backend");
    backend = (CpuBackend) Devices.host();
    level = backend.level();
    threads = backend.threads();
  }

  @AfterEach
  void restore() {
    set(LEVEL, askedLevel);
    set(THREADS, askedThreads);
    if (backend != null) {
      backend.allowAll();
      backend.setLevel(level);
      backend.setThreads(threads);
    }
  }

  private static void set(String property, String value) {
    if (value == null) {
      System.clearProperty(property);
    } else {
      System.setProperty(property, value);
    }
  }

  private static CpuLevel best() {
    return CpuBackend.levels().getLast();
  }

  private static CpuLevel foreign() {
    return Stream.of(CpuLevel.values())
        .filter(each -> CpuBackend.needs(each).isEmpty())
        .findFirst()
        .orElseThrow();
  }

  private static String ids(List<CpuLevel> levels) {
    return levels.stream().map(CpuLevel::id).collect(Collectors.joining(", "));
  }

  private static String refusal() {
    return assertThrows(IllegalArgumentException.class, () -> new CpuDeviceProvider().open(0))
        .getMessage();
  }

  @Test
  void properties_set_the_level_and_the_threads() throws Exception {
    set(LEVEL, "portable");
    set(THREADS, "1");
    CpuBackend opened = (CpuBackend) new CpuDeviceProvider().open(0);
    assertEquals(CpuLevel.PORTABLE, opened.level());
    assertEquals(1, opened.threads());
    assertEquals("portable, 1 thread", opened.description());
    set(LEVEL, best().id());
    set(THREADS, "1024");
    new CpuDeviceProvider().open(0);
    assertEquals(best().id() + ", 1024 threads", opened.description());
    set(LEVEL, null);
    set(THREADS, null);
    new CpuDeviceProvider().open(0);
    assertEquals(best().id() + ", 1024 threads", opened.description());
  }

  @Test
  void levels_that_this_processor_does_not_run_are_named() {
    set(LEVEL, "avx9");
    assertEquals("-Dgatun.cpu.level=avx9: expected one of portable, avx2, avx512, neon", refusal());
    set(LEVEL, foreign().id());
    assertEquals(
        "-Dgatun.cpu.level=%s: that is a level of another machine; this processor runs %s"
            .formatted(foreign().id(), ids(CpuBackend.levels())),
        refusal());
    assertEquals(
        "level %s: this processor runs %s".formatted(foreign().id(), CpuBackend.levels()),
        assertThrows(IllegalArgumentException.class, () -> backend.setLevel(foreign()))
            .getMessage());
    assertEquals(level, backend.level());
  }

  @ParameterizedTest
  @ValueSource(strings = {"0", "-1", "1025", "two", ""})
  void threads_that_cannot_be_are_named(String text) {
    set(THREADS, text);
    assertEquals(
        "-Dgatun.cpu.threads=%s: expected a number from 1 to 1024".formatted(text), refusal());
    assertEquals(threads, backend.threads());
  }

  @ParameterizedTest
  @ValueSource(ints = {0, -1, 1025})
  void numbers_of_threads_that_cannot_be_are_named(int number) {
    assertEquals(
        "%d threads: expected 1 to 1024".formatted(number),
        assertThrows(IllegalArgumentException.class, () -> backend.setThreads(number))
            .getMessage());
    assertEquals(threads, backend.threads());
  }

  @Test
  void a_level_below_the_best_is_told_as_forced() {
    assumeTrue(best() != CpuLevel.PORTABLE, "no better level");
    backend.setLevel(CpuLevel.PORTABLE);
    assertEquals(
        "level portable: forced; this processor runs " + best().id(), backend.details().getFirst());
  }

  @Test
  void instructions_that_the_processor_lacks_are_told() {
    Set<CpuFeature> needs = CpuBackend.needs(best()).orElseThrow();
    assumeTrue(needs.contains(CpuFeature.AVX512), "a processor without AVX-512");
    backend.setLevel(best());
    assertEquals("level avx512: the best there is", backend.details().getFirst());
    backend.leaveOut(CpuFeature.AVX512);
    assertEquals(
        "level avx512: this processor lacks instructions; avx512 needs avx512",
        backend.details().getFirst());
    backend.leaveOut(CpuFeature.FMA);
    assertEquals(
        "level avx512: this processor lacks instructions; avx2 needs fma;"
            + " avx512 needs fma, avx512",
        backend.details().getFirst());
    assertTrue(backend.details().get(1).startsWith("library "), backend.details()::toString);
  }
}
