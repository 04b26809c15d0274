package dev.gatun.kernels.api;

import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;

/**
 * The devices beside the processor. Looking for them loads their drivers, which takes time and
 * memory, so nothing does it but {@link #reports()}.
 */
public final class Devices {
  private Devices() {}

  /** Asks every provider found, in the order of their names; a broken one says so and no more. */
  public static List<DeviceReport> reports() {
    List<DeviceReport> reports = new ArrayList<>();
    Providers.find(
            DeviceProvider.class,
            problem -> reports.add(new DeviceReport("?", problem, null, List.of(), List.of())))
        .stream()
        .sorted(Comparator.comparing(DeviceProvider::name))
        .map(DeviceProvider::find)
        .forEach(reports::add);
    return List.copyOf(reports);
  }
}
