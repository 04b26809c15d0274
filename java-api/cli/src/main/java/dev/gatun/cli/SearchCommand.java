package dev.gatun.cli;

import java.io.IOException;
import java.nio.file.Path;
import java.util.List;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.ParameterException;
import picocli.CommandLine.Parameters;
import picocli.CommandLine.Spec;

/** {@code gatun search}: passages of texts by meaning. */
@Command(
    name = "search",
    mixinStandardHelpOptions = true,
    versionProvider = Version.class,
    description = "Finds the passages of texts that are nearest in meaning to a query.",
    footer = {
      "%nThe index is a cache of vectors: changed files are read again, deleted ones forgotten, and"
          + " it is built anew for another model. It is written as it grows: a run that was"
          + " interrupted goes on. A file that is no index is never overwritten.",
      "%nWith --json: query, model, backend, files, passages, embedded, skipped (hidden, binary,"
          + " unreadable) and results (rank, score, file, first_line, last_line, text)."
    })
final class SearchCommand implements Callable<Integer> {
  private static final String STDIN = "-";

  @Parameters(index = "0", paramLabel = "QUERY", description = "What to look for.")
  private String query;

  @Parameters(
      index = "1..*",
      arity = "0..*",
      paramLabel = "FILES",
      description =
          "Files and directories; none, or -, is standard input"
              + " (none with --index: the files in the index).")
  private List<String> inputs = List.of();

  @Option(
      names = "--top",
      paramLabel = "N",
      defaultValue = "5",
      description = "How many passages to print (${DEFAULT-VALUE}).")
  private int top;

  @Option(names = "--json", description = "Print one JSON object.")
  private boolean json;

  @Option(
      names = "--model",
      paramLabel = "DIR",
      description = "The directory of an encoder; all-MiniLM-L6-v2 when left out.")
  private Path model;

  @Option(
      names = "--device",
      paramLabel = "DEVICE",
      defaultValue = "cpu",
      description = "Where the model runs: cpu, cuda, cuda:N (${DEFAULT-VALUE}).")
  private String device;

  @Option(
      names = "--query-prompt",
      paramLabel = "NAME",
      description =
          "The prompt of the model that is put before the query; '' is none (query, else the"
              + " model's default).")
  private String queryPrompt;

  @Option(
      names = "--passage-prompt",
      paramLabel = "NAME",
      description =
          "The same before passages (document, passage or corpus, else the model's default).")
  private String passagePrompt;

  @Option(names = "--index", paramLabel = "FILE", description = "Keep the vectors in a file.")
  private Path indexFile;

  @Option(names = "--rebuild-index", description = "Build a damaged index anew.")
  private boolean rebuild;

  @Spec private CommandSpec spec;

  private final Terminal terminal;
  private final EmbedderLoader loader;

  SearchCommand(Terminal terminal, EmbedderLoader loader) {
    this.terminal = terminal;
    this.loader = loader;
  }

  @Override
  public Integer call() throws IOException {
    check();
    TextFiles files = new TextFiles(this::say);
    for (String input : inputs) {
      if (!input.equals(STDIN)) {
        files.add(Path.of(input));
      }
    }
    try (Embedder embedder =
        loader.load(model, device, new SearchPrompts(queryPrompt, passagePrompt))) {
      Ranking ranking = new Ranking(embedder.similarity(), queryVector(embedder), top);
      try (EmbeddingIndex index =
              indexFile == null
                  ? null
                  : EmbeddingIndex.open(indexFile, embedder.fingerprint(), rebuild, this::say);
          Progress progress = new Progress("Embedding", bytes(files, index), terminal)) {
        Corpus corpus = new Corpus(embedder, index, ranking, progress, this::say);
        fill(corpus, files, index);
        corpus.finish();
        print(corpus, files, ranking.best());
      }
    }
    return 0;
  }

  private void check() {
    if (top < 1) {
      throw new ParameterException(spec.commandLine(), "--top " + top + ": must be at least 1");
    }
    if (rebuild && indexFile == null) {
      throw new ParameterException(
          spec.commandLine(), "--rebuild-index: is of the index that --index FILE names");
    }
    if (query.isBlank()) {
      throw new ParameterException(spec.commandLine(), "the query is empty");
    }
  }

  /** The query's vector, before anything else takes its time. */
  private float[] queryVector(Embedder embedder) {
    int tokens = embedder.queryTokens(query);
    if (tokens > embedder.limit()) {
      throw new CliException(
          "the query has %d tokens, special tokens included, the model takes %d: shorten it"
              .formatted(tokens, embedder.limit()));
    }
    return embedder.embed(query);
  }

  /** How much there is to read; 0 when that is not known. */
  private long bytes(TextFiles files, EmbeddingIndex index) {
    if (inputs.contains(STDIN) || (inputs.isEmpty() && index == null)) {
      return 0;
    }
    List<Path> paths =
        inputs.isEmpty()
            ? index.paths()
            : files.files().stream().map(TextFiles.Found::path).toList();
    return paths.stream().mapToLong(path -> path.toFile().length()).sum();
  }

  private void fill(Corpus corpus, TextFiles files, EmbeddingIndex index) throws IOException {
    if (index != null) {
      index.dropMissing();
      if (inputs.isEmpty()) {
        index.paths().forEach(path -> corpus.addFile(new TextFiles.Found(path, false)));
      }
    }
    files.files().forEach(corpus::addFile);
    if (inputs.contains(STDIN) || (inputs.isEmpty() && index == null)) {
      String name = "(standard input)";
      corpus.addText(name, new Utf8Reader(name, terminal.in()));
    }
  }

  private void print(Corpus corpus, TextFiles files, List<Hit> hits) throws IOException {
    SearchReport report =
        new SearchReport(
            query,
            model == null ? BundledModel.NAME : model.toString(),
            loader.backend(device),
            corpus.files(),
            corpus.passages(),
            corpus.embedded(),
            files.hidden(),
            files.binary(),
            files.unreadable() + corpus.malformed(),
            hits);
    if (json) {
      terminal.out().println(report.json());
    } else {
      report.print(terminal);
    }
  }

  private void say(String message) {
    terminal.err().println("gatun: " + Terminal.shown(message));
  }
}
