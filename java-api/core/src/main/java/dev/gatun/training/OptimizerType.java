package dev.gatun.training;

import dev.gatun.kernels.api.call.optim.AdafactorRule;
import dev.gatun.kernels.api.call.optim.UpdateRule;
import dev.gatun.training.optim.Optimizer;
import dev.gatun.training.optim.Optimizers;
import java.util.Arrays;
import java.util.List;
import java.util.Locale;
import java.util.function.Function;
import java.util.stream.Collectors;

/**
 * Hugging Face's {@code optim}, in lower case, with the settings that its trainer gives each and
 * the {@code optim_args} that it reads for it.
 */
public enum OptimizerType {
  /** AdamW, with the betas and the epsilon of the arguments. */
  ADAMW_TORCH,
  /** The same: what torch fuses is this formula, and a step here is one call in any case. */
  ADAMW_TORCH_FUSED,
  /** Adafactor, without rates that grow with parameters or follow from the step. */
  ADAFACTOR,
  /** Gradient descent, without momentum unless asked for. */
  SGD("momentum", "dampening", "nesterov"),
  /** Adagrad. */
  ADAGRAD("lr_decay", "eps"),
  /** RMSprop. */
  RMSPROP("alpha", "eps", "momentum", "centered");

  private final List<String> arguments;

  OptimizerType(String... arguments) {
    this.arguments = List.of(arguments);
  }

  /** {@return the name that Hugging Face gives it} */
  public String key() {
    return name().toLowerCase(Locale.ROOT);
  }

  /** {@return the names of the {@code optim_args} that it has} */
  public List<String> arguments() {
    return arguments;
  }

  /**
   * {@return the type of a name}
   *
   * @param key Hugging Face's name of it, see {@link #key}
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

  /**
   * What makes an optimiser of parameters that has made no step.
   *
   * @param optimArgs {@code optim_args}
   * @throws IllegalArgumentException naming the setting that does not fit, and what would
   */
  Function<List<Optimizer.Parameter>, Optimizer> with(
      double adamBeta1, double adamBeta2, double adamEpsilon, String optimArgs) {
    OptimizerArguments given = OptimizerArguments.of(this, optimArgs);
    return switch (this) {
      case ADAMW_TORCH, ADAMW_TORCH_FUSED ->
          making(Optimizers.adamW(adamBeta1, adamBeta2, adamEpsilon));
      case ADAFACTOR -> {
        AdafactorRule rule = Optimizers.adafactor(false);
        yield parameters -> Optimizer.of(rule, parameters);
      }
      case SGD ->
          making(
              new UpdateRule.Sgd(
                  given.number("momentum", 0),
                  given.number("dampening", 0),
                  given.flag("nesterov")));
      case ADAGRAD ->
          making(new UpdateRule.Adagrad(given.number("lr_decay", 0), given.number("eps", 1e-10)));
      case RMSPROP ->
          making(
              new UpdateRule.RmsProp(
                  given.number("alpha", 0.99),
                  given.number("eps", 1e-8),
                  given.number("momentum", 0),
                  given.flag("centered")));
    };
  }

  private static Function<List<Optimizer.Parameter>, Optimizer> making(UpdateRule rule) {
    return parameters -> Optimizer.of(rule, parameters);
  }
}
