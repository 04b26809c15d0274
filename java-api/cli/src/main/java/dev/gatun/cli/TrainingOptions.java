package dev.gatun.cli;

import dev.gatun.training.OptimizerType;
import dev.gatun.training.Schedule;
import dev.gatun.training.TrainingArguments;
import java.nio.file.Path;
import picocli.CommandLine.Option;

/** Settings of a run, by transformers' names and with its defaults. */
final class TrainingOptions {
  @Option(
      names = {"--output_dir", "--output-dir"},
      paramLabel = "DIR",
      required = true,
      description = "Where checkpoints, the log, its plot and the trained model go.")
  private Path outputDir;

  @Option(
      names = {"--learning_rate", "--learning-rate"},
      paramLabel = "N",
      defaultValue = "5e-5",
      description = "The rate that the schedule is of (${DEFAULT-VALUE}).")
  private double learningRate;

  @Option(
      names = {"--weight_decay", "--weight-decay"},
      paramLabel = "N",
      defaultValue = "0",
      description = "Of weights, not of biases and norms (${DEFAULT-VALUE}).")
  private double weightDecay;

  @Option(
      names = {"--adam_beta1", "--adam-beta1"},
      paramLabel = "N",
      defaultValue = "0.9",
      description = "AdamW's (${DEFAULT-VALUE}).")
  private double adamBeta1;

  @Option(
      names = {"--adam_beta2", "--adam-beta2"},
      paramLabel = "N",
      defaultValue = "0.999",
      description = "AdamW's (${DEFAULT-VALUE}).")
  private double adamBeta2;

  @Option(
      names = {"--adam_epsilon", "--adam-epsilon"},
      paramLabel = "N",
      defaultValue = "1e-8",
      description = "AdamW's (${DEFAULT-VALUE}).")
  private double adamEpsilon;

  @Option(
      names = "--optim",
      paramLabel = "NAME",
      defaultValue = "adamw_torch",
      description =
          "adamw_torch (or adamw_torch_fused), adafactor, sgd, adagrad or rmsprop"
              + " (${DEFAULT-VALUE}).")
  private String optim;

  @Option(
      names = {"--optim_args", "--optim-args"},
      paramLabel = "NAME=VALUE,...",
      defaultValue = "",
      description =
          "Of sgd momentum, dampening, nesterov; of adagrad lr_decay, eps; of rmsprop alpha, eps,"
              + " momentum, centered.")
  private String optimArgs;

  @Option(
      names = {"--max_grad_norm", "--max-grad-norm"},
      paramLabel = "N",
      defaultValue = "1",
      description = "The largest norm of all gradients together; 0 for any (${DEFAULT-VALUE}).")
  private double maxGradNorm;

  @Option(
      names = {"--num_train_epochs", "--num-train-epochs"},
      paramLabel = "N",
      defaultValue = "3",
      description = "Passes over the data (${DEFAULT-VALUE}).")
  private double numTrainEpochs;

  @Option(
      names = {"--max_steps", "--max-steps"},
      paramLabel = "N",
      defaultValue = "-1",
      description = "Updates in place of epochs; -1 for none (${DEFAULT-VALUE}).")
  private long maxSteps;

  @Option(
      names = {"--warmup_steps", "--warmup-steps"},
      paramLabel = "N",
      defaultValue = "0",
      description =
          "Updates in which the rate grows from 0, or below 1 a share of all (${DEFAULT-VALUE}).")
  private double warmupSteps;

  @Option(
      names = {"--warmup_ratio", "--warmup-ratio"},
      paramLabel = "N",
      defaultValue = "0",
      description = "The same as a share of all updates (${DEFAULT-VALUE}).")
  private double warmupRatio;

  @Option(
      names = {"--lr_scheduler_type", "--lr-scheduler-type"},
      paramLabel = "NAME",
      defaultValue = "linear",
      description =
          "linear, cosine, cosine_with_restarts, polynomial, constant, constant_with_warmup,"
              + " inverse_sqrt, cosine_with_min_lr, cosine_warmup_with_min_lr,"
              + " warmup_stable_decay, or by --metric_for_best_model of evaluations"
              + " reduce_lr_on_plateau or greedy (${DEFAULT-VALUE}).")
  private String lrSchedulerType;

  @Option(
      names = {"--lr_scheduler_kwargs", "--lr-scheduler-kwargs"},
      paramLabel = "JSON",
      defaultValue = "{}",
      description =
          "What the schedule has beside that, as transformers names it, such as"
              + " {\"min_lr_rate\": 0.1}.")
  private String lrSchedulerKwargs;

  @Option(
      names = {"--layerwise_lr_decay", "--layerwise-lr-decay"},
      paramLabel = "N",
      defaultValue = "1",
      description = "What a layer's rate is of that of the layer above (${DEFAULT-VALUE}).")
  private double layerwiseLrDecay;

  @Option(
      names = {"--per_device_train_batch_size", "--per-device-train-batch-size"},
      paramLabel = "N",
      defaultValue = "8",
      description = "Samples that are computed at once (${DEFAULT-VALUE}).")
  private int perDeviceTrainBatchSize;

  @Option(
      names = {"--per_device_eval_batch_size", "--per-device-eval-batch-size"},
      paramLabel = "N",
      defaultValue = "8",
      description = "The same when evaluating (${DEFAULT-VALUE}).")
  private int perDeviceEvalBatchSize;

  @Option(
      names = {"--gradient_accumulation_steps", "--gradient-accumulation-steps"},
      paramLabel = "N",
      defaultValue = "1",
      description = "Batches of an update (${DEFAULT-VALUE}).")
  private int gradientAccumulationSteps;

  @Option(
      names = {"--label_smoothing_factor", "--label-smoothing-factor"},
      paramLabel = "N",
      defaultValue = "0",
      description = "The share of a label that all classes have alike (${DEFAULT-VALUE}).")
  private double labelSmoothingFactor;

  @Option(
      names = "--seed",
      paramLabel = "N",
      defaultValue = "42",
      description = "Of order, masks and new weights (${DEFAULT-VALUE}).")
  private long seed;

  @Option(
      names = {"--logging_steps", "--logging-steps"},
      paramLabel = "N",
      defaultValue = "500",
      description = "Updates from a line of the log to the next (${DEFAULT-VALUE}).")
  private int loggingSteps;

  @Option(
      names = {"--eval_strategy", "--eval-strategy"},
      paramLabel = "NAME",
      description = "no, steps or epoch; steps with --eval-data, else no.")
  private String evalStrategy;

  @Option(
      names = {"--eval_steps", "--eval-steps"},
      paramLabel = "N",
      description = "Updates from an evaluation to the next (that of --logging_steps).")
  private Integer evalSteps;

  @Option(
      names = {"--save_strategy", "--save-strategy"},
      paramLabel = "NAME",
      defaultValue = "steps",
      description = "no, steps or epoch (${DEFAULT-VALUE}).")
  private String saveStrategy;

  @Option(
      names = {"--save_steps", "--save-steps"},
      paramLabel = "N",
      defaultValue = "500",
      description = "Updates from a checkpoint to the next (${DEFAULT-VALUE}).")
  private int saveSteps;

  @Option(
      names = {"--save_total_limit", "--save-total-limit"},
      paramLabel = "N",
      defaultValue = "0",
      description =
          "Checkpoints that are kept, the best and the newest in any case; 0 for all"
              + " (${DEFAULT-VALUE}).")
  private int saveTotalLimit;

  @Option(
      names = {"--load_best_model_at_end", "--load-best-model-at-end"},
      arity = "0..1",
      fallbackValue = "true",
      description = "Gives the best checkpoint's weights.")
  private boolean loadBestModelAtEnd;

  @Option(
      names = {"--metric_for_best_model", "--metric-for-best-model"},
      paramLabel = "NAME",
      defaultValue = "loss",
      description = "What is compared (${DEFAULT-VALUE}).")
  private String metricForBestModel;

  @Option(
      names = {"--greater_is_better", "--greater-is-better"},
      paramLabel = "true|false",
      description = "Whether more of it is better (not of a loss, else yes).")
  private Boolean greaterIsBetter;

  @Option(
      names = "--fp16",
      arity = "0..1",
      fallbackValue = "true",
      description = "Computes products of F16 weights, and scales losses; --bf16 is faster.")
  private boolean fp16;

  @Option(
      names = {"--gradient_checkpointing", "--gradient-checkpointing"},
      arity = "0..1",
      fallbackValue = "true",
      description = "Computes layers again in the backward, for less memory.")
  private boolean gradientCheckpointing;

  boolean fp16() {
    return fp16;
  }

  Path outputDir() {
    return outputDir;
  }

  TrainingArguments arguments(boolean evaluates) {
    try {
      TrainingArguments.Builder builder = TrainingArguments.builder();
      if (evalSteps != null) {
        builder.evalSteps(evalSteps);
      }
      boolean isShare = warmupSteps > 0 && warmupSteps < 1;
      return builder
          .outputDir(outputDir)
          .learningRate(learningRate)
          .weightDecay(weightDecay)
          .adamBeta1(adamBeta1)
          .adamBeta2(adamBeta2)
          .adamEpsilon(adamEpsilon)
          .optim(OptimizerType.of(optim))
          .optimArgs(optimArgs)
          .maxGradNorm(maxGradNorm)
          .numTrainEpochs(numTrainEpochs)
          .maxSteps(maxSteps)
          .warmupSteps(isShare ? 0 : whole("warmup_steps", warmupSteps))
          .warmupRatio(isShare ? warmupSteps : warmupRatio)
          .lrSchedulerType(Schedule.Type.of(lrSchedulerType))
          .lrSchedulerKwargs(Json.object("--lr_scheduler_kwargs", lrSchedulerKwargs))
          .layerwiseLrDecay(layerwiseLrDecay)
          .perDeviceTrainBatchSize(perDeviceTrainBatchSize)
          .perDeviceEvalBatchSize(perDeviceEvalBatchSize)
          .gradientAccumulationSteps(gradientAccumulationSteps)
          .labelSmoothingFactor(labelSmoothingFactor)
          .seed(seed)
          .loggingSteps(loggingSteps)
          .evalStrategy(
              strategy(
                  "eval_strategy",
                  evalStrategy != null ? evalStrategy : evaluates ? "steps" : "no"))
          .saveStrategy(strategy("save_strategy", saveStrategy))
          .saveSteps(saveSteps)
          .saveTotalLimit(saveTotalLimit)
          .loadBestModelAtEnd(loadBestModelAtEnd)
          .metricForBestModel(metricForBestModel)
          .greaterIsBetter(greaterIsBetter)
          .fp16(fp16)
          .gradientCheckpointing(gradientCheckpointing)
          .build();
    } catch (IllegalArgumentException e) {
      throw new CliException(e.getMessage(), e);
    }
  }

  private static TrainingArguments.Strategy strategy(String name, String value) {
    try {
      return TrainingArguments.Strategy.of(value);
    } catch (IllegalArgumentException e) {
      throw new IllegalArgumentException("training: %s: %s".formatted(name, e.getMessage()), e);
    }
  }

  private static long whole(String name, double value) {
    if (value != Math.rint(value)) {
      throw new IllegalArgumentException(
          "training: %s is %s, expected a whole number, or a share of all updates below 1"
              .formatted(name, value));
    }
    return (long) value;
  }
}
