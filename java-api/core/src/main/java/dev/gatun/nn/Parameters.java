package dev.gatun.nn;

import java.util.ArrayList;
import java.util.Collection;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.regex.Pattern;
import java.util.stream.Collectors;
import java.util.stream.Stream;

/** What is done with a model's parameters by their names. */
public final class Parameters {
  private Parameters() {}

  /**
   * Freezes those that patterns name.
   *
   * @param parameters of the model
   * @param patterns names of parameters; of modules, for all below them ({@code bert.embeddings});
   *     or either with {@code *} for any characters
   * @throws IllegalArgumentException for a pattern that names none; nothing is frozen then
   */
  public static void freeze(Collection<Parameter> parameters, String... patterns) {
    matching(parameters, patterns).forEach(parameter -> parameter.setTrainable(false));
  }

  /**
   * Lets training change those that patterns name.
   *
   * @param parameters of the model
   * @param patterns as those of {@link #freeze}
   * @throws IllegalArgumentException for a pattern that names none; nothing is changed then
   */
  public static void unfreeze(Collection<Parameter> parameters, String... patterns) {
    matching(parameters, patterns).forEach(parameter -> parameter.setTrainable(true));
  }

  /**
   * {@return those that patterns name, in their order}
   *
   * @param parameters of the model
   * @param patterns as those of {@link #freeze}
   * @throws IllegalArgumentException for a pattern that names none
   */
  public static List<Parameter> matching(Collection<Parameter> parameters, String... patterns) {
    Set<Parameter> found = new LinkedHashSet<>();
    for (String pattern : patterns) {
      Pattern names = compiled(pattern);
      List<Parameter> some =
          parameters.stream().filter(p -> names.matcher(p.name()).matches()).toList();
      if (some.isEmpty()) {
        throw new IllegalArgumentException(
            "no parameter is named '%s'; the model has %d, such as %s"
                .formatted(
                    pattern,
                    parameters.size(),
                    parameters.stream().map(Parameter::name).limit(3).toList()));
      }
      found.addAll(some);
    }
    return parameters.stream().filter(found::contains).toList();
  }

  private static Pattern compiled(String pattern) {
    String names =
        Stream.of(pattern.split("\\*", -1)).map(Pattern::quote).collect(Collectors.joining(".*"));
    return Pattern.compile(names + "(\\..*)?");
  }

  /**
   * {@return those that training changes, in their order}
   *
   * @param parameters of the model
   */
  public static List<Parameter> trainable(Collection<Parameter> parameters) {
    return parameters.stream().filter(Parameter::isTrainable).toList();
  }

  /**
   * A part of a model's parameters that an optimiser treats alike.
   *
   * @param parameters in the order of the model
   * @param weightDecay of them
   */
  public record Group(List<Parameter> parameters, float weightDecay) {
    /** Copies the list. */
    public Group {
      parameters = List.copyOf(parameters);
    }
  }

  /**
   * {@return the trainable ones as transformers' trainer groups them: those that are decayed, and
   * biases and the weights of norms, which are not} A group without any is left out.
   *
   * @param parameters of the model
   * @param weightDecay of the first group; that of the second is 0
   */
  public static List<Group> groups(Collection<Parameter> parameters, float weightDecay) {
    Map<Boolean, List<Parameter>> by = new LinkedHashMap<>();
    by.put(true, new ArrayList<>());
    by.put(false, new ArrayList<>());
    trainable(parameters).forEach(parameter -> by.get(parameter.isDecayed()).add(parameter));
    return by.entrySet().stream()
        .filter(entry -> !entry.getValue().isEmpty())
        .map(entry -> new Group(entry.getValue(), entry.getKey() ? weightDecay : 0))
        .toList();
  }
}
