package dev.gatun.training;

import dev.gatun.generation.Philox;
import dev.gatun.models.LossCounts;
import dev.gatun.nn.Parameter;
import dev.gatun.training.data.Batch;
import dev.gatun.training.data.Collator;
import dev.gatun.training.data.Dataset;
import dev.gatun.training.data.Samples;
import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.function.Consumer;

/**
 * Trains a model. An update's loss is the mean over the labels of all of its batches, however many
 * these have each. All that is random is a function of the seed and the place, so that a run that
 * was interrupted goes on from a checkpoint with the same bits. Not for use by several threads.
 */
public final class Trainer {
  // Tells the seeds of dropout from other numbers of the run.
  private static final long DROPOUT = 1L << 62;

  private static final String LOSS = "eval_loss";
  private static final String FOLLOWING = "gatun_lr_scheduler";

  private final Learner learner;
  private final TrainingArguments arguments;
  private final Samples evaluation;
  private final List<TrainerCallback> callbacks;
  private final BatchPlan plan;
  // One of the two: what updates alone tell, and what follows evaluations.
  private final Optional<Schedule> schedule;
  private Optional<MetricSchedule> following;
  private final TrainerState state = new TrainerState();
  private final TrainerControl control = new TrainerControl();
  private final TrainingLog log;
  private final Optional<Checkpoints> checkpoints;
  private final Map<String, Object> run;
  private Map<String, Object> lastMetrics = Map.of();

  private Trainer(Builder builder) {
    this.learner = builder.learner;
    this.arguments = builder.arguments;
    this.evaluation = builder.evaluation;
    this.callbacks = List.copyOf(builder.callbacks);
    this.plan =
        new BatchPlan(
            builder.training,
            arguments.seed(),
            arguments.perDeviceTrainBatchSize(),
            arguments.gradientAccumulationSteps());
    state.stepsPerEpoch = plan.stepsPerEpoch();
    state.maxSteps =
        arguments.maxSteps() > 0
            ? arguments.maxSteps()
            : (long) Math.ceil(arguments.numTrainEpochs() * plan.stepsPerEpoch());
    this.following = following();
    this.schedule = following.isPresent() ? Optional.empty() : Optional.of(schedule());
    this.log = new TrainingLog(arguments.outputDir(), this::warn);
    this.checkpoints = Optional.ofNullable(arguments.outputDir()).map(Checkpoints::new);
    this.run = run(builder.fingerprint, builder.training.size());
  }

  private Schedule schedule() {
    long warmup =
        arguments.warmupSteps() > 0
            ? arguments.warmupSteps()
            : (long) Math.ceil(arguments.warmupRatio() * state.maxSteps);
    return Schedule.of(
        arguments.lrSchedulerType(),
        arguments.lrSchedulerKwargs(),
        warmup,
        state.maxSteps,
        arguments.learningRate());
  }

  /** Before its first evaluation. */
  private Optional<MetricSchedule> following() {
    Schedule.Type type = arguments.lrSchedulerType();
    if (!type.followsEvaluations()) {
      return Optional.empty();
    }
    List<Double> rates =
        learner.rateFactors().stream().map(factor -> arguments.learningRate() * factor).toList();
    return Optional.of(MetricSchedule.of(type, arguments.lrSchedulerKwargs(), rates));
  }

  /** What a checkpoint must agree on for a run to go on with the same bits. */
  private Map<String, Object> run(long fingerprint, int samples) {
    Map<String, Object> facts = new LinkedHashMap<>();
    facts.put("seed", arguments.seed());
    facts.put("per_device_train_batch_size", arguments.perDeviceTrainBatchSize());
    facts.put("gradient_accumulation_steps", arguments.gradientAccumulationSteps());
    facts.put("samples", samples);
    facts.put("data_fingerprint", fingerprint);
    List<Map<String, Object>> parameters = new ArrayList<>();
    for (Parameter parameter : learner.parameters()) {
      Map<String, Object> each = new LinkedHashMap<>();
      each.put("name", parameter.name());
      each.put("shape", Arrays.toString(parameter.shape()));
      each.put("trainable", parameter.isTrainable());
      parameters.add(each);
    }
    facts.put("parameters", parameters);
    return facts;
  }

  /**
   * {@return a trainer to be set up}
   *
   * @param learner the model that is trained; the caller closes it, after the run
   * @param arguments the settings of the run
   */
  public static Builder builder(Learner learner, TrainingArguments arguments) {
    return new Builder(learner, arguments);
  }

  /** What a trainer is made of. */
  public static final class Builder {
    private final Learner learner;
    private final TrainingArguments arguments;
    private final List<TrainerCallback> callbacks = new ArrayList<>();
    private Samples training;
    private long fingerprint;
    private Samples evaluation;

    private Builder(Learner learner, TrainingArguments arguments) {
      this.learner = learner;
      this.arguments = arguments;
    }

    /**
     * Sets what the model is trained on.
     *
     * @param data the records, which are read and checked here
     * @param collator makes the samples of them
     * @return this builder
     * @throws dev.gatun.training.data.DatasetException naming the file and the line of a record
     *     that cannot be used
     */
    public Builder data(Dataset data, Collator collator) {
      return samples(collator.samples(data), data.fingerprint());
    }

    /**
     * Sets what the model is trained on.
     *
     * @param samples at least one; each epoch goes through them in an order of its own
     * @param fingerprint a number by which a resumed run knows that the samples are the same
     * @return this builder
     */
    public Builder samples(Samples samples, long fingerprint) {
      this.training = samples;
      this.fingerprint = fingerprint;
      return this;
    }

    /**
     * Sets what the model is evaluated on.
     *
     * @param samples at least one where {@code eval_strategy} is not {@code no}; null for none
     * @return this builder
     */
    public Builder evaluation(Samples samples) {
      this.evaluation = samples;
      return this;
    }

    /**
     * Adds who is told how the run goes.
     *
     * @param callback told after those that were added before it; checkpoints keep what it knows by
     *     the simple name of its class
     * @return this builder
     */
    public Builder callback(TrainerCallback callback) {
      callbacks.add(callback);
      return this;
    }

    /**
     * {@return the trainer}
     *
     * @throws IllegalArgumentException when something is missing, such as data
     */
    public Trainer build() {
      if (training == null || training.size() == 0) {
        throw new IllegalArgumentException("training: no samples, expected at least one");
      }
      if (learner.parameters().stream().noneMatch(Parameter::isTrainable)) {
        throw new IllegalArgumentException(
            "training: all %d parameters are frozen, expected one that is trained"
                .formatted(learner.parameters().size()));
      }
      boolean evaluates = arguments.evalStrategy() != TrainingArguments.Strategy.NO;
      if (evaluates && (evaluation == null || evaluation.size() == 0)) {
        throw new IllegalArgumentException(
            "training: eval_strategy asks for evaluations, but there is no data for them");
      }
      return new Trainer(this);
    }
  }

  /** {@return how far the run is} */
  public TrainerState state() {
    return state;
  }

  /**
   * Goes on from the newest whole checkpoint of {@code output_dir}; from the beginning where there
   * is none.
   *
   * @return whether there was one
   * @throws CheckpointException when it is of another model, of other data or of another order
   */
  public boolean resumeLatest() {
    Optional<Path> latest = checkpoints.flatMap(all -> all.latest(this::warn));
    latest.ifPresent(this::resume);
    return latest.isPresent();
  }

  /**
   * Goes on from a checkpoint.
   *
   * @param checkpoint the folder {@code checkpoint-N}
   * @throws CheckpointException when it is damaged, of another model, of other data or of another
   *     order of it, or without the state of a schedule that follows evaluations
   */
  public void resume(Path checkpoint) {
    Map<String, Object> written = Checkpoints.readRun(checkpoint);
    requireSame(checkpoint, written);
    Path file = checkpoint.resolve(Checkpoints.TRAINER_STATE);
    Map<String, Object> json = Checkpoints.readJson(file);
    Optional<MetricSchedule> goesOn = following();
    goesOn.ifPresent(rates -> rates.restore(file.toString(), json.get(FOLLOWING)));
    try {
      learner.restore(checkpoint, checkpoint.resolve(Checkpoints.OPTIMIZER));
    } catch (IOException | IllegalArgumentException e) {
      throw new CheckpointException(checkpoint + ": " + e.getMessage(), e);
    }
    state.read(json);
    following = goesOn;
    Map<?, ?> kept = json.get("stateful_callbacks") instanceof Map<?, ?> map ? map : Map.of();
    for (TrainerCallback callback : callbacks) {
      if (kept.get(name(callback)) instanceof Map<?, ?> of) {
        Map<String, Object> values = new LinkedHashMap<>();
        of.forEach((key, value) -> values.put((String) key, value));
        callback.restore(values);
      }
    }
  }

  private void requireSame(Path checkpoint, Map<String, Object> written) {
    if (!(written.get("parameters") instanceof List<?> theirs)) {
      throw new CheckpointException(
          checkpoint.resolve(Checkpoints.RUN) + ": no 'parameters', expected those of the model");
    }
    List<?> ours = (List<?>) run.get("parameters");
    for (int i = 0; i < Math.max(ours.size(), theirs.size()); i++) {
      Object our = i < ours.size() ? ours.get(i) : "no more";
      Object their = i < theirs.size() ? theirs.get(i) : "no more";
      if (!our.equals(their)) {
        throw new CheckpointException(
            "%s: is of another model: parameter %d there is %s, here %s"
                .formatted(checkpoint, i, their, our));
      }
    }
    for (Map.Entry<String, Object> fact : run.entrySet()) {
      Object there = written.get(fact.getKey());
      boolean same =
          there instanceof Number number && fact.getValue() instanceof Number own
              ? number.longValue() == own.longValue()
              : fact.getValue().equals(there);
      if (!same) {
        throw new CheckpointException(
            "%s: was written with %s %s, here it is %s: the samples would come in another order"
                .formatted(checkpoint, fact.getKey(), there, fact.getValue()));
      }
    }
  }

  /**
   * Trains until the end, or until a callback ends it.
   *
   * @return what the run came to: its updates, its mean loss, its last evaluation
   * @throws TrainingException naming the step, when the loss or gradients stay not finite, or when
   *     a checkpoint cannot be written
   * @throws IllegalArgumentException naming the step, when the model cannot take a sample; before
   *     the first one when evaluations do not give what {@code metric_for_best_model} names
   */
  public TrainingResult train() {
    long began = System.nanoTime();
    long tokensBefore = state.tokensSeen;
    double losses = 0;
    int counted = 0;
    requireMetric();
    if (state.globalStep == 0) {
      warnOfOthers();
    }
    following.ifPresent(this::warnOfWhatIsLeftOut);
    log.begin(state.logHistory);
    tell(callback -> callback.onTrainBegin(state, control));
    while (state.globalStep < state.maxSteps && !control.stops()) {
      if (state.globalStep % state.stepsPerEpoch == 0) {
        tell(callback -> callback.onEpochBegin(state, control));
      }
      StepReport step = step();
      if (!step.skipped()) {
        losses += step.loss();
        counted++;
      }
      tell(callback -> callback.onStepEnd(step, state, control));
      boolean epochEnds = state.globalStep % state.stepsPerEpoch == 0;
      if (epochEnds) {
        tell(callback -> callback.onEpochEnd(state, control));
      }
      afterStep(step, epochEnds);
    }
    String best = null;
    if (arguments.loadBestModelAtEnd() && state.bestModelCheckpoint != null) {
      best = state.bestModelCheckpoint;
      takeBest(best);
    }
    log.end(state.logHistory);
    tell(callback -> callback.onTrainEnd(state, control));
    return new TrainingResult(
        state.globalStep,
        counted == 0 ? Double.NaN : losses / counted,
        state.tokensSeen - tokensBefore,
        (System.nanoTime() - began) / 1e9,
        lastMetrics,
        best);
  }

  /** Before hours of work, at whose first evaluation it would be missing. */
  private void requireMetric() {
    if (evaluation == null || arguments.bestMetric().equals(LOSS)) {
      return;
    }
    Batch first =
        BatchPlan.inOrder(evaluation, arguments.seed(), arguments.perDeviceEvalBatchSize(), 0);
    if (learner.counts(first).items() > 0) {
      Learner.Evaluation told = learner.evaluate(first);
      metric(arguments, metrics(told.loss(), told.items(), told.correct()));
    }
  }

  private static Map<String, Object> metrics(double loss, double items, long correct) {
    Map<String, Object> metrics = new LinkedHashMap<>();
    metrics.put(LOSS, loss / items);
    if (correct >= 0) {
      metrics.put("eval_accuracy", correct / items);
    }
    return metrics;
  }

  private void warnOfOthers() {
    checkpoints
        .flatMap(all -> all.latest(message -> {}))
        .ifPresent(
            last ->
                warn(
                    last
                        + ": is of an earlier run, which a resume would go on with; this one begins"
                        + " anew"));
  }

  /** What is unlike the settings. */
  private void warnOfWhatIsLeftOut(MetricSchedule rates) {
    String type = arguments.lrSchedulerType().key();
    if (arguments.warmupSteps() > 0 || arguments.warmupRatio() > 0) {
      warn("lr_scheduler_type %s has no warm-up: that of the settings is left out".formatted(type));
    }
    if (rates.isOfMore() != arguments.isOfMore()) {
      warn(
          "lr_scheduler_kwargs: mode of %s is %s, but %s of %s is better by the settings"
              .formatted(
                  type,
                  rates.isOfMore() ? "max" : "min",
                  arguments.isOfMore() ? "more" : "less",
                  arguments.bestMetric()));
    }
  }

  private void takeBest(String name) {
    Path best = arguments.outputDir().resolve(Path.of(name).getFileName());
    try {
      learner.restore(best, null);
    } catch (IOException e) {
      throw new CheckpointException(
          "%s: the best checkpoint cannot be read: %s".formatted(best, e.getMessage()), e);
    }
  }

  /** An update: its batches forward and backward, and the optimiser's step. */
  private StepReport step() {
    long began = System.nanoTime();
    long number = state.globalStep + 1;
    List<Batch> batches = plan.of(state.globalStep);
    long tokens = batches.stream().mapToLong(Batch::tokens).sum();
    LossCounts counts = counts(number, batches);
    if (counts.items() == 0) {
      throw new TrainingException(
          "step %d: none of the labels of its %d samples counts, expected one that is not -100"
              .formatted(number, batches.stream().mapToInt(each -> each.samples().size()).sum()));
    }
    List<Double> rates = following.map(MetricSchedule::rates).orElse(List.of());
    double rate =
        schedule
            .map(each -> arguments.learningRate() * each.factor(state.updates))
            .orElseGet(rates::getFirst);
    double loss = 0;
    try {
      for (int i = 0; i < batches.size(); i++) {
        long seed = Philox.bits(arguments.seed(), state.globalStep, DROPOUT | i);
        loss += learner.accumulate(batches.get(i), counts, seed);
      }
    } catch (IllegalArgumentException e) {
      learner.discard();
      throw new IllegalArgumentException("step %d: %s".formatted(number, e.getMessage()), e);
    } catch (RuntimeException | Error e) {
      learner.discard();
      throw e;
    }
    Learner.Update update;
    if (Double.isFinite(loss)) {
      update =
          rates.isEmpty()
              ? learner.update(rate, arguments.maxGradNorm())
              : learner.update(rates, arguments.maxGradNorm());
    } else {
      learner.discard();
      update = new Learner.Update(Double.NaN, "");
    }
    boolean skipped = update.nonFinite() != null;
    state.globalStep = number;
    state.tokensSeen += tokens;
    if (skipped) {
      state.skippedInARow++;
      skipped(number, loss, update.nonFinite());
    } else {
      state.skippedInARow = 0;
      state.updates++;
      state.lossSinceLog += loss;
      state.stepsSinceLog++;
    }
    return new StepReport(
        number,
        state.maxSteps,
        state.epoch(),
        loss,
        update.gradNorm(),
        rate,
        skipped,
        tokens,
        System.nanoTime() - began);
  }

  private LossCounts counts(long number, List<Batch> batches) {
    try {
      return batches.stream().map(learner::counts).reduce(LossCounts::plus).orElseThrow();
    } catch (IllegalArgumentException e) {
      throw new IllegalArgumentException("step %d: %s".formatted(number, e.getMessage()), e);
    }
  }

  private void skipped(long step, double loss, String parameter) {
    Optional<String> weight = BrokenWeights.first(learner.parameters());
    String what =
        (Double.isFinite(loss)
                ? "the gradient of '%s' is not finite".formatted(parameter)
                : "the loss is %s".formatted(loss))
            + weight.map(", as the weight '%s' is not finite"::formatted).orElse("");
    if (state.skippedInARow < arguments.maxSkippedSteps()) {
      warn(
          "step %d: %s; the update is skipped, weights and schedule stay; the run ends after %d in"
                  .formatted(step, what, arguments.maxSkippedSteps())
              + " a row, this is %d".formatted(state.skippedInARow));
      return;
    }
    throw new TrainingException(
        "step %d: %s, as in all of the last %d updates; the weights are those of update %d; %s. "
                .formatted(
                    step,
                    what,
                    state.skippedInARow,
                    state.updates,
                    checkpoints
                        .flatMap(all -> all.latest(message -> {}))
                        .map(last -> "the last checkpoint is " + last)
                        .orElse("there is no checkpoint"))
            + (weight.isPresent()
                ? "No setting helps: begin with weights that are finite"
                : "A smaller learning_rate, a longer warm-up or a smaller max_grad_norm may help"));
  }

  /** The log, evaluations and checkpoints that are due. */
  private void afterStep(StepReport step, boolean epochEnds) {
    boolean asked = control.takeLog();
    if (asked || isLast() || step.step() % arguments.loggingSteps() == 0) {
      logLoss(step);
    }
    boolean evaluates =
        isDue(arguments.evalStrategy(), arguments.evalSteps(), epochEnds) || control.takeEvaluate();
    boolean saves = isDue(arguments.saveStrategy(), arguments.saveSteps(), epochEnds);
    if (evaluates && evaluation != null) {
      saves |= evaluateAndCompare();
    }
    // An evaluation may have ended the run.
    saves |= isLast() && arguments.saveStrategy() != TrainingArguments.Strategy.NO;
    if ((control.takeSave() || saves) && checkpoints.isPresent()) {
      save();
    }
  }

  private boolean isLast() {
    return state.globalStep == state.maxSteps || control.stops();
  }

  private boolean isDue(TrainingArguments.Strategy strategy, int steps, boolean epochEnds) {
    return switch (strategy) {
      case NO -> false;
      case STEPS -> state.globalStep % steps == 0;
      case EPOCH -> epochEnds;
    };
  }

  private void logLoss(StepReport step) {
    Map<String, Object> entry = new LinkedHashMap<>();
    if (state.stepsSinceLog > 0) {
      entry.put("loss", state.lossSinceLog / state.stepsSinceLog);
    }
    if (Double.isFinite(step.gradNorm())) {
      entry.put("grad_norm", step.gradNorm());
    }
    entry.put("learning_rate", step.learningRate());
    state.lossSinceLog = 0;
    state.stepsSinceLog = 0;
    record(entry);
  }

  private void record(Map<String, Object> entry) {
    entry.put("epoch", state.epoch());
    entry.put("step", state.globalStep);
    state.logHistory.add(entry);
    log.add(entry, state.logHistory);
    tell(callback -> callback.onLog(entry, state, control));
  }

  /** Evaluates; returns whether the best model has to be kept. */
  private boolean evaluateAndCompare() {
    Map<String, Object> metrics = evaluate(evaluation);
    lastMetrics = Map.copyOf(metrics);
    double value = metric(arguments, metrics);
    following.ifPresent(rates -> rates.step(value));
    boolean better =
        state.bestMetric == null
            ? !Double.isNaN(value)
            : arguments.isBetter(value, state.bestMetric);
    if (better) {
      state.bestMetric = value;
      state.bestGlobalStep = state.globalStep;
    }
    record(metrics);
    tell(callback -> callback.onEvaluate(metrics, state, control));
    boolean keeps = better && arguments.loadBestModelAtEnd();
    if (keeps) {
      state.bestModelCheckpoint =
          arguments.outputDir().resolve("checkpoint-" + state.globalStep).toString();
    }
    return keeps;
  }

  /**
   * {@return how well the model tells samples: {@code eval_loss}, a mean over their labels, and
   * where labels are classes of sequences or words that all count alike {@code eval_accuracy}}
   *
   * @param samples at least one, with a label that counts
   * @throws IllegalArgumentException when none of the labels counts
   */
  public Map<String, Object> evaluate(Samples samples) {
    int size = arguments.perDeviceEvalBatchSize();
    double loss = 0;
    double items = 0;
    long correct = 0;
    boolean hasCorrect = true;
    for (int i = 0; i < Math.ceilDiv(samples.size(), size); i++) {
      Batch batch = BatchPlan.inOrder(samples, arguments.seed(), size, i);
      if (learner.counts(batch).items() == 0) {
        continue;
      }
      Learner.Evaluation told = learner.evaluate(batch);
      loss += told.loss();
      items += told.items();
      correct += told.correct();
      hasCorrect &= told.correct() >= 0;
    }
    if (items == 0) {
      throw new IllegalArgumentException(
          "evaluation: none of the labels counts, expected one that is not -100");
    }
    return metrics(loss, items, hasCorrect ? correct : -1);
  }

  /** The value that {@code metric_for_best_model} names. */
  static double metric(TrainingArguments arguments, Map<String, Object> metrics) {
    if (metrics.get(arguments.bestMetric()) instanceof Number value) {
      return value.doubleValue();
    }
    throw new IllegalArgumentException(
        "training: metric_for_best_model is '%s', expected one of %s"
            .formatted(arguments.metricForBestModel(), metrics.keySet()));
  }

  private void save() {
    Checkpoints all = checkpoints.orElseThrow();
    Map<String, Object> kept = new LinkedHashMap<>();
    for (TrainerCallback callback : callbacks) {
      if (!callback.state().isEmpty()) {
        kept.put(name(callback), callback.state());
      }
    }
    Path written =
        all.write(
            state.globalStep,
            run,
            folder -> {
              learner.save(folder);
              learner.saveOptimizer(folder.resolve(Checkpoints.OPTIMIZER));
              Map<String, Object> json = state.toJson(arguments, kept);
              following.ifPresent(rates -> json.put(FOLLOWING, rates.state()));
              Checkpoints.writeJson(folder.resolve(Checkpoints.TRAINER_STATE), json);
            });
    try {
      all.keep(
          arguments.saveTotalLimit(),
          state.globalStep,
          state.bestModelCheckpoint == null
              ? null
              : Path.of(state.bestModelCheckpoint).getFileName().toString());
    } catch (IOException e) {
      warn("%s: an older checkpoint cannot be deleted: %s".formatted(written, e.getMessage()));
    }
    tell(callback -> callback.onSave(written, state, control));
  }

  private static String name(TrainerCallback callback) {
    return callback.getClass().getSimpleName();
  }

  private void warn(String message) {
    tell(callback -> callback.onWarning(message));
  }

  private void tell(Consumer<TrainerCallback> what) {
    callbacks.forEach(what);
  }
}
