package dev.gatun.cli;

import dev.gatun.kernels.api.device.Backend;
import dev.gatun.kernels.api.device.BackendReport;
import dev.gatun.kernels.api.device.Devices;
import dev.gatun.text.hf.TokenizerLibrary;
import java.io.IOException;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Option;
import picocli.CommandLine.ParentCommand;

/** {@code gatun info}: what runs here, and why not something else. */
@Command(
    name = "info",
    mixinStandardHelpOptions = true,
    versionProvider = Version.class,
    description =
        "Shows versions, the processor, the backends, the devices and where files are kept.",
    footer = {
      "%nWith --verbose: every place where a device's driver was looked for, and what each device"
          + " tells once it is opened.",
      "%nWith --json: versions, os, processor, processors, backends (name, status, chosen),"
          + " backend_details, devices (name, status, driver, devices, details, attempts),"
          + " native_access, cache and bundled_model."
    })
final class InfoCommand implements Callable<Integer> {
  static final String NATIVE_ACCESS =
      "--enable-native-access=dev.gatun.bindings,ai.djl.tokenizers,com.sun.jna";

  @Option(names = "--json", description = "Print one JSON object.")
  private boolean json;

  @ParentCommand private Gatun gatun;

  private final Terminal terminal;

  InfoCommand(Terminal terminal) {
    this.terminal = terminal;
  }

  @Override
  public Integer call() throws IOException {
    List<BackendReport> backends = Devices.hostReports();
    Map<String, String> versions = new LinkedHashMap<>();
    versions.put("gatun", Version.gatun());
    List<String> details = List.of();
    if (backends.stream().anyMatch(BackendReport::chosen)) {
      Backend backend = Devices.host();
      versions.putAll(backend.versions());
      details = backend.details();
    }
    versions.put("DJL tokenizers", TokenizerLibrary.version());
    versions.put("JDK", Runtime.version() + " (" + System.getProperty("java.vendor") + ")");
    InfoReport report =
        new InfoReport(
            versions,
            String.join(
                " ",
                System.getProperty("os.name"),
                System.getProperty("os.version"),
                System.getProperty("os.arch")),
            Processor.find(),
            Runtime.getRuntime().availableProcessors(),
            backends,
            details,
            Devices.reports(),
            NATIVE_ACCESS,
            CacheDirectory.find().toString(),
            BundledModel.directory().toString());
    if (json) {
      terminal.out().println(Json.write(report));
    } else {
      report.print(terminal, gatun.verbose());
    }
    return 0;
  }
}
