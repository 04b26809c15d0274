package dev.gatun.kernels.api.device;

import java.util.ArrayList;
import java.util.Comparator;
import java.util.HashMap;
import java.util.List;
import java.util.Map;

/**
 * The devices, the processor among them. Looking for those beside it loads their drivers, which
 * takes time and memory, so nothing does it but {@link #reports()} and {@link #open}.
 */
public final class Devices {
  /** The processor, as a kind of device; there is one. */
  public static final String CPU = "cpu";

  /** The property that forces the processor's backend. */
  public static final String PROPERTY = "gatun.backend";

  private static final Map<String, Backend> OPEN = new HashMap<>();

  private static final class Chosen {
    static final Host HOST = choose();

    private static Host choose() {
      Settings.notices(System.getProperties().stringPropertyNames()).forEach(System.err::println);
      List<String> problems = new ArrayList<>();
      List<DeviceProvider> providers = providers(CPU, problems);
      Host host = Host.choose(System.getProperty(PROPERTY), providers, problems);
      if (host.notice() != null) {
        System.err.println(host.notice());
      }
      return host;
    }
  }

  private Devices() {}

  /**
   * {@return the processor's backend, chosen once: the one with the highest priority that can run,
   * or the one that {@code -Dgatun.backend=NAME} asks for and no other} Where that is not the best
   * one a line on the standard error says why; another names each property that begins with {@code
   * gatun.} and is no setting.
   *
   * @throws IllegalStateException when none can run, or the forced one cannot, or one has a setting
   *     that it cannot take
   */
  public static Backend host() {
    return Chosen.HOST.orThrow();
  }

  /** {@return every backend for the processor, why it was or was not taken} */
  public static List<BackendReport> hostReports() {
    return Chosen.HOST.reports();
  }

  /**
   * {@return the backend of a device, the same one ever after}
   *
   * @param kind {@link #CPU}, {@code cuda}
   * @param ordinal the number that the driver gives it, from 0
   * @throws IllegalStateException saying why it cannot be used
   */
  public static Backend open(String kind, int ordinal) {
    String name = kind + ":" + ordinal;
    if (kind.equals(CPU)) {
      if (ordinal != 0) {
        throw new IllegalStateException("device %s: there is one processor, 0".formatted(name));
      }
      return host();
    }
    // Not by computeIfAbsent: opening may take long and fail.
    synchronized (OPEN) {
      Backend backend = OPEN.get(name);
      if (backend == null) {
        backend = make(kind, ordinal, name);
        OPEN.put(name, backend);
      }
      return backend;
    }
  }

  private static Backend make(String kind, int ordinal, String name) {
    List<String> problems = new ArrayList<>();
    BackendUnavailableException first = null;
    for (DeviceProvider provider : providers(kind, problems)) {
      try {
        return provider.open(ordinal);
      } catch (BackendUnavailableException e) {
        first = first == null ? e : first;
      }
    }
    if (first != null) {
      throw new IllegalStateException("device %s: %s".formatted(name, first.getMessage()), first);
    }
    problems.addFirst(
        "device %s: nothing here runs %s: add the dependency dev.gatun:gatun-kernels-%2$s"
            .formatted(name, kind));
    throw new IllegalStateException(String.join("; ", problems));
  }

  /** The providers of a kind, the one with the highest priority first. */
  private static List<DeviceProvider> providers(String kind, List<String> problems) {
    List<DeviceProvider> providers = Providers.find(problems::add);
    providers.removeIf(provider -> !provider.kind().equals(kind));
    providers.sort(Comparator.comparingInt(DeviceProvider::priority).reversed());
    return providers;
  }

  /**
   * Asks every provider of devices beside the processor, in the order of their names; a broken one
   * says so and no more.
   *
   * @return what each found
   */
  public static List<DeviceReport> reports() {
    List<String> problems = new ArrayList<>();
    List<DeviceProvider> providers = Providers.find(problems::add);
    List<DeviceReport> reports = new ArrayList<>();
    for (String problem : problems) {
      reports.add(new DeviceReport("?", problem, null, List.of(), List.of(), List.of()));
    }
    providers.stream()
        .filter(provider -> !provider.kind().equals(CPU))
        .sorted(Comparator.comparing(DeviceProvider::name))
        .map(DeviceProvider::find)
        .forEach(reports::add);
    return List.copyOf(reports);
  }
}
