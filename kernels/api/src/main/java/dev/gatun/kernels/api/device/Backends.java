package dev.gatun.kernels.api.device;

import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;

/**
 * The choice of the CPU's backend, made once: the one with the highest priority that can run, or
 * the one that {@code -Dgatun.backend=NAME} asks for and no other.
 */
public final class Backends {
  /** The property that forces a backend. */
  public static final String PROPERTY = "gatun.backend";

  /**
   * What came of one provider.
   *
   * @param name the backend's name
   * @param status its description when it can run, else why it cannot
   * @param chosen whether it is the one in use
   */
  public record Report(String name, String status, boolean chosen) {
    /** One line: {@code cpu (avx512, 2 threads)}, or the name and why it is not in use. */
    @Override
    public String toString() {
      return chosen ? name + " (" + status + ")" : name + ": " + status;
    }
  }

  private record Choice(Backend backend, List<Report> reports) {}

  private static final class Holder {
    static final Choice CHOICE = choose(System.getProperty(PROPERTY));
  }

  private Backends() {}

  /**
   * The backend in use.
   *
   * @throws IllegalStateException when none can run, or the forced one cannot
   */
  public static Backend host() {
    Choice choice = Holder.CHOICE;
    if (choice.backend == null) {
      throw new IllegalStateException(refusal(choice.reports));
    }
    return choice.backend;
  }

  /** Every backend found, why it was or was not taken. */
  public static List<Report> reports() {
    return Holder.CHOICE.reports;
  }

  private static Choice choose(String forced) {
    List<Report> reports = new ArrayList<>();
    List<BackendProvider> providers =
        Providers.find(
            BackendProvider.class, problem -> reports.add(new Report("?", problem, false)));
    providers.sort(Comparator.comparingInt(BackendProvider::priority).reversed());
    Backend chosen = null;
    for (BackendProvider provider : providers) {
      boolean wanted = forced == null || forced.equals(provider.name());
      try {
        if (!wanted) {
          reports.add(
              new Report(provider.name(), "not asked for by -D" + PROPERTY + "=" + forced, false));
        } else if (chosen != null) {
          reports.add(
              new Report(provider.name(), "can run; " + chosen.name() + " is faster", false));
        } else {
          chosen = provider.open();
          reports.add(new Report(provider.name(), chosen.description(), true));
        }
      } catch (BackendUnavailableException e) {
        reports.add(new Report(provider.name(), e.getMessage(), false));
      }
    }
    return new Choice(chosen, List.copyOf(reports));
  }

  private static String refusal(List<Report> reports) {
    String forced = System.getProperty(PROPERTY);
    StringBuilder text =
        new StringBuilder(
            forced == null
                ? "no kernel backend can run here:"
                : "the backend '" + forced + "' that -D" + PROPERTY + " asks for cannot run here:");
    if (forced != null && reports.stream().noneMatch(report -> report.name.equals(forced))) {
      text.append("\n  there is none of that name");
    }
    for (Report report : reports) {
      text.append("\n  ").append(report);
    }
    if (reports.isEmpty()) {
      text.append(" none is on the module path or class path");
    }
    return text.toString();
  }
}
