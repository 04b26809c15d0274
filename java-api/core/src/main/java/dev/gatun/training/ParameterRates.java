package dev.gatun.training;

import dev.gatun.nn.Parameter;
import java.util.Comparator;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Stream;

/**
 * Learning rates that differ by layer (Howard and Ruder, ULMFiT, 2018): the last layer and what
 * stands behind it have the whole rate, each layer below a share of that of the one above, and
 * embeddings a share of the first layer's.
 */
final class ParameterRates {
  private static final Pattern LAYER =
      Pattern.compile("(?:^|\\.)(?:layers?|h|blocks?|albert_layer_groups)\\.(\\d+)\\.");
  // GPT-NeoX calls its output layer embed_out, DeBERTa the norm of its relative positions
  // LayerNorm.
  private static final Pattern EMBEDDING =
      Pattern.compile(
          "(?:embed(?!_out)|(?:^|\\.)(?:wte|wpe|shared|tok_embeddings|emb_ln"
              + "|relative_attention_bias|encoder\\.LayerNorm)\\.)");
  // Of DeBERTa, behind its first layer.
  private static final Pattern FIRST = Pattern.compile("(?:^|\\.)encoder\\.conv\\.");

  private final double decay;
  private final int layers;
  private final List<Double> groups;
  // By the names of the parameters that are trained.
  private final Map<String, Integer> members = new HashMap<>();

  ParameterRates(List<Parameter> parameters, double decay) {
    this.decay = decay;
    this.layers = 1 + parameters.stream().mapToInt(p -> layer(p.name())).max().orElse(-1);
    List<Parameter> trained = parameters.stream().filter(Parameter::isTrainable).toList();
    this.groups =
        trained.stream()
            .map(parameter -> factor(parameter.name()))
            .distinct()
            .sorted(Comparator.reverseOrder())
            .flatMap(factor -> Stream.of(factor, factor))
            .toList();
    for (Parameter parameter : trained) {
      int first = groups.indexOf(factor(parameter.name()));
      members.put(parameter.name(), parameter.isDecayed() ? first : first + 1);
    }
  }

  /**
   * The factors of the groups, from the last layer to the embeddings: two of each, as transformers'
   * trainer has two groups, the parameters that decay and then the others.
   */
  List<Double> groups() {
    return groups;
  }

  /** The place in {@link #groups} of a parameter that is trained. */
  int group(String name) {
    return members.get(name);
  }

  /** The layer that a parameter is in; -1 for none. */
  private static int layer(String name) {
    Matcher matcher = LAYER.matcher(name);
    return matcher.find()
        ? Integer.parseInt(matcher.group(1))
        : FIRST.matcher(name).find() ? 0 : -1;
  }

  /** What a parameter's rate is multiplied by. */
  double factor(String name) {
    int layer = layer(name);
    if (layer >= 0) {
      return Math.pow(decay, layers - 1.0 - layer);
    }
    return EMBEDDING.matcher(name).find() ? Math.pow(decay, layers) : 1;
  }
}
