package dev.gatun.cli;

import com.fasterxml.jackson.annotation.JsonInclude;
import dev.gatun.compression.GgufQuantizer;
import dev.gatun.compression.ImportanceMatrix;
import dev.gatun.compression.PackedCheckpoint;
import dev.gatun.compression.QuantizedModel;
import dev.gatun.generation.Divergence;
import dev.gatun.kernels.api.memory.BlockFormat;
import dev.gatun.kernels.api.memory.Storage;
import dev.gatun.models.AutoModel;
import dev.gatun.models.CausalLm;
import dev.gatun.nn.Compute;
import dev.gatun.tensor.Device;
import dev.gatun.text.Tokenizer;
import dev.gatun.weights.WeightTypes;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.concurrent.Callable;
import java.util.stream.Collectors;
import picocli.CommandLine.Command;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.ParameterException;
import picocli.CommandLine.Parameters;
import picocli.CommandLine.Spec;

/** {@code gatun quantize}: a model with narrower weights, as a GGUF file or a directory. */
@Command(
    name = "quantize",
    mixinStandardHelpOptions = true,
    versionProvider = Version.class,
    description =
        "Writes a model as a GGUF file in one of GGUF's types, or as a directory in blocks of INT8"
            + " or INT4.",
    footer = {
      "%nTypes: F32, F16, BF16, Q4_0, Q4_1, Q5_0, Q5_1, Q8_0, Q2_K, Q3_K, Q4_K, Q5_K, Q6_K,"
          + " IQ4_NL, IQ4_XS, and the mixtures Q4_K_M and Q5_K_M, which keep some layers wider."
          + " The output layer is Q6_K, or Q8_0 of Q8_0; norms and biases are F32. INT8, INT8:G,"
          + " INT4:G, and with a zero point a group INT8_ZERO:G and INT4_ZERO:G, in groups G of 32,"
          + " 64 or 128, make a directory with config.json and tokenizer; embeddings stay as they"
          + " are.",
      "%nWith --text the model and the file are compared: perplexity of both, and the"
          + " Kullback-Leibler divergence of their next tokens in nats (its mean and its most),"
          + " with exact products of the weights as they are. Both are in memory then.",
      "%nWith --json: model, file, type, source_bytes, bytes, parameters, seconds, tensors (by"
          + " type), left_out, notes, tokenizer, and with --text tokens, window, perplexity_before,"
          + " perplexity_after, kl_mean, kl_most and same_top."
    })
final class QuantizeCommand implements Callable<Integer> {
  private static final int WINDOW = 512;

  @Option(
      names = "--model",
      paramLabel = "DIR",
      required = true,
      description = "A Hugging Face directory, or a GGUF file.")
  private Path model;

  @Option(
      names = "--to",
      paramLabel = "TYPE",
      required = true,
      description = "What weights become, such as Q4_K_M.")
  private String type;

  @Parameters(paramLabel = "OUT", description = "The GGUF file, or the directory, to write.")
  private Path out;

  @Option(
      names = "--text",
      paramLabel = "FILE",
      description = "A text to compare the model by, before and after.")
  private Path text;

  @Option(
      names = "--imatrix-text",
      paramLabel = "FILE",
      description =
          "A text, such as a part of what the model will see, by which errors in the columns that"
              + " matter more weigh more. Takes longer.")
  private Path imatrixText;

  @Option(
      names = "--window",
      paramLabel = "N",
      description =
          "Tokens that the models see at once (the model's context, up to " + WINDOW + ").")
  private Integer window;

  @Option(names = "--json", description = "Print one JSON object.")
  private boolean json;

  @Spec private CommandSpec spec;

  private final Terminal terminal;

  QuantizeCommand(Terminal terminal) {
    this.terminal = terminal;
  }

  /** What {@code --json} prints. */
  @JsonInclude(JsonInclude.Include.NON_NULL)
  record Report(
      String model,
      String file,
      String type,
      long source_bytes,
      long bytes,
      long parameters,
      double seconds,
      Map<String, Integer> tensors,
      List<String> left_out,
      List<String> notes,
      boolean tokenizer,
      Integer tokens,
      Integer window,
      Double perplexity_before,
      Double perplexity_after,
      Double kl_mean,
      Double kl_most,
      Double same_top) {}

  @Override
  public Integer call() throws IOException {
    if (!Files.isDirectory(model) && !GgufPaths.isGguf(model)) {
      throw new CliException(model + ": not a model directory, nor a GGUF file");
    }
    if (Files.exists(out) && Files.isSameFile(model, out)) {
      throw wrong(out + ": is the model that is read, expected another name");
    }
    if (window != null && text == null) {
      throw wrong("--window: is of the comparison that --text FILE asks for");
    }
    if (window != null && window < 2) {
      throw wrong("--window: %d tokens, expected 2 at least".formatted(window));
    }
    boolean packed = PackedCheckpoint.types().stream().anyMatch(type::equalsIgnoreCase);
    check(packed);
    String read = text == null ? null : TextFiles.read("--text", text);
    long start = System.nanoTime();
    ImportanceMatrix importance = imatrixText == null ? null : importance();
    QuantizedModel result;
    try (Progress progress = new Progress("quantizing", 0, terminal)) {
      result =
          packed
              ? PackedCheckpoint.write(model, out, BlockFormat.of(type), progress::at)
              : GgufQuantizer.quantize(model, out, type, importance, progress::at);
    }
    double seconds = (System.nanoTime() - start) / 1e9;
    if (!json) {
      print(result, seconds);
    }
    Compared compared = read == null ? new Compared(0, null) : compare(read);
    if (json) {
      terminal.out().println(Json.write(report(result, seconds, compared)));
    } else if (compared.divergence != null) {
      print(compared);
    }
    return 0;
  }

  private void check(boolean packed) {
    if (!packed && GgufQuantizer.types().stream().noneMatch(type::equalsIgnoreCase)) {
      throw wrong(
          "--to: %s, expected one of %s for a GGUF file or %s for a directory"
              .formatted(
                  type,
                  String.join(", ", GgufQuantizer.types()),
                  String.join(", ", PackedCheckpoint.types())));
    }
    if (packed && (GgufPaths.isGgufName(out) || Files.exists(out))) {
      throw wrong("%s: expected the name of a new directory for %s".formatted(out, type));
    }
    if (!packed && (!GgufPaths.isGgufName(out) || Files.isDirectory(out))) {
      throw wrong(out + ": expected the name of a file that ends in .gguf");
    }
    if (packed && imatrixText != null) {
      throw wrong("--imatrix-text: blocks of %s are made without it".formatted(type));
    }
  }

  private ParameterException wrong(String message) {
    return new ParameterException(spec.commandLine(), message);
  }

  private ImportanceMatrix importance() throws IOException {
    String read = TextFiles.read("--imatrix-text", imatrixText);
    try (Tokenizer tokenizer = Tokenizer.load(model);
        Progress progress = new Progress("importance", 0, terminal)) {
      int[] ids = ids(tokenizer, read);
      return ImportanceMatrix.of(model, ids, null, done -> progress.at(done, ids.length));
    }
  }

  private static int[] ids(Tokenizer tokenizer, String text) {
    return Arrays.stream(tokenizer.encode(text).ids()).mapToInt(Math::toIntExact).toArray();
  }

  private void print(QuantizedModel result, double seconds) {
    terminal
        .out()
        .println(
            String.format(
                Locale.ROOT,
                "%s: %s, %.2f bits a weight (before: %s), %.1f s",
                Terminal.shown(out.toString()),
                Inspection.size(result.bytes()),
                8.0 * result.bytes() / result.elements(),
                Inspection.size(result.sourceBytes()),
                seconds));
    terminal
        .out()
        .println(
            "tensors: "
                + result.types().entrySet().stream()
                    .map(e -> e.getValue() + " " + e.getKey())
                    .collect(Collectors.joining(", ")));
    if (!result.leftOut().isEmpty()) {
      terminal.out().println("left out: " + Terminal.shown(String.join(", ", result.leftOut())));
    }
    result.notes().forEach(note -> terminal.out().println(Terminal.shown(note)));
    if (!result.hasTokenizer()) {
      terminal.out().println("without a tokenizer: the model has none");
    }
  }

  private record Compared(int window, Divergence divergence) {}

  private Compared compare(String read) throws IOException {
    try (Tokenizer tokenizer = Tokenizer.load(model);
        CausalLm before = load(model);
        CausalLm after = load(out)) {
      int[] ids = ids(tokenizer, read);
      int tokens = window == null ? Math.min(WINDOW, before.maxLength()) : window;
      try (Progress progress = new Progress("comparing", ids.length - 1L, terminal)) {
        int[] done = {0};
        Divergence divergence =
            Divergence.of(
                before,
                after,
                ids,
                tokens,
                Math.max(1, tokens / 2),
                told -> {
                  progress.step(told - done[0]);
                  done[0] = told;
                });
        return new Compared(tokens, divergence);
      }
    }
  }

  private CausalLm load(Path path) throws IOException {
    try (Progress progress = new Progress("loading", 0, terminal)) {
      return AutoModel.loadCausalLm(
          path, Device.cpu(), WeightTypes.of(Storage.F32), Compute.EXACT, progress::at);
    }
  }

  private void print(Compared compared) {
    Divergence found = compared.divergence;
    terminal
        .out()
        .println(
            String.format(
                Locale.ROOT,
                "perplexity %.4f before, %.4f after (%d tokens, window %d)%n"
                    + "KL divergence %.3g nats a token, at most %.3g; the likeliest token is the"
                    + " same for %.1f %%",
                found.before().value(),
                found.after().value(),
                found.before().tokens(),
                compared.window,
                found.mean(),
                found.most(),
                100 * found.sameTop()));
  }

  private Report report(QuantizedModel result, double seconds, Compared compared) {
    Divergence found = compared.divergence;
    boolean none = found == null;
    return new Report(
        model.toString(),
        out.toString(),
        type.toUpperCase(Locale.ROOT),
        result.sourceBytes(),
        result.bytes(),
        result.elements(),
        seconds,
        result.types(),
        result.leftOut(),
        result.notes(),
        result.hasTokenizer(),
        none ? null : (Integer) found.before().tokens(),
        none ? null : (Integer) compared.window,
        none ? null : (Double) found.before().value(),
        none ? null : (Double) found.after().value(),
        none ? null : (Double) found.mean(),
        none ? null : (Double) found.most(),
        none ? null : (Double) found.sameTop());
  }
}
