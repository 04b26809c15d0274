package dev.gatun.kernels.api.device;

import java.util.ArrayList;
import java.util.Comparator;
import java.util.HashMap;
import java.util.List;
import java.util.Map;

/**
 * The devices beside the processor. Looking for them loads their drivers, which takes time and
 * memory, so nothing does it but {@link #reports()} and {@link #open}.
 */
public final class Devices {
  private static final Map<String, Backend> OPEN = new HashMap<>();

  private Devices() {}

  /**
   * The backend of a device, the same one ever after.
   *
   * @param kind {@code cuda}
   * @param ordinal the number that the driver gives it, from 0
   * @throws IllegalStateException saying why it cannot be used
   */
  public static Backend open(String kind, int ordinal) {
    String name = kind + ":" + ordinal;
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
    for (DeviceProvider provider : Providers.find(DeviceProvider.class, problems::add)) {
      if (provider.name().equals(kind)) {
        try {
          return provider.open(ordinal);
        } catch (BackendUnavailableException e) {
          throw new IllegalStateException("device %s: %s".formatted(name, e.getMessage()), e);
        }
      }
    }
    problems.addFirst("device %s: no backend for '%s' is on the module path".formatted(name, kind));
    throw new IllegalStateException(String.join("; ", problems));
  }

  /** Asks every provider found, in the order of their names; a broken one says so and no more. */
  public static List<DeviceReport> reports() {
    List<DeviceReport> reports = new ArrayList<>();
    Providers.find(
            DeviceProvider.class,
            problem ->
                reports.add(new DeviceReport("?", problem, null, List.of(), List.of(), List.of())))
        .stream()
        .sorted(Comparator.comparing(DeviceProvider::name))
        .map(DeviceProvider::find)
        .forEach(reports::add);
    return List.copyOf(reports);
  }
}
