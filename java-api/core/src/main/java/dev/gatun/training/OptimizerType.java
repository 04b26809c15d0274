package dev.gatun.training;

import dev.gatun.training.optim.Optimizer;
import dev.gatun.training.optim.Optimizers;
import java.util.Arrays;
import java.util.List;
import java.util.Locale;
import java.util.stream.Collectors;

/** Hugging Face's {@code optim}, in lower case, with the settings that its trainer gives each. */
public enum OptimizerType {
  /** AdamW, with the betas and the epsilon of the arguments. */
  ADAMW_TORCH,
  /** Adafactor, without rates that grow with parameters or follow from the step. */
  ADAFACTOR,
  /** Gradient descent without momentum. */
  SGD,
  /** Adagrad. */
  ADAGRAD,
  /** RMSprop. */
  RMSPROP;

  /** {@return the name that Hugging Face gives it} */
  public String key() {
    return name().toLowerCase(Locale.ROOT);
  }

  /**
   * {@return the type of a name}
   *
   * @throws IllegalArgumentException when there is none, naming those that there are
   */
  public static OptimizerType of(String key) {
    return Arrays.stream(values())
        .filter(type -> type.key().equals(key))
        .findFirst()
        .orElseThrow(
            () ->
                new IllegalArgumentException(
                    "optim is '%s', expected one of %s"
                        .formatted(
                            key,
                            Arrays.stream(values())
                                .map(OptimizerType::key)
                                .collect(Collectors.joining(", ")))));
  }

  /** An optimiser of parameters that has made no step. */
  Optimizer of(TrainingArguments arguments, List<Optimizer.Parameter> parameters) {
    return switch (this) {
      case ADAMW_TORCH ->
          Optimizer.of(
              Optimizers.adamW(
                  arguments.adamBeta1(), arguments.adamBeta2(), arguments.adamEpsilon()),
              parameters);
      case ADAFACTOR -> Optimizer.of(Optimizers.adafactor(false), parameters);
      case SGD -> Optimizer.of(Optimizers.sgd(0, false), parameters);
      case ADAGRAD -> Optimizer.of(Optimizers.adagrad(), parameters);
      case RMSPROP -> Optimizer.of(Optimizers.rmsProp(), parameters);
    };
  }
}
