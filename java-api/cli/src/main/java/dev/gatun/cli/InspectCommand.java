package dev.gatun.cli;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;

/** {@code gatun inspect}: what is in a model. */
@Command(
    name = "inspect",
    mixinStandardHelpOptions = true,
    versionProvider = Version.class,
    description = "Shows what a model directory or a weights file holds, and whether it would run.",
    footer = {
      "%nNo weight is read: the answer comes from the configuration and the files' headers.",
      "%nWith --json: path, model_type, architectures, runs_as, reasons (why not), context,"
          + " vocabulary, quantization, tokenizer, tensors, parameters, bytes, dtypes (tensors,"
          + " parameters, bytes) and files (name, bytes); with --tensors also each tensor's name,"
          + " dtype and shape."
    })
final class InspectCommand implements Callable<Integer> {
  @Parameters(paramLabel = "DIR_OR_FILE", description = "A model's directory, or a weights file.")
  private Path path;

  @Option(names = "--tensors", description = "Print each tensor's name, dtype and shape.")
  private boolean tensors;

  @Option(names = "--json", description = "Print one JSON object.")
  private boolean json;

  private final Terminal terminal;

  InspectCommand(Terminal terminal) {
    this.terminal = terminal;
  }

  @Override
  public Integer call() throws IOException {
    if (!Files.exists(path)) {
      throw new CliException(path + ": there is no such file or directory");
    }
    Inspection inspection = Inspection.of(path, tensors);
    if (json) {
      terminal.out().println(Json.write(inspection));
    } else {
      inspection.print(terminal);
    }
    return 0;
  }
}
