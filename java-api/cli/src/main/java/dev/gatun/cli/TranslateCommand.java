package dev.gatun.cli;

import com.fasterxml.jackson.annotation.JsonProperty;
import dev.gatun.generation.GenerationConfig;
import dev.gatun.generation.GenerationStream;
import dev.gatun.pipelines.TranslationPipeline;
import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Iterator;
import java.util.List;
import java.util.Queue;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;

/** {@code gatun translate}: texts in another language. */
@Command(
    name = "translate",
    mixinStandardHelpOptions = true,
    versionProvider = Version.class,
    description = "Translates with an encoder-decoder; the text comes as it is made.",
    footer = {
      "%nLanguages are named as the model names them: eng_Latn (NLLB), en_XX (mBART), en (M2M-100,"
          + " T5), fra for >>fra<< (Marian). A model for one pair needs neither. Standard input is"
          + " translated line by line.",
      "%nWith --json: model, source_language, target_language and translations (source, and what"
          + " generate --json tells)."
    })
final class TranslateCommand implements Callable<Integer> {
  /** Lines that are computed together. */
  private static final int AT_ONCE = 32;

  @Mixin private DecoderOptions model;

  @Mixin private Seq2SeqOptions options;

  @Option(
      names = "--source-language",
      paramLabel = "CODE",
      description = "The language of the text.")
  private String source;

  @Option(names = "--target-language", paramLabel = "CODE", description = "The language to write.")
  private String target;

  private final Terminal terminal;

  TranslateCommand(Terminal terminal) {
    this.terminal = terminal;
  }

  /** What {@code --json} prints. */
  private record Report(
      String model,
      @JsonProperty("source_language") String source,
      @JsonProperty("target_language") String target,
      List<Translation> translations) {}

  private record Translation(String source, GenerationReport result) {}

  private record Running(String source, GenerationStream stream) {}

  @Override
  public Integer call() throws IOException {
    String text = options.text(terminal);
    List<String> texts = options.hasText() ? List.of(text) : text.lines().toList();
    TextPrinter printer = new TextPrinter(terminal);
    try (TranslationPipeline pipeline = load()) {
      printer.warn(pipeline.defaults());
      GenerationConfig config = options.config(pipeline.defaults().config());
      List<Translation> done = new ArrayList<>();
      Queue<Running> running = new ArrayDeque<>();
      Iterator<String> waiting = texts.iterator();
      while (waiting.hasNext() || !running.isEmpty()) {
        while (waiting.hasNext() && running.size() < AT_ONCE) {
          String next = waiting.next();
          running.add(new Running(next, next.isBlank() ? null : pipeline.stream(next, config)));
        }
        finish(running.poll(), printer, done);
      }
      if (options.json()) {
        Report report = new Report(model.directory().toString(), source, target, done);
        terminal.out().println(Json.write(report));
      }
    }
    return 0;
  }

  private void finish(Running next, TextPrinter printer, List<Translation> done) {
    if (next.stream == null) {
      if (!options.json()) {
        terminal.out().println();
      }
      return;
    }
    try (GenerationStream stream = next.stream) {
      if (options.json()) {
        done.add(
            new Translation(next.source, GenerationReport.of(model.directory(), stream.result())));
      } else {
        printer.print(stream);
      }
    }
  }

  private TranslationPipeline load() throws IOException {
    Path directory = model.directory();
    try (Progress progress = new Progress("loading", 0, terminal)) {
      return TranslationPipeline.load(directory, model.options(), source, target, progress::at);
    }
  }
}
