package dev.gatun.kernels.api.device;

import java.util.ArrayList;
import java.util.Iterator;
import java.util.List;
import java.util.ServiceConfigurationError;
import java.util.ServiceLoader;
import java.util.function.Consumer;

/** The providers of devices, where a broken one hides no other. */
final class Providers {
  private Providers() {}

  /**
   * Finds the providers, in the order of the module path or class path.
   *
   * @param problem takes one line for each provider that cannot be loaded
   */
  static List<DeviceProvider> find(Consumer<String> problem) {
    List<DeviceProvider> providers = new ArrayList<>();
    Iterator<DeviceProvider> found =
        ServiceLoader.load(DeviceProvider.class, Providers.class.getClassLoader()).iterator();
    while (true) {
      try {
        if (!found.hasNext()) {
          return providers;
        }
        providers.add(found.next());
      } catch (ServiceConfigurationError e) {
        problem.accept("cannot be loaded: " + e.getMessage());
      }
    }
  }
}
