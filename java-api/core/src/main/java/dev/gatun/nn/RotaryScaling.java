package dev.gatun.nn;

import java.util.Collections;
import java.util.List;
import java.util.Map;
import java.util.Set;

/**
 * The rotary settings of a model, as a {@code config.json} of Hugging Face has them in {@code
 * rope_parameters} (formerly {@code rope_scaling}). {@link #unreadKeys} are those that a type does
 * not use.
 *
 * <table>
 *   <caption>What each {@code rope_type} (formerly {@code type}) reads</caption>
 *   <tr><td>all</td><td>rope_theta (10000), partial_rotary_factor (1)</td></tr>
 *   <tr><td>default</td><td>nothing more</td></tr>
 *   <tr><td>linear, dynamic</td><td>factor</td></tr>
 *   <tr><td>proportional</td><td>factor (1)</td></tr>
 *   <tr><td>llama3</td><td>factor, low_freq_factor, high_freq_factor,
 *       original_max_position_embeddings</td></tr>
 *   <tr><td>yarn</td><td>factor, original_max_position_embeddings, beta_fast (32), beta_slow (1),
 *       truncate (true), mscale, mscale_all_dim, attention_factor</td></tr>
 *   <tr><td>longrope</td><td>short_factor, long_factor, factor, original_max_position_embeddings,
 *       attention_factor</td></tr>
 * </table>
 *
 * Of factor and original_max_position_embeddings, yarn and longrope need one: the factor is else
 * the ratio of the longest length to the original one, the original one is else the longest, of
 * llama3 too.
 */
public final class RotaryScaling {
  private static final List<String> TYPES =
      List.of("default", "linear", "dynamic", "llama3", "yarn", "longrope", "proportional");

  private final double theta;
  private final double partialRotaryFactor;
  private final RotaryMethod method;
  private final Set<String> unread;

  private RotaryScaling(RotaryKeys keys, int maxPositionEmbeddings) {
    if (maxPositionEmbeddings < 1) {
      throw new IllegalArgumentException(
          "rotary: 'max_position_embeddings' is %d, expected a number from 1"
              .formatted(maxPositionEmbeddings));
    }
    for (Map.Entry<String, ?> entry : keys.map().entrySet()) {
      if (entry.getValue() instanceof Map) {
        throw keys.bad(
            entry.getKey(), "one value: where layers differ, give the settings of one of them");
      }
    }
    String typeKey = keys.has("rope_type") || !keys.has("type") ? "rope_type" : "type";
    String type = keys.has(typeKey) ? keys.text(typeKey) : "default";
    // YaRN divides by the logarithm of theta.
    theta = keys.above("rope_theta", type.equals("yarn") ? 1 : 0, 10000);
    partialRotaryFactor = keys.above("partial_rotary_factor", 0, 1);
    if (partialRotaryFactor > 1) {
      throw keys.bad("partial_rotary_factor", "a number above 0 and up to 1");
    }
    method =
        switch (type) {
          case "default" -> new RotaryMethod.Linear(1);
          case "linear" -> new RotaryMethod.Linear(keys.above("factor", 0));
          case "dynamic" ->
              new RotaryMethod.Dynamic(keys.above("factor", 0), maxPositionEmbeddings);
          case "llama3" -> llama3(keys, maxPositionEmbeddings);
          case "yarn" -> yarn(keys, maxPositionEmbeddings);
          case "longrope" -> longRope(keys, maxPositionEmbeddings);
          case "proportional" ->
              new RotaryMethod.Proportional(keys.above("factor", 0, 1), partialRotaryFactor);
          default -> throw keys.bad(typeKey, "one of " + String.join(", ", TYPES));
        };
    unread = keys.unread();
  }

  /**
   * {@return the settings, read and checked}
   *
   * @param parameters numbers, texts, booleans and lists by the names in {@code config.json}
   * @param maxPositionEmbeddings the model's {@code max_position_embeddings}
   * @throws IllegalArgumentException when a key is missing or has a bad value, naming it
   */
  public static RotaryScaling of(Map<String, ?> parameters, int maxPositionEmbeddings) {
    return new RotaryScaling(new RotaryKeys(parameters), maxPositionEmbeddings);
  }

  /**
   * {@return the plain frequencies {@code theta^(-2i / head_size)} of arXiv 2104.09864}
   *
   * @param theta the base, above 0
   * @throws IllegalArgumentException when it is not above 0
   */
  public static RotaryScaling none(double theta) {
    return of(Map.of("rope_theta", theta), 1);
  }

  /** {@return the keys that the type does not read, in the order of the alphabet} */
  public Set<String> unreadKeys() {
    return Collections.unmodifiableSet(unread);
  }

  /** How many elements of a head are in pairs. */
  int rotarySize(int headSize) {
    return method instanceof RotaryMethod.Proportional
        ? headSize
        : (int) (headSize * partialRotaryFactor);
  }

  /** How much of a head turns. */
  double partialRotaryFactor() {
    return partialRotaryFactor;
  }

  /** The inverse frequencies [rotary / 2] of tables of this length. */
  float[] inverseFrequencies(int rotary, int length) {
    return method.inverseFrequencies(theta, rotary, length);
  }

  double attentionFactor() {
    return method.attentionFactor();
  }

  private static RotaryMethod llama3(RotaryKeys keys, int longest) {
    double low = keys.above("low_freq_factor", 0);
    return new RotaryMethod.Llama3(
        keys.above("factor", 0),
        low,
        keys.above("high_freq_factor", low),
        original(keys, longest, 1));
  }

  private static RotaryMethod yarn(RotaryKeys keys, int longest) {
    int original = original(keys, longest, 1);
    double factor = keys.above("factor", 0, (double) longest / original);
    double betaSlow = keys.above("beta_slow", 0, 1);
    double betaFast = keys.above("beta_fast", 0, 32);
    if (betaFast < betaSlow) {
      throw keys.bad("beta_fast", "at least beta_slow, " + betaSlow);
    }
    double mscale = keys.fromZero("mscale", 0);
    double all = keys.fromZero("mscale_all_dim", 0);
    // As in the reference, one of the two alone has no effect.
    double attention =
        mscale > 0 && all > 0 ? scale(factor, mscale) / scale(factor, all) : scale(factor, 1);
    return new RotaryMethod.Yarn(
        factor,
        original,
        betaFast,
        betaSlow,
        keys.flag("truncate", true),
        keys.above("attention_factor", 0, attention));
  }

  /** YaRN's temperature of attention (arXiv 2309.00071, equation 22), with its slope. */
  private static double scale(double factor, double slope) {
    return factor <= 1 ? 1 : 0.1 * slope * Math.log(factor) + 1;
  }

  private static RotaryMethod longRope(RotaryKeys keys, int longest) {
    // From 2, as the attention factor divides by the logarithm.
    int original = original(keys, longest, 2);
    double factor = keys.above("factor", 0, (double) longest / original);
    double attention = factor <= 1 ? 1 : Math.sqrt(1 + Math.log(factor) / Math.log(original));
    return new RotaryMethod.LongRope(
        keys.factors("short_factor"),
        keys.factors("long_factor"),
        original,
        keys.above("attention_factor", 0, attention));
  }

  private static int original(RotaryKeys keys, int longest, int from) {
    String key = "original_max_position_embeddings";
    if (!keys.has(key) && keys.has("factor")) {
      return Math.max(longest, from);
    }
    if (!keys.has(key)) {
      throw keys.bad(key, "the length that the model was first trained for, or 'factor'");
    }
    return keys.integer(key, from);
  }
}
