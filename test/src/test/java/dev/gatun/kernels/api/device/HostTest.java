package dev.gatun.kernels.api.device;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertSame;
import static org.junit.jupiter.api.Assertions.assertThrows;

import dev.gatun.kernels.api.memory.Memory;
import java.util.List;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

/** Which backend the processor gets, of providers that can, cannot and will not run. */
final class HostTest {
  private final String forced = System.getProperty(Devices.PROPERTY);

  /** A backend that computes nothing. */
  private record Named(String name) implements Backend {
    @Override
    public String description() {
      return "by hand";
    }

    @Override
    public Memory memory() {
      throw new AssertionError();
    }

    @Override
    public Kernels kernels() {
      throw new AssertionError();
    }
  }

  private interface Opening {
    Backend open() throws BackendUnavailableException;
  }

  private record Provider(String name, Opening opening) implements DeviceProvider {
    @Override
    public String kind() {
      return Devices.CPU;
    }

    @Override
    public Backend open(int ordinal) throws BackendUnavailableException {
      assertEquals(0, ordinal);
      return opening.open();
    }
  }

  private static Provider runs(String name) {
    return new Provider(name, () -> new Named(name));
  }

  private static Provider cannot(String name, String message) {
    return new Provider(
        name,
        () -> {
          throw new BackendUnavailableException(message);
        });
  }

  private static Provider refuses(String name, String message) {
    return new Provider(
        name,
        () -> {
          throw new IllegalArgumentException(message);
        });
  }

  private static Host choose(String forced, DeviceProvider... providers) {
    return Host.choose(forced, List.of(providers), List.of());
  }

  private static List<String> lines(Host host) {
    return host.reports().stream().map(BackendReport::toString).toList();
  }

  private static String refusal(String forced, Host host) {
    if (forced == null) {
      System.clearProperty(Devices.PROPERTY);
    } else {
      System.setProperty(Devices.PROPERTY, forced);
    }
    return assertThrows(IllegalStateException.class, host::orThrow).getMessage();
  }

  @AfterEach
  void forceAsBefore() {
    if (forced == null) {
      System.clearProperty(Devices.PROPERTY);
    } else {
      System.setProperty(Devices.PROPERTY, forced);
    }
  }

  @Test
  void the_first_that_runs_is_taken() {
    Host host = choose(null, runs("fast"), runs("slow"));
    assertEquals(new Named("fast"), host.backend());
    assertSame(host.backend(), host.orThrow());
    assertNull(host.notice());
    assertEquals(List.of("fast (by hand)", "slow: can run; fast is faster"), lines(host));
  }

  @Test
  void one_that_runs_in_place_of_others_is_told_of() {
    Host host = choose(null, cannot("fast", "no library"), cannot("mid", "no"), runs("slow"));
    assertEquals(new Named("slow"), host.orThrow());
    assertEquals(
        "gatun: the fast backend cannot run: no library; the mid backend cannot run: no; slow runs"
            + " in its place, many times slower (-Dgatun.backend=slow does without this line)",
        host.notice());
    assertEquals(List.of("fast: no library", "mid: no", "slow (by hand)"), lines(host));
  }

  @Test
  void the_one_that_is_asked_for_is_taken_and_no_other() {
    Host host = choose("slow", runs("fast"), runs("slow"));
    assertEquals(new Named("slow"), host.orThrow());
    assertNull(host.notice());
    assertEquals(
        List.of("fast: not asked for by -Dgatun.backend=slow", "slow (by hand)"), lines(host));
  }

  @Test
  void a_setting_that_cannot_be_taken_is_an_error_whatever_else_runs() {
    Host host = choose(null, refuses("fast", "level=9: expected 1"), runs("slow"));
    assertEquals(
        List.of("fast: level=9: expected 1", "slow: not in place of what was asked for"),
        lines(host));
    assertEquals("the fast backend: level=9: expected 1", refusal(null, host));
  }

  @Test
  void that_none_runs_is_told_with_the_reasons() {
    assertEquals(
        "no kernel backend can run here:\n  fast: no library",
        refusal(null, choose(null, cannot("fast", "no library"))));
    assertEquals(
        "no kernel backend can run here: none is on the module path or class path",
        refusal(null, choose(null)));
    assertEquals(
        "no kernel backend can run here:\n  ?: cannot be loaded",
        refusal(null, Host.choose(null, List.of(), List.of("cannot be loaded"))));
  }

  @Test
  void that_the_one_asked_for_does_not_run_is_told_with_the_reasons() {
    assertEquals(
        "the backend 'fast' that -Dgatun.backend asks for cannot run here:\n  fast: no library\n"
            + "  slow: not asked for by -Dgatun.backend=fast",
        refusal("fast", choose("fast", cannot("fast", "no library"), runs("slow"))));
    assertEquals(
        "the backend 'quick' that -Dgatun.backend asks for cannot run here:\n"
            + "  there is none of that name\n  slow: not asked for by -Dgatun.backend=quick",
        refusal("quick", choose("quick", runs("slow"))));
  }
}
