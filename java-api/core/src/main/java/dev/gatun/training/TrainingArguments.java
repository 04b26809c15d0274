package dev.gatun.training;

import dev.gatun.training.optim.Optimizer;
import java.nio.file.Path;
import java.util.Collections;
import java.util.HashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Objects;
import java.util.function.Function;

/**
 * Settings of a run, by the names and with the defaults of transformers' {@code TrainingArguments}.
 *
 * @param outputDir {@code output_dir}: where checkpoints and the log go; null for neither
 * @param learningRate {@code learning_rate}: the rate of the schedule's factor 1
 * @param weightDecay {@code weight_decay}: of weights, not of biases and norms
 * @param adamBeta1 {@code adam_beta1}: of the mean of gradients
 * @param adamBeta2 {@code adam_beta2}: of the mean of their squares
 * @param adamEpsilon {@code adam_epsilon}: added to the root of the latter
 * @param optim {@code optim}: what an update does of gradients
 * @param optimArgs {@code optim_args}: what the optimiser has beside that, {@code NAME=VALUE} and
 *     separated by commas; empty for nothing
 * @param maxGradNorm {@code max_grad_norm}: the largest norm of all gradients together, to which
 *     larger ones are scaled; 0 for no limit
 * @param numTrainEpochs {@code num_train_epochs}: passes over the data, whole ones or not
 * @param maxSteps {@code max_steps}: updates in all, in place of epochs; -1 for as the epochs say
 * @param warmupSteps {@code warmup_steps}: updates during which the rate grows from 0
 * @param warmupRatio {@code warmup_ratio}: the same as a share of all updates, where warmup_steps
 *     is 0
 * @param lrSchedulerType {@code lr_scheduler_type}: how the rate moves
 * @param lrSchedulerKwargs {@code lr_scheduler_kwargs}: what that type has beside the rest, see
 *     {@link Schedule#of}
 * @param layerwiseLrDecay {@code layerwise_lr_decay}: what a layer's rate is of that of the layer
 *     above it
 * @param perDeviceTrainBatchSize {@code per_device_train_batch_size}: samples that are computed at
 *     once
 * @param perDeviceEvalBatchSize {@code per_device_eval_batch_size}: the same when evaluating
 * @param gradientAccumulationSteps {@code gradient_accumulation_steps}: batches whose gradients are
 *     added up for an update
 * @param labelSmoothingFactor {@code label_smoothing_factor}: the share of each label that is
 *     spread over all classes
 * @param seed {@code seed}: of the order, the masks and dropout
 * @param loggingSteps {@code logging_steps}: updates from a line of the log to the next
 * @param evalStrategy {@code eval_strategy}: when the model is evaluated
 * @param evalSteps {@code eval_steps}: updates from an evaluation to the next
 * @param saveStrategy {@code save_strategy}: when checkpoints are written
 * @param saveSteps {@code save_steps}: updates from a checkpoint to the next
 * @param saveTotalLimit {@code save_total_limit}: checkpoints that are kept, the best one and the
 *     newest in any case; 0 for all
 * @param loadBestModelAtEnd {@code load_best_model_at_end}: whether the best checkpoint's weights
 *     are the result
 * @param metricForBestModel {@code metric_for_best_model}: what is compared, by the evaluation's
 *     name of it, with or without eval_
 * @param greaterIsBetter {@code greater_is_better}: whether more of it is better; null for as its
 *     name says: less of a loss, more of all else
 * @param fp16 {@code fp16}: whether losses are scaled before gradients are computed, and gradients
 *     scaled back, as products of F16 need it
 * @param gradientCheckpointing {@code gradient_checkpointing}: whether a model's layers are
 *     computed again in the backward in place of keeping what is in them
 * @param maxSkippedSteps {@code max_skipped_steps}: updates in a row that are skipped for gradients
 *     that are not finite before the run ends
 */
public record TrainingArguments(
    Path outputDir,
    double learningRate,
    double weightDecay,
    double adamBeta1,
    double adamBeta2,
    double adamEpsilon,
    OptimizerType optim,
    String optimArgs,
    double maxGradNorm,
    double numTrainEpochs,
    long maxSteps,
    long warmupSteps,
    double warmupRatio,
    Schedule.Type lrSchedulerType,
    Map<String, Object> lrSchedulerKwargs,
    double layerwiseLrDecay,
    int perDeviceTrainBatchSize,
    int perDeviceEvalBatchSize,
    int gradientAccumulationSteps,
    double labelSmoothingFactor,
    long seed,
    int loggingSteps,
    Strategy evalStrategy,
    int evalSteps,
    Strategy saveStrategy,
    int saveSteps,
    int saveTotalLimit,
    boolean loadBestModelAtEnd,
    String metricForBestModel,
    Boolean greaterIsBetter,
    boolean fp16,
    boolean gradientCheckpointing,
    int maxSkippedSteps) {
  /** When something is done: {@code no}, {@code steps} or {@code epoch}. */
  public enum Strategy {
    /** Never. */
    NO,
    /** After a number of updates. */
    STEPS,
    /** At the end of each epoch. */
    EPOCH;

    /**
     * {@return the strategy of a name}
     *
     * @param key the name in lower case
     * @throws IllegalArgumentException when there is none
     */
    public static Strategy of(String key) {
      for (Strategy each : values()) {
        if (each.name().toLowerCase(Locale.ROOT).equals(key)) {
          return each;
        }
      }
      throw new IllegalArgumentException(
          "strategy is '%s', expected no, steps or epoch".formatted(key));
    }
  }

  /**
   * Checks the values.
   *
   * @throws IllegalArgumentException naming the setting that does not fit, and what would
   */
  public TrainingArguments {
    Objects.requireNonNull(optim, "optim");
    Objects.requireNonNull(optimArgs, "optim_args");
    Objects.requireNonNull(lrSchedulerType, "lr_scheduler_type");
    Objects.requireNonNull(lrSchedulerKwargs, "lr_scheduler_kwargs");
    Objects.requireNonNull(evalStrategy, "eval_strategy");
    Objects.requireNonNull(saveStrategy, "save_strategy");
    Objects.requireNonNull(metricForBestModel, "metric_for_best_model");
    // A value may be null, which Map.copyOf refuses.
    lrSchedulerKwargs = Collections.unmodifiableMap(new HashMap<>(lrSchedulerKwargs));
    check(learningRate > 0, "learning_rate", learningRate, "above 0");
    check(weightDecay >= 0, "weight_decay", weightDecay, "at least 0");
    check(adamEpsilon > 0, "adam_epsilon", adamEpsilon, "above 0");
    check(maxGradNorm >= 0, "max_grad_norm", maxGradNorm, "at least 0");
    check(numTrainEpochs > 0, "num_train_epochs", numTrainEpochs, "above 0");
    check(warmupSteps >= 0, "warmup_steps", warmupSteps, "at least 0");
    check(
        perDeviceTrainBatchSize > 0,
        "per_device_train_batch_size",
        perDeviceTrainBatchSize,
        "at least 1");
    check(
        perDeviceEvalBatchSize > 0,
        "per_device_eval_batch_size",
        perDeviceEvalBatchSize,
        "at least 1");
    check(
        gradientAccumulationSteps > 0,
        "gradient_accumulation_steps",
        gradientAccumulationSteps,
        "at least 1");
    check(loggingSteps > 0, "logging_steps", loggingSteps, "at least 1");
    check(evalSteps > 0, "eval_steps", evalSteps, "at least 1");
    check(saveSteps > 0, "save_steps", saveSteps, "at least 1");
    check(saveTotalLimit >= 0, "save_total_limit", saveTotalLimit, "at least 0");
    check(maxSkippedSteps > 0, "max_skipped_steps", maxSkippedSteps, "at least 1");
    share("adam_beta1", adamBeta1);
    share("adam_beta2", adamBeta2);
    share("label_smoothing_factor", labelSmoothingFactor);
    share("warmup_ratio", warmupRatio);
    check(maxSteps == -1 || maxSteps > 0, "max_steps", maxSteps, "-1 or at least 1");
    check(
        layerwiseLrDecay > 0 && layerwiseLrDecay <= 1,
        "layerwise_lr_decay",
        layerwiseLrDecay,
        "above 0 and at most 1");
    check(Double.isFinite(learningRate), "learning_rate", learningRate, "a finite number");
    check(
        Double.isFinite(numTrainEpochs) && numTrainEpochs <= 1e6,
        "num_train_epochs",
        numTrainEpochs,
        "at most a million");
    if (loadBestModelAtEnd) {
      check(
          saveStrategy == evalStrategy && evalStrategy != Strategy.NO,
          "load_best_model_at_end",
          true,
          "a save_strategy that is the eval_strategy, steps or epoch");
      check(
          evalStrategy != Strategy.STEPS || saveSteps % evalSteps == 0,
          "load_best_model_at_end",
          true,
          "save_steps that are a multiple of eval_steps");
      check(outputDir != null, "load_best_model_at_end", true, "an output_dir");
    }
    optim.with(adamBeta1, adamBeta2, adamEpsilon, optimArgs);
    if (lrSchedulerType.followsEvaluations()) {
      check(
          evalStrategy != Strategy.NO,
          "lr_scheduler_type",
          lrSchedulerType.key(),
          "an eval_strategy, steps or epoch, and data to evaluate on: its rate follows"
              + " evaluations");
      MetricSchedule.check(lrSchedulerType, lrSchedulerKwargs);
    } else {
      // How many updates there are is not known yet.
      Schedule.of(lrSchedulerType, lrSchedulerKwargs, 0, Integer.MAX_VALUE, learningRate);
    }
  }

  private static void check(boolean fits, String name, Object value, String expected) {
    if (!fits) {
      throw new IllegalArgumentException(
          "training: %s is %s, expected %s".formatted(name, value, expected));
    }
  }

  private static void share(String name, double value) {
    check(value >= 0 && value < 1, name, value, "0 to below 1");
  }

  /** What makes an optimiser of parameters that has made no step. */
  Function<List<Optimizer.Parameter>, Optimizer> optimizer() {
    return optim.with(adamBeta1, adamBeta2, adamEpsilon, optimArgs);
  }

  /** {@return the metric with {@code eval_} before it} */
  public String bestMetric() {
    return metricForBestModel.startsWith("eval_")
        ? metricForBestModel
        : "eval_" + metricForBestModel;
  }

  /**
   * {@return whether one value of the metric is better than another; not where they are equal, or
   * one is NaN}
   *
   * @param value of the metric that {@code metric_for_best_model} names
   * @param than the value that it is compared with
   */
  public boolean isBetter(double value, double than) {
    return isOfMore() ? value > than : value < than;
  }

  /** Whether more of the metric is better. */
  boolean isOfMore() {
    return greaterIsBetter == null ? !metricForBestModel.endsWith("loss") : greaterIsBetter;
  }

  /** {@return settings to change, with the defaults} */
  public static Builder builder() {
    return new Builder();
  }

  /** Settings before they are checked. */
  public static final class Builder {
    private Path outputDir;
    private double learningRate = 5e-5;
    private double weightDecay;
    private double adamBeta1 = 0.9;
    private double adamBeta2 = 0.999;
    private double adamEpsilon = 1e-8;
    private OptimizerType optim = OptimizerType.ADAMW_TORCH;
    private String optimArgs = "";
    private double maxGradNorm = 1;
    private double numTrainEpochs = 3;
    private long maxSteps = -1;
    private long warmupSteps;
    private double warmupRatio;
    private Schedule.Type lrSchedulerType = Schedule.Type.LINEAR;
    private Map<String, Object> lrSchedulerKwargs = Map.of();
    private double layerwiseLrDecay = 1;
    private int perDeviceTrainBatchSize = 8;
    private int perDeviceEvalBatchSize = 8;
    private int gradientAccumulationSteps = 1;
    private double labelSmoothingFactor;
    private long seed = 42;
    private int loggingSteps = 500;
    private Strategy evalStrategy = Strategy.NO;
    private Integer evalSteps;
    private Strategy saveStrategy = Strategy.STEPS;
    private int saveSteps = 500;
    private int saveTotalLimit;
    private boolean loadBestModelAtEnd;
    private String metricForBestModel = "loss";
    private Boolean greaterIsBetter;
    private boolean fp16;
    private boolean gradientCheckpointing;
    private int maxSkippedSteps = 8;

    private Builder() {}

    /**
     * Sets {@code output_dir}: where checkpoints and the log go; null for neither.
     *
     * @param value a folder, which is made where it is not there; null by default
     * @return this builder
     */
    public Builder outputDir(Path value) {
      outputDir = value;
      return this;
    }

    /**
     * Sets {@code learning_rate}: the rate of the schedule's factor 1.
     *
     * @param value above 0 and finite; 5e-5 by default
     * @return this builder
     */
    public Builder learningRate(double value) {
      learningRate = value;
      return this;
    }

    /**
     * Sets {@code weight_decay}: of weights, not of biases and norms.
     *
     * @param value at least 0; 0 by default
     * @return this builder
     */
    public Builder weightDecay(double value) {
      weightDecay = value;
      return this;
    }

    /**
     * Sets {@code adam_beta1}: of the mean of gradients.
     *
     * @param value 0 to below 1; 0.9 by default
     * @return this builder
     */
    public Builder adamBeta1(double value) {
      adamBeta1 = value;
      return this;
    }

    /**
     * Sets {@code adam_beta2}: of the mean of their squares.
     *
     * @param value 0 to below 1; 0.999 by default
     * @return this builder
     */
    public Builder adamBeta2(double value) {
      adamBeta2 = value;
      return this;
    }

    /**
     * Sets {@code adam_epsilon}: added to the root of the latter.
     *
     * @param value above 0; 1e-8 by default
     * @return this builder
     */
    public Builder adamEpsilon(double value) {
      adamEpsilon = value;
      return this;
    }

    /**
     * Sets {@code optim}: what an update does of gradients.
     *
     * @param value the optimiser; {@code ADAMW_TORCH} by default
     * @return this builder
     */
    public Builder optim(OptimizerType value) {
      optim = value;
      return this;
    }

    /**
     * Sets {@code optim_args}: what the optimiser has beside that, {@code NAME=VALUE} and separated
     * by commas.
     *
     * @param value pairs of {@link OptimizerType#arguments}; empty by default
     * @return this builder
     */
    public Builder optimArgs(String value) {
      optimArgs = value;
      return this;
    }

    /**
     * Sets {@code max_grad_norm}: the largest norm of all gradients together, to which larger ones
     * are scaled; 0 for no limit.
     *
     * @param value at least 0; 1 by default
     * @return this builder
     */
    public Builder maxGradNorm(double value) {
      maxGradNorm = value;
      return this;
    }

    /**
     * Sets {@code num_train_epochs}: passes over the data, whole ones or not.
     *
     * @param value above 0, at most a million; 3 by default
     * @return this builder
     */
    public Builder numTrainEpochs(double value) {
      numTrainEpochs = value;
      return this;
    }

    /**
     * Sets {@code max_steps}: updates in all, in place of epochs; -1 for as the epochs say.
     *
     * @param value at least 1, or -1, the default
     * @return this builder
     */
    public Builder maxSteps(long value) {
      maxSteps = value;
      return this;
    }

    /**
     * Sets {@code warmup_steps}: updates during which the rate grows from 0.
     *
     * @param value at least 0; 0 by default
     * @return this builder
     */
    public Builder warmupSteps(long value) {
      warmupSteps = value;
      return this;
    }

    /**
     * Sets {@code warmup_ratio}: the same as a share of all updates, where warmup_steps is 0.
     *
     * @param value 0 to below 1; 0 by default
     * @return this builder
     */
    public Builder warmupRatio(double value) {
      warmupRatio = value;
      return this;
    }

    /**
     * Sets {@code lr_scheduler_type}: how the rate moves.
     *
     * @param value the schedule's type; {@code LINEAR} by default; those that follow evaluations
     *     need an {@code eval_strategy}, and take {@code metric_for_best_model} at each evaluation
     * @return this builder
     */
    public Builder lrSchedulerType(Schedule.Type value) {
      lrSchedulerType = value;
      return this;
    }

    /**
     * Sets {@code lr_scheduler_kwargs}: what the schedule's type has beside the rest.
     *
     * @param value values by the names of {@link Schedule.Type#arguments}; none by default
     * @return this builder
     */
    public Builder lrSchedulerKwargs(Map<String, Object> value) {
      lrSchedulerKwargs = value;
      return this;
    }

    /**
     * Sets {@code layerwise_lr_decay}: what a layer's rate is of that of the layer above it.
     *
     * @param value above 0, at most 1; 1, the same rate for all, by default
     * @return this builder
     */
    public Builder layerwiseLrDecay(double value) {
      layerwiseLrDecay = value;
      return this;
    }

    /**
     * Sets {@code per_device_train_batch_size}: samples that are computed at once.
     *
     * @param value at least 1; 8 by default
     * @return this builder
     */
    public Builder perDeviceTrainBatchSize(int value) {
      perDeviceTrainBatchSize = value;
      return this;
    }

    /**
     * Sets {@code per_device_eval_batch_size}: the same when evaluating.
     *
     * @param value at least 1; 8 by default
     * @return this builder
     */
    public Builder perDeviceEvalBatchSize(int value) {
      perDeviceEvalBatchSize = value;
      return this;
    }

    /**
     * Sets {@code gradient_accumulation_steps}: batches whose gradients are added up for an update.
     *
     * @param value at least 1; 1 by default
     * @return this builder
     */
    public Builder gradientAccumulationSteps(int value) {
      gradientAccumulationSteps = value;
      return this;
    }

    /**
     * Sets {@code label_smoothing_factor}: the share of each label that is spread over all classes.
     *
     * @param value 0 to below 1; 0 by default
     * @return this builder
     */
    public Builder labelSmoothingFactor(double value) {
      labelSmoothingFactor = value;
      return this;
    }

    /**
     * Sets {@code seed}: of the order, the masks and dropout.
     *
     * @param value any number; 42 by default
     * @return this builder
     */
    public Builder seed(long value) {
      seed = value;
      return this;
    }

    /**
     * Sets {@code logging_steps}: updates from a line of the log to the next.
     *
     * @param value at least 1; 500 by default
     * @return this builder
     */
    public Builder loggingSteps(int value) {
      loggingSteps = value;
      return this;
    }

    /**
     * Sets {@code eval_strategy}: when the model is evaluated.
     *
     * @param value {@code NO} by default; others need samples to evaluate on
     * @return this builder
     */
    public Builder evalStrategy(Strategy value) {
      evalStrategy = value;
      return this;
    }

    /**
     * Sets {@code eval_steps}: updates from an evaluation to the next.
     *
     * @param value at least 1; {@code logging_steps} by default; for the strategy {@code STEPS}
     *     alone
     * @return this builder
     */
    public Builder evalSteps(int value) {
      evalSteps = value;
      return this;
    }

    /**
     * Sets {@code save_strategy}: when checkpoints are written.
     *
     * @param value {@code STEPS} by default; others than {@code NO} also save at the end
     * @return this builder
     */
    public Builder saveStrategy(Strategy value) {
      saveStrategy = value;
      return this;
    }

    /**
     * Sets {@code save_steps}: updates from a checkpoint to the next.
     *
     * @param value at least 1; 500 by default; for the strategy {@code STEPS} alone
     * @return this builder
     */
    public Builder saveSteps(int value) {
      saveSteps = value;
      return this;
    }

    /**
     * Sets {@code save_total_limit}: checkpoints that are kept, beside the best one; 0 for all.
     *
     * @param value at least 0; 0 by default
     * @return this builder
     */
    public Builder saveTotalLimit(int value) {
      saveTotalLimit = value;
      return this;
    }

    /**
     * Sets {@code load_best_model_at_end}: whether the best checkpoint's weights are the result.
     *
     * @param value false by default; true needs an {@code output_dir}, the same strategy, not
     *     {@code NO}, for evaluations and checkpoints, and {@code save_steps} that are a multiple
     *     of {@code eval_steps}
     * @return this builder
     */
    public Builder loadBestModelAtEnd(boolean value) {
      loadBestModelAtEnd = value;
      return this;
    }

    /**
     * Sets {@code metric_for_best_model}: what is compared, by the evaluation's name of it, with or
     * without eval_.
     *
     * @param value {@code loss} by default
     * @return this builder
     */
    public Builder metricForBestModel(String value) {
      metricForBestModel = value;
      return this;
    }

    /**
     * Sets {@code greater_is_better}: whether more of it is better; null for as its name says: less
     * of a loss, more of all else.
     *
     * @param value true, false or null, the default
     * @return this builder
     */
    public Builder greaterIsBetter(Boolean value) {
      greaterIsBetter = value;
      return this;
    }

    /**
     * Sets {@code fp16}: whether losses are scaled before gradients are computed, as torch's {@code
     * GradScaler} does. What products compute in is the model's, see {@link
     * dev.gatun.models.TrainingSettings#withProducts}.
     *
     * @param value false by default
     * @return this builder
     */
    public Builder fp16(boolean value) {
      fp16 = value;
      return this;
    }

    /**
     * Sets {@code gradient_checkpointing}: whether a model's layers are computed again in the
     * backward in place of keeping what is in them.
     *
     * @param value whether they are; false by default
     * @return this builder
     */
    public Builder gradientCheckpointing(boolean value) {
      gradientCheckpointing = value;
      return this;
    }

    /**
     * Sets {@code max_skipped_steps}: updates in a row that are skipped for gradients that are not
     * finite before the run ends.
     *
     * @param value at least 1; 8 by default
     * @return this builder
     */
    public Builder maxSkippedSteps(int value) {
      maxSkippedSteps = value;
      return this;
    }

    /**
     * {@return the settings}
     *
     * @throws IllegalArgumentException naming a setting that does not fit, and what would
     */
    public TrainingArguments build() {
      return new TrainingArguments(
          outputDir,
          learningRate,
          weightDecay,
          adamBeta1,
          adamBeta2,
          adamEpsilon,
          optim,
          optimArgs,
          maxGradNorm,
          numTrainEpochs,
          maxSteps,
          warmupSteps,
          warmupRatio,
          lrSchedulerType,
          lrSchedulerKwargs,
          layerwiseLrDecay,
          perDeviceTrainBatchSize,
          perDeviceEvalBatchSize,
          gradientAccumulationSteps,
          labelSmoothingFactor,
          seed,
          loggingSteps,
          evalStrategy,
          evalSteps == null ? loggingSteps : evalSteps,
          saveStrategy,
          saveSteps,
          saveTotalLimit,
          loadBestModelAtEnd,
          metricForBestModel,
          greaterIsBetter,
          fp16,
          gradientCheckpointing,
          maxSkippedSteps);
    }
  }
}
