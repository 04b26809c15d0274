package dev.gatun.training;

import dev.gatun.autograd.Gradients;
import dev.gatun.autograd.Tape;
import dev.gatun.kernels.api.memory.DType;
import dev.gatun.models.CausalLm;
import dev.gatun.models.CausalLmInputs;
import dev.gatun.models.EncoderInputs;
import dev.gatun.models.EncoderModel;
import dev.gatun.models.EncoderOutput;
import dev.gatun.models.Head;
import dev.gatun.models.LossCounts;
import dev.gatun.models.Model;
import dev.gatun.models.ProblemType;
import dev.gatun.models.Seq2SeqInputs;
import dev.gatun.models.Seq2SeqLm;
import dev.gatun.nn.Parameter;
import dev.gatun.tensor.Scope;
import dev.gatun.tensor.Tensor;
import dev.gatun.training.data.Batch;
import dev.gatun.training.optim.Optimizer;
import dev.gatun.weights.ParameterFile;
import dev.gatun.weights.TensorFile;
import java.io.IOException;
import java.lang.foreign.ValueLayout;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.function.ToDoubleFunction;
import java.util.stream.LongStream;

/**
 * A model that was made for training, with an optimiser. Biases and the weights of norms do not
 * decay. What the model's configuration says of dropout holds in {@link #accumulate}.
 */
public final class ModelLearner implements Learner {
  private static final ValueLayout.OfFloat FLOAT = ValueLayout.JAVA_FLOAT_UNALIGNED;
  private static final String STEPS = "gatun.steps";

  private final Model model;
  private final float smoothing;
  private final boolean checkpoints;
  private final Optimizer optimizer;
  private final LossScale scale;
  private final List<Parameter> trained;
  private final ParameterRates rates;
  private Gradients gradients = new Gradients();

  /**
   * A learner before its first step.
   *
   * @param model made by {@link dev.gatun.models.AutoModel}'s methods for training; closed with
   *     this
   * @param arguments say what the optimiser does
   * @throws IllegalArgumentException for a model that was loaded to be used, and settings that
   *     models have not
   */
  public ModelLearner(Model model, TrainingArguments arguments) {
    if (model.parameters().isEmpty()) {
      throw new IllegalArgumentException(
          "training: the model has no parameters, expected one that AutoModel made for training");
    }
    this.model = model;
    this.smoothing = (float) arguments.labelSmoothingFactor();
    this.checkpoints = arguments.gradientCheckpointing();
    this.trained = model.parameters().stream().filter(Parameter::isTrainable).toList();
    if (trained.isEmpty()) {
      throw new IllegalArgumentException(
          "training: all of the model's %d parameters are frozen, expected one that is trained"
              .formatted(model.parameters().size()));
    }
    this.rates = new ParameterRates(model.parameters(), arguments.layerwiseLrDecay());
    List<Optimizer.Parameter> each = new ArrayList<>();
    for (Parameter parameter : trained) {
      double decay = parameter.isDecayed() ? arguments.weightDecay() : 0;
      each.add(
          new Optimizer.Parameter(
              parameter.name(), parameter.tensor(), null, decay, rates.factor(parameter.name())));
    }
    this.scale = new LossScale(arguments.fp16());
    this.optimizer = arguments.optimizer().apply(each);
  }

  /** {@return the model} */
  public Model model() {
    return model;
  }

  @Override
  public List<Parameter> parameters() {
    return model.parameters();
  }

  private static EncoderInputs ofEncoder(EncoderModel encoder, Batch batch) {
    return new EncoderInputs(
        batch.inputIds(),
        null,
        batch.typeIds(),
        encoder.head() == Head.NEXT_SENTENCE_PREDICTION ? sentences(batch) : batch.labels(),
        batch.labelValues(),
        batch.nextSentence(),
        batch.startPositions(),
        batch.endPositions(),
        false,
        false,
        batch.labelWeights());
  }

  /**
   * What the head of next sentences alone has as its labels: a column; null where there is none.
   */
  private static long[][] sentences(Batch batch) {
    long[] each = batch.nextSentence();
    return each == null
        ? batch.labels()
        : LongStream.of(each).mapToObj(label -> new long[] {label}).toArray(long[][]::new);
  }

  private static CausalLmInputs ofDecoder(Batch batch) {
    return new CausalLmInputs(batch.inputIds(), null, batch.labels(), false, false)
        .withLabelWeights(batch.labelWeights());
  }

  private static Seq2SeqInputs ofEncoderDecoder(Batch batch) {
    // Rows are as long as they are; padding of a label is one that does not count.
    return Seq2SeqInputs.ofLabels(batch.inputIds(), null, batch.labels())
        .withLabelWeights(batch.labelWeights());
  }

  @Override
  public LossCounts counts(Batch batch) {
    return switch (model) {
      case EncoderModel encoder -> encoder.lossCounts(ofEncoder(encoder, batch));
      case CausalLm decoder -> decoder.lossCounts(ofDecoder(batch));
      case Seq2SeqLm both -> both.lossCounts(ofEncoderDecoder(batch));
    };
  }

  /** The loss [1] of a batch. */
  private Tensor loss(Batch batch, LossCounts counts) {
    return switch (model) {
      case EncoderModel encoder -> encoder.loss(ofEncoder(encoder, batch), counts, smoothing);
      case CausalLm decoder -> decoder.loss(ofDecoder(batch), counts, smoothing);
      case Seq2SeqLm both -> both.loss(ofEncoderDecoder(batch), counts, smoothing);
    };
  }

  @Override
  public double accumulate(Batch batch, LossCounts counts, long seed) {
    if (counts.items() == 0) {
      throw new IllegalArgumentException(
          "labels: none of the update's counts, expected one that is not -100");
    }
    List<Tensor> leaves = trained.stream().map(Parameter::tensor).toList();
    // No scope: the gradients outlive it.
    try (Tape tape = Tape.record(leaves).withSeed(seed).withCheckpoints(checkpoints);
        Tensor loss = loss(batch, counts);
        Tensor factor = Tensor.of(model.device(), new float[] {scale.factor()}, loss.shape())) {
      tape.backward(loss, factor, gradients);
      return loss.toFloatArray()[0];
    }
  }

  @Override
  public Update update(double learningRate, double maxGradNorm) {
    return update(parameter -> learningRate * parameter.rateFactor(), maxGradNorm);
  }

  @Override
  public List<Double> rateFactors() {
    return rates.groups();
  }

  @Override
  public Update update(List<Double> each, double maxGradNorm) {
    return update(parameter -> each.get(rates.group(parameter.name())), maxGradNorm);
  }

  private Update update(ToDoubleFunction<Optimizer.Parameter> rate, double maxGradNorm) {
    try {
      Map<String, Tensor> each = new LinkedHashMap<>();
      for (Parameter parameter : trained) {
        Tensor gradient = gradients.of(parameter.tensor());
        if (gradient != null) {
          each.put(parameter.name(), gradient);
        }
      }
      float most = maxGradNorm == 0 ? Float.POSITIVE_INFINITY : (float) maxGradNorm;
      Optimizer.Outcome outcome =
          optimizer.step(each, rate, new Optimizer.Scaling(1 / scale.factor(), most));
      scale.after(!outcome.skipped());
      if (outcome.skipped()) {
        List<String> names = outcome.notFinite();
        return new Update(outcome.norm(), names.isEmpty() ? "all together" : names.getFirst());
      }
      trained.forEach(Parameter::changed);
      return new Update(outcome.norm(), null);
    } finally {
      discard();
    }
  }

  @Override
  public void discard() {
    gradients.close();
    gradients = new Gradients();
  }

  @Override
  public Evaluation evaluate(Batch batch) {
    LossCounts counts = counts(batch);
    if (model instanceof EncoderModel encoder && tellsClasses(encoder, batch)) {
      EncoderInputs inputs = ofEncoder(encoder, batch);
      try (EncoderOutput output = encoder.forward(inputs);
          Tensor smoothed = smoothing == 0 ? null : encoder.loss(inputs, null, smoothing)) {
        double mean = (smoothed == null ? output.loss() : smoothed).toFloatArray()[0];
        long correct = correct(output.logits(), inputs.labels());
        return new Evaluation(mean * counts.items(), counts.items(), correct);
      }
    }
    try (Scope _ = Scope.open()) {
      double mean = loss(batch, null).toFloatArray()[0];
      return new Evaluation(mean * counts.items(), counts.items(), -1);
    }
  }

  /** Whether labels are classes of sequences or of words, each of which counts as much. */
  private static boolean tellsClasses(EncoderModel encoder, Batch batch) {
    if (batch.labelWeights() != null) {
      return false;
    }
    return switch (encoder.head()) {
      case TOKEN_CLASSIFICATION -> batch.labels() != null;
      case NEXT_SENTENCE_PREDICTION -> true;
      case SEQUENCE_CLASSIFICATION -> {
        ProblemType type = encoder.config().problemType();
        yield batch.labels() != null
            && (type == ProblemType.SINGLE_LABEL_CLASSIFICATION
                || type == null && encoder.config().labels().size() > 1);
      }
      default -> false;
    };
  }

  /**
   * How many labels have the highest score, the first of equal ones.
   *
   * @param logits [sequences, classes] or, padded, [sequences, longest, classes]
   */
  private static long correct(Tensor logits, long[][] labels) {
    float[] scores = logits.toFloatArray();
    int classes = (int) logits.size(-1);
    int places = scores.length / classes / labels.length;
    long correct = 0;
    for (int row = 0; row < labels.length; row++) {
      for (int i = 0; i < labels[row].length; i++) {
        int first = (row * places + i) * classes;
        int best = 0;
        for (int c = 1; c < classes; c++) {
          best = scores[first + c] > scores[first + best] ? c : best;
        }
        correct += labels[row][i] == best ? 1 : 0;
      }
    }
    return correct;
  }

  @Override
  public void save(Path directory) throws IOException {
    model.save(directory);
  }

  @Override
  public void saveOptimizer(Path file) throws IOException {
    List<Parameter> states = new ArrayList<>();
    optimizer.state().forEach((name, tensor) -> states.add(new Parameter(name, tensor)));
    Map<String, String> steps = new LinkedHashMap<>();
    optimizer.steps().forEach((name, count) -> steps.put(STEPS + "." + name, count.toString()));
    scale.save(steps);
    ParameterFile.write(file, states, List.of(), steps);
  }

  @Override
  public void restore(Path directory, Path file) throws IOException {
    try (TensorFile weights = TensorFile.open(directory.resolve("model.safetensors"))) {
      for (Parameter parameter : model.parameters()) {
        TensorFile.Entry entry = weights.get(parameter.name());
        if (entry.dtype() != DType.F32 || !Arrays.equals(entry.shape(), parameter.shape())) {
          throw new IllegalArgumentException(
              "is of another model: '%s' is %s %s there, expected F32 %s"
                  .formatted(
                      parameter.name(),
                      entry.dtype(),
                      Arrays.toString(entry.shape()),
                      Arrays.toString(parameter.shape())));
        }
      }
      // Before the weights, for a file that does not fit changes nothing then.
      if (file != null) {
        restoreOptimizer(file);
      }
      for (Parameter parameter : model.parameters()) {
        parameter.write(weights.get(parameter.name()).data().toArray(FLOAT));
      }
    }
  }

  private void restoreOptimizer(Path path) throws IOException {
    try (TensorFile file = TensorFile.open(path);
        Scope _ = Scope.open()) {
      Map<String, Tensor> states = new LinkedHashMap<>();
      for (String name : file.names()) {
        TensorFile.Entry entry = file.get(name);
        states.put(name, Tensor.of(model.device(), entry.data().toArray(FLOAT), entry.shape()));
      }
      Map<String, Long> steps = new LinkedHashMap<>();
      file.metadata()
          .forEach(
              (key, value) -> {
                if (key.startsWith(STEPS + ".")) {
                  steps.put(key.substring(STEPS.length() + 1), Long.valueOf(value));
                }
              });
      optimizer.restore(states, steps);
      scale.restore(file.metadata());
    }
  }

  @Override
  public void close() {
    gradients.close();
    optimizer.close();
    model.close();
  }
}
