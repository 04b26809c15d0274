package dev.gatun.cli;

import dev.gatun.generation.GeneratorOptions;
import dev.gatun.server.GatunServer;
import dev.gatun.server.ServedModel;
import dev.gatun.server.ServerLimits;
import dev.gatun.server.ServerOptions;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.ParameterException;
import picocli.CommandLine.Spec;

/** {@code gatun serve}: models by OpenAI's protocol. */
@Command(
    name = "serve",
    mixinStandardHelpOptions = true,
    versionProvider = Version.class,
    description =
        "Serves models by OpenAI's protocol, and a page to try them in a browser: what writes, what"
            + " makes vectors, and cross-encoders that rank.",
    footer = {
      "%nPaths: /v1/chat/completions, /v1/completions, /v1/embeddings, /v1/rerank, /v1/models,"
          + " /tokenize, /health, /metrics (Prometheus); the page at /.",
      "%nKeys may also be in the variable GATUN_API_KEY, one a line. Without a key it serves this"
          + " machine alone. SIGTERM and Ctrl-C let running answers end."
    })
final class ServeCommand implements Callable<Integer> {
  private static final String KEYS = "GATUN_API_KEY";

  @Option(
      names = "--model",
      paramLabel = "[NAME=]DIR",
      required = true,
      description =
          "A model's Hugging Face directory, or its GGUF file, and the name that clients call it"
              + " by, which is the folder's where none is given; may be given several times.")
  private List<String> models;

  @Mixin private PlacementOptions placement;

  @Option(
      names = "--cache-bytes",
      paramLabel = "N",
      description =
          "The most memory for keys and values, each model; by its context when left out.")
  private Long cacheBytes;

  @Option(
      names = "--parallel",
      paramLabel = "N",
      description = "The most texts that a model writes at once; others wait (32).")
  private Integer parallel;

  @Option(
      names = "--host",
      paramLabel = "HOST",
      defaultValue = "127.0.0.1",
      description = "The address to serve on (${DEFAULT-VALUE}); others need a key.")
  private String host;

  @Option(
      names = "--port",
      paramLabel = "PORT",
      defaultValue = "8080",
      description = "The port to serve on (${DEFAULT-VALUE}); 0 for any that is free.")
  private int port;

  @Option(
      names = "--api-key",
      paramLabel = "KEY",
      description = "Serves who sends this key as a bearer; may be given several times.")
  private List<String> apiKeys;

  @Option(
      names = "--queue-length",
      paramLabel = "N",
      description = "The most requests of a model that may wait (256).")
  private Integer queueLength;

  @Option(
      names = "--queue-seconds",
      paramLabel = "S",
      description = "How long a request may wait for its turn (60).")
  private Integer queueSeconds;

  @Option(
      names = "--request-seconds",
      paramLabel = "S",
      description = "How long a request may take (600).")
  private Integer requestSeconds;

  @Option(
      names = "--body-bytes",
      paramLabel = "N",
      description = "The most bytes of a request's body (16777216).")
  private Integer bodyBytes;

  @Option(
      names = "--shutdown-seconds",
      paramLabel = "S",
      description = "How long running answers may go on at the end (20).")
  private Integer shutdownSeconds;

  @Spec private CommandSpec spec;

  private final Terminal terminal;

  ServeCommand(Terminal terminal) {
    this.terminal = terminal;
  }

  @Override
  public Integer call() throws IOException, InterruptedException {
    ServerOptions options = options();
    GeneratorOptions generator = generatorOptions();
    List<ServedModel> served = new ArrayList<>();
    GatunServer server = null;
    try {
      for (String model : models) {
        served.add(load(model, generator));
      }
      server = start(options, served);
    } finally {
      if (server == null) {
        served.forEach(ServedModel::close);
      }
    }
    Thread end = new Thread(server::close, "gatun-server-end");
    Runtime.getRuntime().addShutdownHook(end);
    for (ServedModel model : served) {
      say("serves %s: %s".formatted(model.name(), String.join(", ", model.capabilities())));
      model.warnings().forEach(warning -> say(model.name() + ": " + warning));
    }
    say("listens at %s".formatted(server.uri()));
    server.awaitClose();
    return 0;
  }

  private void say(String line) {
    terminal.err().println("gatun: " + Terminal.shown(line));
  }

  private static GatunServer start(ServerOptions options, List<ServedModel> served)
      throws IOException {
    try {
      return GatunServer.start(options, served);
    } catch (IllegalArgumentException e) {
      throw new CliException(e.getMessage(), e);
    }
  }

  private ServedModel load(String argument, GeneratorOptions options) throws IOException {
    int at = argument.indexOf('=');
    boolean named = at > 0 && !Files.exists(Path.of(argument));
    Path path = Path.of(named ? argument.substring(at + 1) : argument);
    if (!Files.isDirectory(path) && !GgufPaths.isGguf(path)) {
      throw new CliException(path + ": not a model directory, nor a GGUF file");
    }
    return ServedModel.load(named ? argument.substring(0, at) : name(path), path, options);
  }

  private static String name(Path path) {
    String name = path.toAbsolutePath().normalize().getFileName().toString();
    return name.endsWith(".gguf") ? name.substring(0, name.length() - ".gguf".length()) : name;
  }

  private GeneratorOptions generatorOptions() {
    GeneratorOptions options = placement.options(cacheBytes);
    least("--parallel", parallel, 1);
    return parallel == null
        ? options
        : options.withSteps(parallel, options.stepTokens(), options.chunkTokens());
  }

  private ServerOptions options() {
    List<String> keys = new ArrayList<>(apiKeys == null ? List.of() : apiKeys);
    String variable = System.getenv(KEYS);
    if (variable != null) {
      variable.lines().map(String::strip).filter(key -> !key.isEmpty()).forEach(keys::add);
    }
    least("--body-bytes", bodyBytes, 1);
    least("--request-seconds", requestSeconds, 1);
    least("--queue-seconds", queueSeconds, 1);
    least("--queue-length", queueLength, 0);
    least("--shutdown-seconds", shutdownSeconds, 0);
    ServerLimits usual = ServerLimits.DEFAULT;
    try {
      return new ServerOptions(
          host,
          port,
          keys,
          new ServerLimits(
              bodyBytes == null ? usual.bodyBytes() : bodyBytes,
              usual.headerBytes(),
              usual.jsonDepth(),
              usual.bodyTime(),
              seconds(requestSeconds, usual.requestTime()),
              seconds(queueSeconds, usual.queueTime()),
              queueLength == null ? usual.queueLength() : queueLength,
              seconds(shutdownSeconds, usual.shutdownTime())));
    } catch (IllegalArgumentException e) {
      throw new ParameterException(spec.commandLine(), e.getMessage(), e);
    }
  }

  private void least(String option, Integer given, int least) {
    if (given != null && given < least) {
      throw new ParameterException(
          spec.commandLine(), "%s: %d, expected a number from %d".formatted(option, given, least));
    }
  }

  private static Duration seconds(Integer given, Duration usual) {
    return given == null ? usual : Duration.ofSeconds(given);
  }
}
