package dev.gatun.cli;

import dev.gatun.generation.GenerationConfig;
import dev.gatun.generation.GenerationResult;
import dev.gatun.generation.GenerationStream;
import dev.gatun.generation.GeneratorOptions;
import dev.gatun.generation.Speculation;
import dev.gatun.generation.TextGenerator;
import java.io.IOException;
import java.nio.file.Path;
import java.util.Locale;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.ParameterException;
import picocli.CommandLine.Spec;

/** {@code gatun generate}: text that goes on from a prompt. */
@Command(
    name = "generate",
    mixinStandardHelpOptions = true,
    versionProvider = Version.class,
    description =
        "Writes on from a prompt with a decoder, or what an encoder-decoder makes of it; the text"
            + " comes as it is made.",
    footer = {
      "%nSettings that are left out are those of the model's generation_config.json, else greedy."
          + " --temperature above 0, --top-k, --top-p and --min-p draw tokens at random; the seed"
          + " is told by --stats and --json.",
      "%nWith --json: model, prompt_tokens, cached_tokens, seed, prompt_seconds,"
          + " generation_seconds and completions (text, ids, reason, stop_string, score, logprobs)."
    })
final class GenerateCommand implements Callable<Integer> {
  @Mixin private DecoderOptions decoder;

  @Mixin private ConstraintOptions constrained;

  @Option(
      names = "--cache-bytes",
      paramLabel = "N",
      description = "The most memory for keys and values; by the model's context when left out.")
  private Long cacheBytes;

  @Option(
      names = "--prompt",
      paramLabel = "TEXT",
      description =
          "What the text begins with, or what an encoder-decoder reads; standard input when left"
              + " out.")
  private String prompt;

  @Mixin private SamplingOptions sampling;

  @Option(names = "--num-beams", paramLabel = "N", description = "Searches with N beams.")
  private Integer numBeams;

  @Option(
      names = "--num-return-sequences",
      paramLabel = "N",
      description = "Writes N texts, drawn ones or the best beams.")
  private Integer numReturnSequences;

  @Option(
      names = "--draft",
      paramLabel = "DIR",
      description =
          "A small model of the same vocabulary, which guesses tokens for the large one to verify;"
              + " changes the speed alone.")
  private Path draft;

  @Option(
      names = "--logprobs",
      paramLabel = "K",
      description = "With --json, tells each token's log-probability and those of the K best.")
  private Integer logprobs;

  @Option(names = "--stats", description = "Tells tokens, seconds and tokens a second at the end.")
  private boolean stats;

  @Option(names = "--json", description = "Print one JSON object.")
  private boolean json;

  @Spec private CommandSpec spec;

  private final Terminal terminal;

  GenerateCommand(Terminal terminal) {
    this.terminal = terminal;
  }

  @Override
  public Integer call() throws IOException {
    String text = prompt != null ? prompt : TextFiles.read(terminal);
    GeneratorOptions options = decoder.options(cacheBytes);
    TextPrinter printer = new TextPrinter(terminal);
    try (TextGenerator generator = load(options)) {
      printer.warn(generator.defaults());
      GenerationConfig config = config(generator.defaults().config());
      try (GenerationStream stream = generator.stream(text, config)) {
        boolean streams = !json && config.numReturnSequences() == 1;
        if (streams) {
          printer.print(stream);
        } else {
          printer.awaitFirst(stream);
        }
        report(stream.result(), streams);
      }
    }
    return 0;
  }

  private TextGenerator load(GeneratorOptions options) throws IOException {
    try (Progress progress = new Progress("loading", 0, terminal)) {
      return TextGenerator.load(decoder.directory(), draft, options, progress::at);
    }
  }

  private GenerationConfig config(GenerationConfig defaults) throws IOException {
    GenerationConfig.Builder builder = sampling.apply(defaults);
    if (!sampling.limitsLength()
        && defaults.maxNewTokens().isEmpty()
        && defaults.maxLength().isEmpty()) {
      builder.maxNewTokens(SamplingOptions.MAX_NEW_TOKENS);
    }
    if (numBeams != null) {
      builder.numBeams(numBeams);
    }
    if (numReturnSequences != null) {
      builder.numReturnSequences(numReturnSequences);
    }
    if (logprobs != null) {
      builder.logprobs(logprobs);
    }
    constrained.constraint().ifPresent(builder::constraint);
    try {
      return builder.build();
    } catch (IllegalArgumentException e) {
      throw new ParameterException(spec.commandLine(), e.getMessage(), e);
    }
  }

  private void report(GenerationResult result, boolean streamed) throws IOException {
    if (json) {
      terminal.out().println(Json.write(GenerationReport.of(decoder.directory(), result)));
      return;
    }
    if (!streamed) {
      for (int i = 0; i < result.completions().size(); i++) {
        terminal
            .out()
            .println(
                terminal.bold((i + 1) + ":")
                    + new TextPrinter(terminal).shown(result.completions().get(i).text()));
      }
    }
    if (stats) {
      double promptSeconds = result.promptTime().toNanos() / 1e9;
      double textSeconds = result.generationTime().toNanos() / 1e9;
      int after = Math.max(0, result.generatedTokens() - result.completions().size());
      terminal
          .err()
          .println(
              String.format(
                  Locale.ROOT,
                  "prompt: %d tokens, %d of them cached, %.2f s, %.1f tokens/s%n"
                      + "text: %d tokens, %.2f s after the first, %.1f tokens/s, seed %d",
                  result.promptTokens(),
                  result.cachedTokens(),
                  promptSeconds,
                  (result.promptTokens() - result.cachedTokens()) / promptSeconds,
                  result.generatedTokens(),
                  textSeconds,
                  textSeconds == 0 ? 0 : after / textSeconds,
                  result.seed()));
      Speculation speculation = result.speculation();
      if (speculation.guessed() > 0) {
        terminal
            .err()
            .println(
                "guesses: %d of %d were right"
                    .formatted(speculation.taken(), speculation.guessed()));
      }
      if (speculation.off() != null) {
        terminal.err().println(speculation.off());
      }
    }
  }
}
