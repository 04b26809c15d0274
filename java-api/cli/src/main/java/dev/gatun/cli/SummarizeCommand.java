package dev.gatun.cli;

import com.fasterxml.jackson.annotation.JsonProperty;
import dev.gatun.generation.GenerationConfig;
import dev.gatun.generation.GenerationStream;
import dev.gatun.pipelines.SummarizationPipeline;
import dev.gatun.pipelines.Summary;
import java.io.IOException;
import java.util.List;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.ParameterException;
import picocli.CommandLine.Spec;

/** {@code gatun summarize}: a text in few words. */
@Command(
    name = "summarize",
    mixinStandardHelpOptions = true,
    versionProvider = Version.class,
    description =
        "Summarises a text with an encoder-decoder; the summary comes as it is made, by the"
            + " settings that config.json has for the task.",
    footer = {
      "%nA text that has more tokens than the model reads is cut into parts at the ends of"
          + " sentences; their summaries come a line each, and standard error says how many they"
          + " are.",
      "%nWith --json: model, summary, part_tokens and parts (what generate --json tells of each)."
    })
final class SummarizeCommand implements Callable<Integer> {
  @Mixin private DecoderOptions model;

  @Mixin private Seq2SeqOptions options;

  @Option(
      names = "--part-tokens",
      paramLabel = "N",
      description = "The most tokens that are read at once (as many as the model reads).")
  private int partTokens = Integer.MAX_VALUE;

  @Spec private CommandSpec spec;

  private final Terminal terminal;

  SummarizeCommand(Terminal terminal) {
    this.terminal = terminal;
  }

  /** What {@code --json} prints. */
  private record Report(
      String model,
      String summary,
      @JsonProperty("part_tokens") int partTokens,
      List<GenerationReport> parts) {}

  @Override
  public Integer call() throws IOException {
    if (partTokens < 1) {
      throw new ParameterException(
          spec.commandLine(), "--part-tokens: %d, expected a number from 1".formatted(partTokens));
    }
    String text = options.text(terminal);
    TextPrinter printer = new TextPrinter(terminal);
    try (SummarizationPipeline pipeline = load()) {
      printer.warn(pipeline.defaults());
      GenerationConfig config = options.config(pipeline.defaults().config());
      List<String> parts = pipeline.parts(text);
      if (parts.size() > 1) {
        terminal
            .err()
            .println(
                "gatun: the text has more than %d tokens, which are read at once: summarised in %d parts"
                    .formatted(pipeline.partTokens(), parts.size()));
      }
      List<GenerationStream> streams =
          parts.stream().map(part -> pipeline.stream(part, config)).toList();
      if (!options.json()) {
        streams.forEach(printer::print);
        return 0;
      }
      Summary summary = new Summary(streams.stream().map(GenerationStream::result).toList());
      terminal
          .out()
          .println(
              Json.write(
                  new Report(
                      model.directory().toString(),
                      summary.text(),
                      pipeline.partTokens(),
                      summary.parts().stream()
                          .map(part -> GenerationReport.of(model.directory(), part))
                          .toList())));
    }
    return 0;
  }

  private SummarizationPipeline load() throws IOException {
    try (Progress progress = new Progress("loading", 0, terminal)) {
      return SummarizationPipeline.load(
          model.directory(), model.options(), partTokens, progress::at);
    }
  }
}
