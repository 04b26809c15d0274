package dev.gatun.cli;

import dev.gatun.kernels.api.memory.DType;
import dev.gatun.models.AutoModel;
import dev.gatun.models.Config;
import dev.gatun.models.Head;
import dev.gatun.models.Model;
import dev.gatun.models.TrainingSettings;
import dev.gatun.nn.Parameter;
import dev.gatun.tensor.Device;
import dev.gatun.text.Tokenizer;
import dev.gatun.training.EarlyStopping;
import dev.gatun.training.ModelLearner;
import dev.gatun.training.Trainer;
import dev.gatun.training.TrainingArguments;
import dev.gatun.training.TrainingResult;
import dev.gatun.training.data.Collator;
import dev.gatun.training.data.Dataset;
import dev.gatun.training.data.NewTokenizer;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.ParameterException;
import picocli.CommandLine.Spec;

/** {@code gatun train}: trains a model, or goes on with it. */
@Command(
    name = "train",
    mixinStandardHelpOptions = true,
    versionProvider = Version.class,
    description =
        "Trains a model on texts, or makes a new one of a configuration; the output directory is a"
            + " Hugging Face directory in the end.",
    footer = {
      "%nData are text files, a line a text, an empty line between documents, or files .jsonl of a"
          + " JSON object a line: text; text, label (classify); tokens, tags (tokens); question,"
          + " context, answers (qa); source, target (seq2seq).",
      "%nWith --json: output_dir, steps, loss, tokens, seconds, metrics."
    })
final class TrainCommand implements Callable<Integer> {
  @Option(
      names = "--model",
      paramLabel = "DIR",
      description = "The Hugging Face directory to train.")
  private Path model;

  @Option(
      names = "--config",
      paramLabel = "FILE",
      description =
          "A config.json, for a new model; a tokenizer that is not beside it is made of the data.")
  private Path config;

  @Option(
      names = "--objective",
      paramLabel = "NAME",
      required = true,
      description = "mlm, clm, nsp, span, classify, tokens, qa or seq2seq.")
  private String objective;

  @Option(
      names = "--data",
      paramLabel = "FILE",
      required = true,
      description = "What to train on: text or .jsonl.")
  private Path data;

  @Option(
      names = {"--eval_data", "--eval-data"},
      paramLabel = "FILE",
      description = "What to evaluate on.")
  private Path evalData;

  @Option(
      names = {"--max_length", "--max-length"},
      paramLabel = "N",
      description = "The most tokens of a sample (what the model reads, up to 512).")
  private Integer maxLength;

  @Option(
      names = {"--max_target_length", "--max-target-length"},
      paramLabel = "N",
      defaultValue = "128",
      description = "The most tokens of a target of seq2seq (${DEFAULT-VALUE}).")
  private int maxTargetLength;

  @Option(
      names = {"--source_prefix", "--source-prefix"},
      paramLabel = "TEXT",
      defaultValue = "",
      description = "What is put before each source of seq2seq.")
  private String sourcePrefix;

  @Option(
      names = {"--source_lang", "--source-lang"},
      paramLabel = "CODE",
      description = "For seq2seq: the sources' language, of models that are told it by a token.")
  private String sourceLang;

  @Option(
      names = {"--target_lang", "--target-lang"},
      paramLabel = "CODE",
      description = "For seq2seq: the targets' language, likewise.")
  private String targetLang;

  @Option(
      names = "--bf16",
      arity = "0..1",
      fallbackValue = "true",
      description = "Computes products, forward and backward, of BF16; weights are F32 themselves.")
  private boolean bf16;

  @Option(
      names = {"--line_by_line", "--line-by-line"},
      description = "For clm: a sample is a text, else all texts are one stream.")
  private boolean lineByLine;

  @Option(
      names = {"--mlm_probability", "--mlm-probability"},
      paramLabel = "P",
      defaultValue = "0.15",
      description = "The share of tokens that are masked (${DEFAULT-VALUE}).")
  private double mlmProbability;

  @Option(
      names = {"--whole_word_mask", "--whole-word-mask"},
      description = "Masks whole words.")
  private boolean wholeWords;

  @Option(
      names = {"--noise_density", "--noise-density"},
      paramLabel = "P",
      defaultValue = "0.15",
      description = "For span: the share of tokens in spans (${DEFAULT-VALUE}).")
  private double noiseDensity;

  @Option(
      names = {"--mean_noise_span_length", "--mean-noise-span-length"},
      paramLabel = "N",
      defaultValue = "3",
      description = "For span: the mean length of spans (${DEFAULT-VALUE}).")
  private double meanSpanLength;

  @Option(
      names = {"--doc_stride", "--doc-stride"},
      paramLabel = "N",
      defaultValue = "128",
      description = "For qa: tokens that parts of a context share (${DEFAULT-VALUE}).")
  private int docStride;

  @Option(
      names = "--freeze",
      paramLabel = "PREFIX",
      description = "Parameters that are not trained, by the beginning of their names.")
  private List<String> frozen = List.of();

  @Option(
      names = {"--early_stopping_patience", "--early-stopping-patience"},
      paramLabel = "N",
      description = "Ends after N evaluations that are not better.")
  private Integer patience;

  @Option(
      names = {"--early_stopping_threshold", "--early-stopping-threshold"},
      paramLabel = "N",
      defaultValue = "0",
      description = "By how much an evaluation must be better to count (${DEFAULT-VALUE}).")
  private double threshold;

  @Option(
      names = "--resume",
      description = "Goes on from the newest whole checkpoint of the output directory, if any.")
  private boolean resume;

  @Option(names = "--json", description = "Print one JSON object.")
  private boolean json;

  @Mixin private TrainingOptions settings;

  @Spec private CommandSpec spec;

  private final Terminal terminal;

  TrainCommand(Terminal terminal) {
    this.terminal = terminal;
  }

  @Override
  public Integer call() throws IOException {
    if ((model == null) == (config == null)) {
      throw new ParameterException(
          spec.commandLine(), "give one of --model, to train it, and --config, for a new one");
    }
    if (bf16 && settings.fp16()) {
      throw new ParameterException(spec.commandLine(), "--bf16, --fp16: expected one of them");
    }
    if (model != null && !Files.isDirectory(model) && !GgufPaths.isGguf(model)) {
      throw new CliException(model + ": not a model directory, nor a GGUF file");
    }
    if (config != null && !Files.isRegularFile(config)) {
      throw new CliException(
          "--config: there is no file %s, expected a config.json".formatted(config));
    }
    TrainingArguments arguments = settings.arguments(evalData != null);
    Dataset training = Dataset.of(data);
    makeOutput();
    Path directory = model == null ? prepared(training) : model;
    try (Tokenizer tokenizer = Tokenizer.load(directory);
        ModelLearner learner =
            new ModelLearner(load(directory, arguments, tokenizer.vocabSize()), arguments)) {
      Collator collator = collator(tokenizer, learner.model());
      Trainer.Builder builder =
          Trainer.builder(learner, arguments)
              .data(training, collator)
              .callback(new TrainingProgress(terminal));
      if (evalData != null) {
        builder.evaluation(collator.samples(Dataset.of(evalData)));
      }
      if (patience != null) {
        builder.callback(new EarlyStopping(arguments, patience, threshold));
      }
      Trainer trainer = builder.build();
      if (resume && trainer.resumeLatest()) {
        terminal.err().println("goes on after step " + trainer.state().globalStep());
      }
      TrainingResult result = trainer.train();
      learner.save(settings.outputDir());
      report(result);
    }
    return 0;
  }

  /** Before hours of work, whose result goes there. */
  private void makeOutput() {
    Path out = settings.outputDir();
    try {
      Files.createDirectories(out);
    } catch (IOException e) {
      throw new CliException(
          "--output_dir: %s cannot be made: %s".formatted(out, Gatun.told(e)), e);
    }
    if (!Files.isWritable(out)) {
      throw new CliException("--output_dir: %s cannot be written to".formatted(out));
    }
  }

  /** A folder with the configuration of a new model, and a tokenizer, for it to be made of. */
  private Path prepared(Dataset training) throws IOException {
    Path folder = settings.outputDir().resolve("begin");
    Files.createDirectories(folder);
    Files.copy(config, folder.resolve("config.json"), StandardCopyOption.REPLACE_EXISTING);
    Path beside = config.toAbsolutePath().getParent();
    if (Tokenizer.fileIn(beside).isEmpty()) {
      NewTokenizer.write(training, Config.of(config).positive("vocab_size"), folder);
      return folder;
    }
    try (var files = Files.list(beside)) {
      for (Path file : files.filter(TrainCommand::isOfTokenizer).toList()) {
        Files.copy(file, folder.resolve(file.getFileName()), StandardCopyOption.REPLACE_EXISTING);
      }
    }
    return folder;
  }

  private static boolean isOfTokenizer(Path file) {
    String name = file.getFileName().toString();
    return Files.isRegularFile(file)
        && !name.equals("config.json")
        && (name.endsWith(".json") || name.endsWith(".txt") || name.endsWith(".model"))
        && !name.contains("safetensors");
  }

  private Model load(Path directory, TrainingArguments arguments, int tokens) throws IOException {
    Path source = model == null ? directory.resolve("config.json") : directory;
    Config given = Config.read(directory);
    int known = given.has("vocab_size") ? given.positive("vocab_size") : tokens;
    if (known < tokens) {
      terminal
          .err()
          .println(
              "the tokenizer has %d tokens, the model %d: what it has of tokens grows by the mean of them"
                  .formatted(tokens, known));
    }
    TrainingSettings how =
        TrainingSettings.DEFAULT
            .withSeed(arguments.seed())
            .withProducts(bf16 ? DType.BF16 : settings.fp16() ? DType.F16 : DType.F32)
            .withVocabulary(known < tokens ? tokens : 0);
    Device cpu = Device.cpu();
    Model made =
        switch (objective) {
          case "clm" -> AutoModel.causalLmForTraining(source, cpu, how);
          case "span", "seq2seq" -> AutoModel.seq2SeqLmForTraining(source, cpu, how);
          case "mlm" -> AutoModel.forTraining(source, Head.MASKED_LM, cpu, how);
          case "nsp" -> AutoModel.forTraining(source, Head.NEXT_SENTENCE_PREDICTION, cpu, how);
          case "classify" -> AutoModel.forTraining(source, Head.SEQUENCE_CLASSIFICATION, cpu, how);
          case "tokens" -> AutoModel.forTraining(source, Head.TOKEN_CLASSIFICATION, cpu, how);
          case "qa" -> AutoModel.forTraining(source, Head.QUESTION_ANSWERING, cpu, how);
          default ->
              throw new ParameterException(
                  spec.commandLine(),
                  "--objective: %s, expected mlm, clm, nsp, span, classify, tokens, qa or seq2seq"
                      .formatted(objective));
        };
    try {
      frozen.forEach(prefix -> freeze(made, prefix));
      return made;
    } catch (RuntimeException e) {
      made.close();
      throw e;
    }
  }

  private static void freeze(Model made, String prefix) {
    List<Parameter> named =
        made.parameters().stream().filter(each -> each.name().startsWith(prefix)).toList();
    if (named.isEmpty()) {
      throw new CliException(
          "--freeze: no parameter's name begins with '%s'; there are %s and more"
              .formatted(
                  prefix, made.parameters().stream().limit(5).map(Parameter::name).toList()));
    }
    named.forEach(each -> each.setTrainable(false));
  }

  private Collator collator(Tokenizer tokenizer, Model made) {
    Config of = made.config();
    int most = maxLength == null ? most(tokenizer, of) : maxLength;
    return switch (objective) {
      case "mlm" -> Collator.maskedLm(tokenizer, most, mlmProbability, wholeWords);
      case "clm" -> Collator.causalLm(tokenizer, most, !lineByLine);
      case "nsp" -> Collator.nextSentence(tokenizer, most, 0);
      case "span" -> Collator.spanCorruption(tokenizer, most, noiseDensity, meanSpanLength);
      case "classify" ->
          Collator.sequenceClassification(tokenizer, most, of.labels(), of.problemType());
      case "tokens" -> Collator.tokenClassification(tokenizer, most, of.labels());
      case "qa" -> Collator.questionAnswering(tokenizer, most, docStride);
      default -> pairs(tokenizer, most);
    };
  }

  private Collator pairs(Tokenizer tokenizer, int most) {
    boolean told = tokenizer.languages().ofSource() && !tokenizer.languages().codes().isEmpty();
    if (targetLang == null && !told) {
      return Collator.sequenceToSequence(tokenizer, most, maxTargetLength, sourcePrefix);
    }
    try {
      return Collator.translation(tokenizer, most, maxTargetLength, sourceLang, targetLang);
    } catch (IllegalArgumentException e) {
      throw new CliException("--source_lang, --target_lang: " + e.getMessage(), e);
    }
  }

  private static int most(Tokenizer tokenizer, Config of) {
    int most = Math.min(512, tokenizer.modelMaxLength().orElse(512));
    for (String key : List.of("n_positions", "max_position_embeddings")) {
      most = of.has(key) ? Math.min(most, of.positive(key)) : most;
    }
    // RoBERTa's first position is behind padding's.
    return of.text("model_type", "").contains("roberta") ? Math.min(most, 510) : most;
  }

  private void report(TrainingResult result) throws IOException {
    if (json) {
      Map<String, Object> report = new LinkedHashMap<>();
      report.put("output_dir", settings.outputDir().toString());
      report.put("steps", result.globalStep());
      report.put("loss", Double.isNaN(result.trainingLoss()) ? null : result.trainingLoss());
      report.put("tokens", result.tokens());
      report.put("seconds", result.seconds());
      report.put("metrics", result.metrics());
      terminal.out().println(Json.write(report));
      return;
    }
    terminal
        .out()
        .println(
            "%d steps, mean loss %.4f, %d tokens in %.1f s (%.0f tokens/s): %s"
                .formatted(
                    result.globalStep(),
                    result.trainingLoss(),
                    result.tokens(),
                    result.seconds(),
                    result.tokens() / result.seconds(),
                    settings.outputDir()));
  }
}
