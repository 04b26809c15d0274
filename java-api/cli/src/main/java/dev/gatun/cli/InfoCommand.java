package dev.gatun.cli;

import dev.gatun.kernels.api.Backends;
import java.io.IOException;
import java.io.PrintStream;
import java.util.List;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Option;

/** {@code gatun info}: what runs here, and why not something else. */
@Command(
    name = "info",
    mixinStandardHelpOptions = true,
    versionProvider = Version.class,
    description = "Shows versions, the processor, the backends and where files are kept.")
final class InfoCommand implements Callable<Integer> {
  static final String NATIVE_ACCESS = "--enable-native-access=dev.gatun.bindings,ai.djl.tokenizers";

  private record Info(
      String gatun,
      String java,
      String os,
      Processor processor,
      int processors,
      List<Backends.Report> backends,
      String native_access,
      String cache,
      String bundled_model) {}

  @Option(names = "--json", description = "Print one JSON object.")
  private boolean json;

  private final Terminal terminal;

  InfoCommand(Terminal terminal) {
    this.terminal = terminal;
  }

  @Override
  public Integer call() throws IOException {
    Info info =
        new Info(
            Version.gatun(),
            Runtime.version() + " (" + System.getProperty("java.vendor") + ")",
            String.join(
                " ",
                System.getProperty("os.name"),
                System.getProperty("os.version"),
                System.getProperty("os.arch")),
            Processor.find(),
            Runtime.getRuntime().availableProcessors(),
            Backends.reports(),
            NATIVE_ACCESS,
            CacheDirectory.find().toString(),
            BundledModel.directory().toString());
    if (json) {
      terminal.out().println(Json.write(info));
    } else {
      print(info, terminal.out());
    }
    return 0;
  }

  private void print(Info info, PrintStream out) {
    row(out, "gatun", info.gatun);
    row(out, "java", info.java);
    row(out, "os", info.os);
    row(out, "processor", info.processor.name() + ", " + info.processors + " usable");
    row(out, "features", String.join(" ", info.processor.features()));
    if (info.backends.isEmpty()) {
      row(out, "backend", "none is on the module path or class path");
    }
    for (Backends.Report report : info.backends) {
      row(out, "backend", (report.chosen() ? "* " : "  ") + report.name() + ": " + report.status());
    }
    row(out, "native access", info.native_access + " (or =ALL-UNNAMED on the class path)");
    row(out, "cache", info.cache);
    row(out, "bundled model", info.bundled_model);
  }

  private void row(PrintStream out, String name, String value) {
    out.println(terminal.bold(String.format("%-14s", name)) + " " + value);
  }
}
