package dev.gatun.models;

import dev.gatun.weights.NewWeights;
import java.nio.charset.StandardCharsets;
import java.util.Set;

/**
 * The weights of a new model as Hugging Face's transformers begins them: normally distributed, with
 * the deviation that its family and the part have; biases 0; the weights of norms 1. A number is a
 * function of the seed, the tensor's name and the place in it.
 */
final class NewModel implements NewWeights {
  private static final Set<String> T5S = Set.of("t5", "mt5", "umt5", "switch_transformers");

  /** Families whose tables of words have no row for padding. */
  private static final Set<String> WITHOUT_PADDING_ROW =
      Set.of(
          "t5",
          "mt5",
          "umt5",
          "switch_transformers",
          "bloom",
          "falcon",
          "gpt2",
          "gpt_neox",
          "gptj",
          "openai-gpt");

  /** Families whose layer {@code lm_head} has a bias. */
  private static final Set<String> WITH_SCORE_BIAS =
      Set.of("camembert", "deberta", "deberta-v2", "gptj", "mpnet", "roberta", "xlm-roberta");

  /** Families whose body alone has no pooler. */
  private static final Set<String> WITHOUT_POOLER = Set.of("gte", "new", "nomic_bert");

  private static final long GOLDEN = 0x9E3779B97F4A7C15L;

  private final Config config;
  private final String type;
  private final boolean withHead;
  private final long seed;

  /**
   * @param withHead whether more than the body is wanted, whose names then begin with its own
   */
  NewModel(Config config, boolean withHead, long seed) {
    this.config = FamilyKeys.of(config);
    this.type = config.text("model_type", "");
    this.withHead = withHead;
    this.seed = seed;
  }

  @Override
  public boolean hasBody() {
    return withHead;
  }

  @Override
  public boolean has(String name) {
    String last = name.substring(name.lastIndexOf('.', name.lastIndexOf('.') - 1) + 1);
    return switch (last) {
      case "qkv_proj.weight", "gate_up_proj.weight" -> type.equals("phi3");
      case "experts.gate_up_proj", "embed_out.bias" -> false;
      case "decoder.bias" ->
          type.equals("modernbert")
              || type.equals("gte")
              || type.equals("new")
              || !config.flag("tie_word_embeddings", true);
      case "final_logits_bias" -> !type.equals("m2m_100");
      case "lm_head.weight" -> !T5S.contains(type) || !config.flag("tie_word_embeddings", true);
      case "lm_head.bias" -> WITH_SCORE_BIAS.contains(type);
      case "embed_tokens.weight" ->
          !name.contains("coder.") || !config.flag("share_encoder_decoder_embeddings", true);
      case "embed_positions.weight" -> false;
      case "dense.weight" ->
          withHead || !name.startsWith("pooler.") || !WITHOUT_POOLER.contains(type);
      default -> !name.endsWith(".gamma") && !name.contains("transform.LayerNorm.");
    };
  }

  @Override
  public boolean hasAny(String prefix) {
    return prefix.endsWith("block_sparse_moe.") && type.equals("mixtral");
  }

  @Override
  public long paddingRow(String table) {
    if (WITHOUT_PADDING_ROW.contains(type)) {
      return -1;
    }
    boolean words =
        table.endsWith("word_embeddings.weight")
            || table.endsWith("embed_tokens.weight")
            || table.endsWith("tok_embeddings.weight")
            || table.endsWith("shared.weight");
    boolean positions =
        table.endsWith("position_embeddings.weight")
            && (type.contains("roberta") || type.equals("camembert") || type.equals("mpnet"));
    return words || positions ? padding() : -1;
  }

  /** The token of padding; -1 where there is none. */
  private int padding() {
    // MPNet's is fixed by its class.
    return config.isMissing("pad_token_id") || type.equals("mpnet")
        ? FamilyKeys.padding(type)
        : config.integer("pad_token_id", -1);
  }

  @Override
  public Elements elements(String name, long... shape) {
    if (name.endsWith("bias")) {
      return _ -> 0;
    }
    boolean ofHeads = name.endsWith(".q_norm.weight") || name.endsWith(".k_norm.weight");
    if (shape.length == 1 || ofHeads) {
      float one = type.startsWith("gemma") ? 0 : T5S.contains(type) ? factor() : 1;
      return _ -> one;
    }
    if (name.endsWith("position_embeddings.weight") && config.flag("sinusoidal_pos_embds", false)) {
      return place -> DistilBert.sine(place, shape[1]);
    }
    double deviation = deviation(name);
    if (type.equals("modernbert")) {
      return normal(name, deviation, config.number("initializer_cutoff_factor", 3));
    }
    Elements all = normal(name, deviation, 0);
    long row = paddingRow(name);
    return row < 0 ? all : place -> place / shape[1] == row ? 0 : all.at(place);
  }

  private float factor() {
    return config.number("initializer_factor", 1);
  }

  /** The standard deviation of a tensor. */
  private double deviation(String name) {
    if (T5S.contains(type)) {
      return factor() * ofT5(name);
    }
    if (type.equals("modernbert")) {
      return ofModernBert(name);
    }
    double all = all();
    boolean residual = type.equals("gpt2") && name.endsWith("c_proj.weight");
    return residual ? all / Math.sqrt(2.0 * config.positive("n_layer")) : all;
  }

  /** What most parts of a family have. */
  private double all() {
    return switch (type) {
      case "bart", "mbart", "marian", "pegasus", "m2m_100", "blenderbot", "blenderbot-small" ->
          config.number("init_std", 0.02);
      case "starcoder2" -> config.number("initializer_range", 0.018042);
      default -> config.number("initializer_range", 0.02);
    };
  }

  private double ofT5(String name) {
    String part = name.replaceFirst("\\.weight$", "");
    part = part.substring(part.lastIndexOf('.') + 1);
    double width = config.positive("d_model", 512);
    int size = config.positive("d_kv", 64);
    return switch (part) {
      case "q" -> Math.pow(width * size, -0.5);
      case "k", "v", "relative_attention_bias", "wi", "wi_0", "wi_1" -> Math.pow(width, -0.5);
      case "o" -> Math.pow((double) config.positive("num_heads", 8) * size, -0.5);
      case "wo" ->
          Math.pow(name.contains(".experts.") ? width : config.positive("d_ff", 2048), -0.5);
      default -> 1;
    };
  }

  private double ofModernBert(String name) {
    double all = config.number("initializer_range", 0.02);
    boolean out =
        name.endsWith(".Wo.weight")
            || name.equals("head.dense.weight")
            || name.equals("decoder.weight");
    return out
        ? all / Math.sqrt(2.0 * config.positive("num_hidden_layers"))
        : name.equals("classifier.weight") ? Math.pow(config.positive("hidden_size"), -0.5) : all;
  }

  /**
   * Normally distributed numbers (Box and Muller, 1958).
   *
   * @param cut how many deviations from 0 none is beyond; 0 for any
   */
  private Elements normal(String name, double deviation, double cut) {
    long stream = mixed(seed);
    for (byte b : name.getBytes(StandardCharsets.UTF_8)) {
      stream = mixed(stream * 31 + b);
    }
    long first = stream;
    return place -> (float) (deviation * normal(mixed(first + place * GOLDEN), cut));
  }

  private static double normal(long first, double cut) {
    long draw = first;
    double z;
    do {
      draw = mixed(draw + GOLDEN);
      double u = ((draw >>> 11) + 1) * 0x1p-53;
      draw = mixed(draw + GOLDEN);
      double angle = 2 * Math.PI * ((draw >>> 11) * 0x1p-53);
      z = StrictMath.sqrt(-2 * StrictMath.log(u)) * StrictMath.cos(angle);
    } while (cut > 0 && Math.abs(z) > cut);
    return z;
  }

  /** SplitMix64's output function (Steele, Lea and Flood, 2014). */
  private static long mixed(long x) {
    long z = (x ^ x >>> 30) * 0xBF58476D1CE4E5B9L;
    z = (z ^ z >>> 27) * 0x94D049BB133111EBL;
    return z ^ z >>> 31;
  }
}
