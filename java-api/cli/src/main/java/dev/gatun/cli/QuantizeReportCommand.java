package dev.gatun.cli;

import dev.gatun.kernels.api.memory.BlockFormat;
import dev.gatun.kernels.api.memory.Storage;
import dev.gatun.nn.Compute;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.Callable;
import java.util.stream.Stream;
import picocli.CommandLine.Command;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.ParameterException;
import picocli.CommandLine.Parameters;
import picocli.CommandLine.Spec;

/** {@code gatun quantize-report}: what narrower weights cost in accuracy. */
@Command(
    name = "quantize-report",
    mixinStandardHelpOptions = true,
    versionProvider = Version.class,
    description = "Shows how far an encoder's embeddings move when its weights are kept narrower.",
    footer = {
      "%nThe cosines are those of each text's embedding to the one that float32 weights give;"
          + " the weights' error is the root of the squares of the differences to the squares of"
          + " the linear weights.",
      "%nWith --json: model, texts and rows (weights, activations, bits, weight_error,"
          + " least_cosine, mean_cosine, wider_layers, reason)."
    })
final class QuantizeReportCommand implements Callable<Integer> {
  private static final List<String> TEXTS =
      List.of(
          "How do ships climb over the isthmus?",
          "The locks lift a ship 26 metres above the sea, and let it down again.",
          "A river in flood carries more sand in a day than in the year before it.",
          "Der Vertrag wurde nach langen Verhandlungen unterzeichnet.",
          "La biblioteca abre los domingos por la mañana.",
          "Le train de nuit arrive avant l'aube.",
          "def mean(values): return sum(values) / len(values)",
          "SELECT city, COUNT(*) FROM visits GROUP BY city ORDER BY 2 DESC;",
          "42",
          "Invoice no. 2025-117: three pumps, two valves, one week's work.",
          "No one in the village could say who had built the bridge.",
          "!!!");

  @Parameters(
      paramLabel = "DIR",
      arity = "0..1",
      description = "The directory of an encoder; all-MiniLM-L6-v2 when left out.")
  private Path model;

  @Option(names = "--texts", paramLabel = "FILE", description = "Texts to embed, one a line.")
  private Path texts;

  @Option(
      names = "--formats",
      paramLabel = "FORMAT",
      split = ",",
      description =
          "Block formats of weights, such as INT8,INT4:64,Q4_K, and pairs such as"
              + " INT4_ZERO:32+INT8: the second for the layers that lose most by the first, as few"
              + " as --mean-cosine needs. A choice when left out.")
  private List<String> formats;

  @Option(
      names = "--mean-cosine",
      paramLabel = "C",
      defaultValue = "0.985",
      description = "What pairs of formats are to reach (${DEFAULT-VALUE}).")
  private double meanCosine;

  @Option(names = "--json", description = "Print one JSON object.")
  private boolean json;

  @Spec private CommandSpec spec;

  private final Terminal terminal;

  QuantizeReportCommand(Terminal terminal) {
    this.terminal = terminal;
  }

  @Override
  public Integer call() throws IOException {
    if (model != null && !Files.isDirectory(model)) {
      throw new CliException(model + ": not a model directory");
    }
    if (!(meanCosine <= 1)) {
      throw new ParameterException(
          spec.commandLine(), "--mean-cosine: %s, expected at most 1".formatted(meanCosine));
    }
    List<QuantizeReport.Kind> types = types();
    List<String> lines = texts == null ? TEXTS : lines(texts);
    Path directory = model == null ? BundledModel.unpack() : model;
    List<QuantizeReport.Row> rows = new ArrayList<>();
    try (Progress progress = new Progress("quantizing", types.size(), terminal)) {
      QuantizeReport report = QuantizeReport.open(directory, lines);
      for (QuantizeReport.Kind type : types) {
        rows.add(report.row(type, meanCosine));
        progress.step(1);
      }
    }
    if (json) {
      terminal
          .out()
          .println(Json.write(new QuantizeReport.Result(directory.toString(), lines.size(), rows)));
    } else {
      QuantizeReport.print(terminal, rows);
    }
    return 0;
  }

  private static List<String> lines(Path file) throws IOException {
    List<String> lines = TextFiles.read("--texts", file).lines().filter(l -> !l.isBlank()).toList();
    if (lines.isEmpty()) {
      throw new CliException("--texts: %s has no texts, expected one a line".formatted(file));
    }
    return lines;
  }

  private List<QuantizeReport.Kind> types() {
    if (formats == null) {
      List<QuantizeReport.Kind> types = new ArrayList<>();
      Stream.concat(
              Stream.of(
                  new QuantizeReport.Kind(Storage.BF16, Compute.EXACT),
                  new QuantizeReport.Kind(Storage.F16, Compute.EXACT),
                  new QuantizeReport.Kind(Storage.INT8, Compute.INT8_PER_TOKEN)),
              Stream.of(
                      "INT8",
                      "INT8:32",
                      "INT4:32",
                      "INT4_ZERO:32",
                      "INT4:128",
                      "Q8_0",
                      "Q4_0",
                      "Q4_K")
                  .map(BlockFormat::of)
                  .flatMap(QuantizeReportCommand::types))
          .forEach(types::add);
      types.add(pair("INT4_ZERO:32", "INT8"));
      return types;
    }
    List<QuantizeReport.Kind> types = new ArrayList<>();
    for (String name : formats) {
      try {
        int plus = name.indexOf('+');
        if (plus >= 0) {
          types.add(pair(name.substring(0, plus), name.substring(plus + 1)));
        } else {
          types(BlockFormat.of(name)).forEach(types::add);
        }
      } catch (IllegalArgumentException e) {
        throw new ParameterException(spec.commandLine(), "--formats: " + e.getMessage());
      }
    }
    return types;
  }

  private static QuantizeReport.Kind pair(String most, String wider) {
    return new QuantizeReport.Kind(
        Storage.of(BlockFormat.of(most)), Storage.of(BlockFormat.of(wider)), Compute.INT8_BLOCKS);
  }

  private static Stream<QuantizeReport.Kind> types(BlockFormat format) {
    return Stream.of(Compute.EXACT, Compute.INT8_BLOCKS)
        .map(compute -> new QuantizeReport.Kind(Storage.of(format), compute));
  }
}
