package dev.gatun.bench.generation;

import java.util.ArrayList;
import java.util.List;
import java.util.Map;

/**
 * The sizes of a LLaMA of the suite {@code generate}.
 *
 * @param name in cases
 * @param hidden features of the residual stream
 * @param layers how many
 * @param heads of queries
 * @param kvHeads of keys and values
 * @param inner features between the products of the feed-forward part
 * @param vocab tokens
 * @param tied whether the output layer is the embedding table
 */
record DecoderShape(
    String name,
    int hidden,
    int layers,
    int heads,
    int kvHeads,
    int inner,
    int vocab,
    boolean tied) {
  /** TinyLlama's. */
  static final DecoderShape LARGE = new DecoderShape("1.1b", 2048, 22, 32, 4, 5632, 32000, false);

  /** LLaMA 3's of 8B. */
  static final DecoderShape LARGEST = new DecoderShape("8b", 4096, 32, 32, 8, 14336, 128256, false);

  /** SmolLM's smallest. */
  static final DecoderShape SMALL = new DecoderShape("135m", 576, 30, 9, 3, 1536, 49152, true);

  /** As many calls a step as {@link #SMALL}, on next to nothing: the time that is not kernels'. */
  static final DecoderShape EMPTY = new DecoderShape("empty", 64, 30, 1, 1, 64, 64, true);

  static final int CONTEXT = 16384;
  static final double EPS = 1e-5;

  /**
   * A weight.
   *
   * @param name in a Hugging Face file
   * @param gguf in a GGUF file
   * @param rows output features, or tokens
   * @param columns input features; 0 of a norm's weight, which is a vector of ones
   * @param heads whose halves a GGUF file has interleaved; 0 of others
   */
  record Weight(String name, String gguf, int rows, int columns, int heads) {
    boolean isNorm() {
      return columns == 0;
    }

    /**
     * The row of a Hugging Face file that is this row of a GGUF file: there the two rows that a
     * rotation turns are neighbours, here they are half a head apart.
     */
    int source(int row) {
      if (heads == 0) {
        return row;
      }
      int size = rows / heads;
      int at = row % size;
      return row - at + at % 2 * (size / 2) + at / 2;
    }
  }

  static DecoderShape of(String name) {
    return List.of(LARGEST, LARGE, SMALL, EMPTY).stream()
        .filter(shape -> shape.name.equals(name))
        .findAny()
        .orElseThrow(() -> new IllegalArgumentException("no shape '%s'".formatted(name)));
  }

  /** Whether a turn writes few tokens. */
  boolean isLarge() {
    return hidden >= LARGE.hidden;
  }

  int headSize() {
    return hidden / heads;
  }

  /** All weights, in the order of the model. */
  List<Weight> weights() {
    List<Weight> all = new ArrayList<>();
    all.add(new Weight("model.embed_tokens.weight", "token_embd.weight", vocab, hidden, 0));
    for (int i = 0; i < layers; i++) {
      String from = "model.layers." + i + ".";
      String to = "blk." + i + ".";
      int kv = kvHeads * headSize();
      all.add(norm(from + "input_layernorm", to + "attn_norm"));
      all.add(linear(from + "self_attn.q_proj", to + "attn_q", hidden, hidden, heads));
      all.add(linear(from + "self_attn.k_proj", to + "attn_k", kv, hidden, kvHeads));
      all.add(linear(from + "self_attn.v_proj", to + "attn_v", kv, hidden, 0));
      all.add(linear(from + "self_attn.o_proj", to + "attn_output", hidden, hidden, 0));
      all.add(norm(from + "post_attention_layernorm", to + "ffn_norm"));
      all.add(linear(from + "mlp.gate_proj", to + "ffn_gate", inner, hidden, 0));
      all.add(linear(from + "mlp.up_proj", to + "ffn_up", inner, hidden, 0));
      all.add(linear(from + "mlp.down_proj", to + "ffn_down", hidden, inner, 0));
    }
    all.add(norm("model.norm", "output_norm"));
    if (!tied) {
      all.add(linear("lm_head", "output", vocab, hidden, 0));
    }
    return all;
  }

  private Weight norm(String name, String gguf) {
    return new Weight(name + ".weight", gguf + ".weight", hidden, 0, 0);
  }

  private static Weight linear(String name, String gguf, int rows, int columns, int heads) {
    return new Weight(name + ".weight", gguf + ".weight", rows, columns, heads);
  }

  /** Elements of all matrices. */
  long elements() {
    return weights().stream().mapToLong(w -> (long) w.rows * w.columns).sum();
  }

  /** Elements of the matrices that a token is multiplied by. */
  long multiplied() {
    long all =
        weights().stream().filter(w -> !w.isNorm()).mapToLong(w -> (long) w.rows * w.columns).sum();
    return tied ? all : all - (long) vocab * hidden;
  }

  /** Numbers in the cache of a token, keys and values. */
  long cached() {
    return 2L * layers * kvHeads * headSize();
  }

  /** A Hugging Face configuration. */
  Map<String, Object> config() {
    return Map.ofEntries(
        Map.entry("architectures", List.of("LlamaForCausalLM")),
        Map.entry("model_type", "llama"),
        Map.entry("hidden_size", hidden),
        Map.entry("num_hidden_layers", layers),
        Map.entry("num_attention_heads", heads),
        Map.entry("num_key_value_heads", kvHeads),
        Map.entry("intermediate_size", inner),
        Map.entry("vocab_size", vocab),
        Map.entry("hidden_act", "silu"),
        Map.entry("rms_norm_eps", EPS),
        Map.entry("max_position_embeddings", CONTEXT),
        Map.entry("rope_theta", 10000.0),
        Map.entry("tie_word_embeddings", tied),
        Map.entry("torch_dtype", "bfloat16"));
  }

  /** The same as the keys of a GGUF file. */
  Map<String, Object> metadata() {
    return Map.ofEntries(
        Map.entry("general.architecture", "llama"),
        Map.entry("general.name", "random " + name),
        Map.entry("llama.embedding_length", hidden),
        Map.entry("llama.block_count", layers),
        Map.entry("llama.attention.head_count", heads),
        Map.entry("llama.attention.head_count_kv", kvHeads),
        Map.entry("llama.feed_forward_length", inner),
        Map.entry("llama.vocab_size", vocab),
        Map.entry("llama.context_length", CONTEXT),
        Map.entry("llama.rope.dimension_count", headSize()),
        Map.entry("llama.rope.freq_base", 10000f),
        Map.entry("llama.attention.layer_norm_rms_epsilon", (float) EPS),
        Map.entry("tokenizer.ggml.model", "no_vocab"));
  }
}
