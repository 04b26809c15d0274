package dev.gatun.kernels.api.device;

import java.util.ArrayList;
import java.util.Iterator;
import java.util.List;
import java.util.ServiceConfigurationError;
import java.util.ServiceLoader;
import java.util.function.Consumer;

/** The providers of a service, where a broken one hides no other. */
final class Providers {
  private Providers() {}

  /**
   * Finds the providers, in the order of the module path or class path.
   *
   * @param problem takes one line for each provider that cannot be loaded
   */
  static <T> List<T> find(Class<T> service, Consumer<String> problem) {
    List<T> providers = new ArrayList<>();
    Iterator<T> found = ServiceLoader.load(service, Providers.class.getClassLoader()).iterator();
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
