package dev.gatun.cli;

import java.io.PrintStream;
import java.io.PrintWriter;
import java.nio.file.AccessDeniedException;
import java.nio.file.FileAlreadyExistsException;
import java.nio.file.NoSuchFileException;
import java.nio.file.NotDirectoryException;
import java.util.List;
import picocli.CommandLine;
import picocli.CommandLine.Command;
import picocli.CommandLine.Option;

/** The command {@code gatun}. */
@Command(
    name = "gatun",
    description = "Transformer models on the JVM.",
    mixinStandardHelpOptions = true,
    versionProvider = Version.class,
    footer = {
      "%nThe variable GATUN_OPTS holds options of the Java machine, such as -Xmx8g, or the"
          + " properties that messages and the README name: GATUN_OPTS='-Dgatun.cpu.threads=4"
          + " -Xmx8g'."
    },
    exitCodeListHeading = "%nExit codes:%n",
    exitCodeList = {"0:done", "1:failed, with the reason on standard error", "2:wrong usage"})
public final class Gatun implements Runnable {
  @Option(
      names = "--verbose",
      scope = CommandLine.ScopeType.INHERIT,
      description = "Print the stack trace of an error, and of info every detail.")
  private boolean verbose;

  private final Terminal terminal;

  private CommandLine line;

  Gatun(Terminal terminal) {
    this.terminal = terminal;
  }

  /** Runs the command and ends the process with its exit code. */
  public static void main(String[] arguments) {
    int code = run(Terminal.ofProcess(), new ModelLoader(), arguments);
    System.out.flush();
    System.exit(code);
  }

  /** Runs the command; returns its exit code. */
  static int run(Terminal terminal, EmbedderLoader loader, String... arguments) {
    Gatun gatun = new Gatun(terminal);
    CommandLine line =
        new CommandLine(gatun)
            .addSubcommand(new SearchCommand(terminal, loader))
            .addSubcommand(new ChatCommand(terminal))
            .addSubcommand(new GenerateCommand(terminal))
            .addSubcommand(new ServeCommand(terminal))
            .addSubcommand(new TranslateCommand(terminal))
            .addSubcommand(new SummarizeCommand(terminal))
            .addSubcommand(new TrainCommand(terminal))
            .addSubcommand(new PerplexityCommand(terminal))
            .addSubcommand(new InspectCommand(terminal))
            .addSubcommand(new QuantizeCommand(terminal))
            .addSubcommand(new InfoCommand(terminal))
            .addSubcommand(new QuantizeReportCommand(terminal));
    gatun.line = line;
    line.setOut(new PrintWriter(terminal.out(), true));
    line.setErr(new PrintWriter(terminal.err(), true));
    line.setColorScheme(
        CommandLine.Help.defaultColorScheme(
            terminal.colours() ? CommandLine.Help.Ansi.ON : CommandLine.Help.Ansi.OFF));
    line.setExecutionExceptionHandler((problem, command, parsed) -> gatun.failed(problem));
    line.setExecutionStrategy(Gatun::runIfKnown);
    try {
      return line.execute(arguments);
    } catch (OutOfMemoryError e) {
      return gatun.failed(e);
    }
  }

  /** Where help is asked for, picocli gives it whatever else is there. */
  private static int runIfKnown(CommandLine.ParseResult parsed) {
    for (CommandLine command : parsed.asCommandLineList()) {
      List<String> unknown = command.getParseResult().unmatched();
      if (!unknown.isEmpty()) {
        throw new CommandLine.UnmatchedArgumentException(command, unknown);
      }
    }
    return new CommandLine.RunLast().execute(parsed);
  }

  @Override
  public void run() {
    line.usage(line.getOut());
  }

  boolean verbose() {
    return verbose;
  }

  private int failed(Throwable problem) {
    PrintStream err = terminal.err();
    err.println("gatun: " + Terminal.shown(told(problem)));
    if (verbose) {
      problem.printStackTrace(err);
    }
    return CommandLine.ExitCode.SOFTWARE;
  }

  /** The message for a person; of many a problem with a file its class alone says which it is. */
  static String told(Throwable problem) {
    String message = problem.getMessage();
    return switch (problem) {
      case OutOfMemoryError e ->
          "the JVM is out of memory (%s): GATUN_OPTS=-Xmx8g gives it more"
              .formatted(e.getMessage());
      case NoSuchFileException e when e.getReason() == null ->
          e.getFile() + ": there is no such file or directory";
      case AccessDeniedException e when e.getReason() == null ->
          e.getFile() + ": permission is denied";
      case NotDirectoryException e -> e.getFile() + ": expected a directory";
      case FileAlreadyExistsException e when e.getReason() == null ->
          e.getFile() + ": there is a file of that name";
      default -> message == null || message.isBlank() ? problem.toString() : message;
    };
  }
}
