package dev.gatun.kernels.api.device;

import java.util.ArrayList;
import java.util.List;

/**
 * The choice of the processor's backend: the one with the highest priority that can run, or the one
 * that {@code -Dgatun.backend=NAME} asks for and no other.
 *
 * @param backend the one in use, or null when none can run
 * @param reports every one found, why it was or was not taken
 * @param refused what was asked for by a property and cannot be had, or null
 * @param notice that another backend would have been taken, and why it was not, or null
 */
record Host(Backend backend, List<BackendReport> reports, String refused, String notice) {
  /** Chooses among the processor's providers, the one with the highest priority first. */
  static Host choose(String forced, List<DeviceProvider> providers, List<String> problems) {
    List<BackendReport> reports = new ArrayList<>();
    problems.forEach(problem -> reports.add(new BackendReport("?", problem, false)));
    Backend chosen = null;
    String refused = null;
    String notice = null;
    List<String> unavailable = new ArrayList<>();
    for (DeviceProvider provider : providers) {
      String name = provider.name();
      try {
        if (forced != null && !forced.equals(name)) {
          String status = "not asked for by -D" + Devices.PROPERTY + "=" + forced;
          reports.add(new BackendReport(name, status, false));
        } else if (refused != null) {
          reports.add(new BackendReport(name, "not in place of what was asked for", false));
        } else if (chosen != null) {
          reports.add(new BackendReport(name, "can run; " + chosen.name() + " is faster", false));
        } else {
          chosen = provider.open(0);
          notice = unavailable.isEmpty() ? null : notice(unavailable, chosen);
          reports.add(new BackendReport(name, chosen.description(), true));
        }
      } catch (BackendUnavailableException e) {
        reports.add(new BackendReport(name, e.getMessage(), false));
        unavailable.add("the %s backend cannot run: %s".formatted(name, e.getMessage()));
      } catch (IllegalArgumentException e) {
        reports.add(new BackendReport(name, e.getMessage(), false));
        refused = "the %s backend: %s".formatted(name, e.getMessage());
      }
    }
    return new Host(chosen, List.copyOf(reports), refused, notice);
  }

  private static String notice(List<String> unavailable, Backend chosen) {
    return "gatun: %s; %s runs in its place, many times slower (-D%s=%s does without this line)"
        .formatted(String.join("; ", unavailable), chosen.name(), Devices.PROPERTY, chosen.name());
  }

  /**
   * The backend in use.
   *
   * @throws IllegalStateException when none can run, or the forced one cannot
   */
  Backend orThrow() {
    if (refused != null) {
      throw new IllegalStateException(refused);
    }
    if (backend == null) {
      throw new IllegalStateException(refusal(System.getProperty(Devices.PROPERTY)));
    }
    return backend;
  }

  private String refusal(String forced) {
    StringBuilder text =
        new StringBuilder(
            forced == null
                ? "no kernel backend can run here:"
                : "the backend '%s' that -D%s asks for cannot run here:"
                    .formatted(forced, Devices.PROPERTY));
    if (forced != null && reports.stream().noneMatch(report -> report.name().equals(forced))) {
      text.append("\n  there is none of that name");
    }
    for (BackendReport report : reports) {
      text.append("\n  ").append(report);
    }
    if (reports.isEmpty()) {
      text.append(" none is on the module path or class path");
    }
    return text.toString();
  }
}
