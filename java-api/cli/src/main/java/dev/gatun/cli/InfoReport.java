package dev.gatun.cli;

import dev.gatun.kernels.api.device.BackendReport;
import dev.gatun.kernels.api.device.DeviceReport;
import dev.gatun.kernels.api.device.Devices;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.stream.Collectors;

/**
 * What {@code gatun info} shows; its JSON has the same names.
 *
 * @param versions of Gatun and of what it stands on, by their names
 * @param os the system's name, version and architecture
 * @param processor the processor
 * @param processors how many of its threads this process may use
 * @param backends every backend, why it was or was not taken
 * @param backend_details what else the chosen one tells
 * @param devices the devices beside the processor, a report a kind
 * @param native_access the flag that lets Java call native code without a warning
 * @param cache the folder for what can be made again
 * @param bundled_model the folder of the model that search uses
 */
record InfoReport(
    Map<String, String> versions,
    String os,
    Processor processor,
    int processors,
    List<BackendReport> backends,
    List<String> backend_details,
    List<DeviceReport> devices,
    String native_access,
    String cache,
    String bundled_model) {

  /** Prints it for people. */
  void print(Terminal terminal, boolean verbose) {
    row(
        terminal,
        "versions",
        versions.entrySet().stream()
            .map(entry -> entry.getKey() + " " + entry.getValue())
            .collect(Collectors.joining(", ")));
    row(terminal, "os", os);
    row(terminal, "processor", processor.name() + ", " + processors + " usable");
    row(terminal, "features", String.join(" ", processor.features()));
    if (backends.stream().noneMatch(BackendReport::chosen)) {
      row(terminal, "backend", "none is in use, so no model can run:");
    }
    for (BackendReport report : backends) {
      row(terminal, "backend", (report.chosen() ? "* " : "  ") + report);
      if (report.chosen()) {
        backend_details.forEach(line -> row(terminal, "", "    " + line));
      }
    }
    if (devices.isEmpty()) {
      row(terminal, "devices", "nothing on the module path or class path looks for any");
    }
    devices.forEach(report -> print(terminal, report, verbose));
    row(terminal, "native access", native_access + " (or =ALL-UNNAMED on the class path)");
    row(terminal, "cache", cache);
    row(terminal, "bundled model", bundled_model);
  }

  private static void print(Terminal terminal, DeviceReport report, boolean verbose) {
    String driver = report.driver() == null ? "" : " (driver: " + report.driver() + ")";
    row(terminal, "devices", "  " + report.name() + driver + ": " + report.status());
    for (DeviceReport.Found device : report.devices()) {
      String text =
          String.format(
              Locale.ROOT,
              "    %d: %s, compute capability %s, %.1f GiB",
              device.ordinal(),
              device.name(),
              device.capability(),
              device.bytes() / (double) (1L << 30));
      row(terminal, "", text);
      if (verbose) {
        opened(report.name(), device.ordinal())
            .forEach(line -> row(terminal, "", "       " + line));
      }
    }
    report.details().forEach(line -> row(terminal, "", "    " + line));
    if (verbose) {
      report.attempts().forEach(attempt -> row(terminal, "", "    " + attempt));
    }
  }

  /** What an open device tells besides, or why it cannot be opened. */
  private static List<String> opened(String kind, int ordinal) {
    try {
      return Devices.open(kind, ordinal).details();
    } catch (IllegalStateException e) {
      return List.of(e.getMessage());
    }
  }

  private static void row(Terminal terminal, String name, String value) {
    terminal
        .out()
        .println(terminal.bold(String.format("%-14s", name)) + " " + Terminal.shown(value));
  }
}
