package dev.gatun.cli;

import dev.gatun.generation.GeneratorOptions;
import dev.gatun.generation.Perplexity;
import dev.gatun.models.AutoModel;
import dev.gatun.models.CausalLm;
import dev.gatun.text.Tokenizer;
import dev.gatun.weights.WeightTypes;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.Locale;
import java.util.Map;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;

/** {@code gatun perplexity}: how well a model tells a text. */
@Command(
    name = "perplexity",
    mixinStandardHelpOptions = true,
    versionProvider = Version.class,
    description = "Tells how well a decoder predicts a text: e to its mean loss a token.",
    footer = {
      "%nThe mean is the sum of all tokens' losses over their number. The first token is told from"
          + " nothing and does not count. Each window but the first counts its last --stride"
          + " tokens.",
      "%nWith --json: model, file, bytes, tokens, window, stride, loss (the sum, in nats),"
          + " perplexity and bits_per_byte."
    })
final class PerplexityCommand implements Callable<Integer> {
  private static final int WINDOW = 1024;

  @Mixin private DecoderOptions decoder;

  @Parameters(paramLabel = "FILE", description = "The text, in UTF-8.")
  private Path file;

  @Option(
      names = "--window",
      paramLabel = "N",
      description =
          "Tokens that the model sees at once (the model's context, up to " + WINDOW + ").")
  private Integer window;

  @Option(
      names = "--stride",
      paramLabel = "N",
      description = "Tokens from window to window (half a window).")
  private Integer stride;

  @Option(names = "--json", description = "Print one JSON object.")
  private boolean json;

  private final Terminal terminal;

  PerplexityCommand(Terminal terminal) {
    this.terminal = terminal;
  }

  @Override
  public Integer call() throws IOException {
    Path directory = decoder.directory();
    String text = TextFiles.read("the text", file);
    GeneratorOptions options = decoder.options();
    try (Tokenizer tokenizer = Tokenizer.load(directory);
        CausalLm model = load(directory, options)) {
      int[] ids = Arrays.stream(tokenizer.encode(text).ids()).mapToInt(Math::toIntExact).toArray();
      int tokens = window == null ? Math.min(WINDOW, model.maxLength()) : window;
      int step = stride == null ? Math.max(1, tokens / 2) : stride;
      Perplexity found;
      try (Progress progress = new Progress("tokens", ids.length - 1L, terminal)) {
        int[] before = {0};
        found =
            Perplexity.of(
                model,
                options.cacheDtype().orElse(model.cacheShape().dtype()),
                ids,
                tokens,
                step,
                told -> {
                  progress.step(told - before[0]);
                  before[0] = told;
                });
      }
      print(text.getBytes(StandardCharsets.UTF_8).length, tokens, step, found);
    }
    return 0;
  }

  private CausalLm load(Path directory, GeneratorOptions options) throws IOException {
    try (Progress progress = new Progress("loading", 0, terminal)) {
      return AutoModel.loadCausalLm(
          directory,
          options.device(),
          WeightTypes.of(options.storage()).withMapped(options.mappedWeights()),
          options.compute(),
          progress::at);
    }
  }

  private void print(int bytes, int tokens, int step, Perplexity found) throws IOException {
    double bitsPerByte = found.bitsPerByte(bytes);
    if (json) {
      Map<String, Object> report = new LinkedHashMap<>();
      report.put("model", decoder.directory().toString());
      report.put("file", file.toString());
      report.put("bytes", bytes);
      report.put("tokens", found.tokens());
      report.put("window", tokens);
      report.put("stride", step);
      report.put("loss", found.loss());
      report.put("perplexity", found.value());
      report.put("bits_per_byte", bitsPerByte);
      terminal.out().println(Json.write(report));
      return;
    }
    terminal
        .out()
        .println(
            String.format(
                Locale.ROOT,
                "perplexity %.4f, %.4f bits a byte (%d tokens, %d bytes, window %d, stride %d)",
                found.value(),
                bitsPerByte,
                found.tokens(),
                bytes,
                tokens,
                step));
  }
}
