package dev.gatun.models;

import dev.gatun.autograd.Tape;
import dev.gatun.kernels.api.call.elementwise.Activation;
import dev.gatun.nn.Dropout;
import dev.gatun.nn.Embedding;
import dev.gatun.nn.LayerNorm;
import dev.gatun.nn.Linear;
import dev.gatun.ops.Attention;
import dev.gatun.ops.Elementwise;
import dev.gatun.ops.Indexing;
import dev.gatun.ops.Layouts;
import dev.gatun.ops.Matmul;
import dev.gatun.tensor.Device;
import dev.gatun.tensor.Ids;
import dev.gatun.tensor.Tensor;
import java.util.List;
import java.util.Locale;
import java.util.stream.LongStream;

/** What both versions of DeBERTa have: embeddings, heads, and scores with a relative part. */
final class DebertaParts {
  private DebertaParts() {}

  /** The relative positions' settings; a span of 0 where attention has no relative part. */
  record Relative(boolean c2p, boolean p2c, int parts, long span, long buckets, long maxPosition) {
    static Relative of(Config config, boolean bucketed) {
      List<String> types = types(config);
      boolean on = config.flag("relative_attention", false);
      int furthest = config.integer("max_relative_positions", -1);
      if (furthest < 1) {
        furthest = config.positive("max_position_embeddings", 512);
      }
      int buckets = bucketed ? Math.max(0, config.integer("position_buckets", -1)) : 0;
      if (on && buckets > 0 && (buckets == 1 || furthest <= buckets / 2 + 1)) {
        throw config.error(
            "'position_buckets' is %d, expected at most 0, or from 2 to below 2 (%d - 1)"
                .formatted(buckets, furthest));
      }
      boolean c2p = types.contains("c2p");
      boolean p2c = types.contains("p2c");
      return new Relative(
          c2p,
          p2c,
          // The first version counts also the types that it does not know.
          bucketed ? (c2p ? 1 : 0) + (p2c ? 1 : 0) : types.size(),
          on ? (buckets > 0 ? buckets : furthest) : 0,
          buckets,
          furthest);
    }

    /** What a text names in letters of any case, and a list in small ones alone. */
    private static List<String> types(Config config) {
      List<String> types = config.texts("pos_att_type");
      return config.value("pos_att_type") instanceof String
          ? types.stream().map(type -> type.toLowerCase(Locale.ROOT)).toList()
          : types;
    }

    /** Scores are divided by this; the types count even where relative attention is off. */
    float scale(long headSize) {
      return (float) (1 / Math.sqrt(headSize * (1.0 + parts)));
    }

    boolean isOn() {
      return span > 0;
    }
  }

  /**
   * Attention of queries, keys and values [tokens, heads, head_size] with the relative part.
   *
   * @param given the queries
   * @param positionKey projected relative positions [2 span, heads, head_size], or null without c2p
   * @param positionQuery the same, or null without p2c
   * @param dropout of the probabilities
   */
  static Tensor attend(
      Tensor given,
      Tensor key,
      Tensor value,
      Tensor positionKey,
      Tensor positionQuery,
      Relative relative,
      Dropout dropout,
      TokenBatch batch,
      Trace trace) {
    // The scores of a query that is padding are all replaced, and so have no gradient.
    boolean replaced = Tape.recording() != null && batch.layout().hasPadding();
    Tensor query = replaced ? withoutPaddedHeads(given, batch) : given;
    float scale = relative.scale(query.size(2));
    Tensor bias = batch.paddingBias();
    if (positionKey != null || positionQuery != null) {
      Tensor relativeBias =
          Attention.disentangledBias(
              positionKey == null ? null : Matmul.batchedMatmul(byHead(query), byHead(positionKey)),
              positionQuery == null
                  ? null
                  : Matmul.batchedMatmul(byHead(key), byHead(positionQuery)),
              batch.segments(),
              batch.positions().values(),
              relative.span(),
              relative.buckets(),
              relative.maxPosition(),
              scale);
      if (replaced) {
        relativeBias = Elementwise.multiply(relativeBias, seenQueries(batch));
      }
      bias = bias == null ? relativeBias : Elementwise.add(relativeBias, bias);
    }
    Attention.Result attention =
        Attention.scaledDotProductAttention(
            query,
            batch.segments(),
            Attention.Keys.ragged(key, value, batch.segments()),
            Attention.Scores.scaled(scale).withBias(bias),
            Attention.Mask.NONE,
            dropout.mask(),
            false,
            trace.wantsAttentions());
    trace.attention(attention.weights());
    return attention.output().reshape(query.size(0), query.size(1) * value.size(2));
  }

  /** [rows, heads, size] as [heads, rows, size]. */
  private static Tensor byHead(Tensor x) {
    long[] strides = x.operand().strides();
    return x.strided(
        0,
        new long[] {x.size(1), x.size(0), x.size(2)},
        new long[] {strides[1], strides[0], strides[2]});
  }

  /** Hides padding as keys and as queries, whose rows become uniform. */
  static Tensor paddingBias(Device device, BatchLayout layout) {
    int length = layout.length();
    boolean[] seen = new boolean[layout.sequences() * length];
    for (int i = 0; i < layout.tokens(); i++) {
      seen[(int) layout.place(i)] = layout.seen()[i];
    }
    float[] values = new float[Math.multiplyExact(seen.length, length)];
    for (int i = 0; i < values.length; i++) {
      int query = i / length;
      int key = query / length * length + i % length;
      values[i] = seen[query] && seen[key] ? 0 : -Float.MAX_VALUE;
    }
    return Tensor.of(device, values, layout.sequences(), 1, length, length);
  }

  /** 1 [sequences, 1, length, 1] where a packed token is none of padding's, 0 elsewhere. */
  private static Tensor seenQueries(TokenBatch batch) {
    BatchLayout layout = batch.layout();
    float[] values = new float[layout.sequences() * layout.length()];
    for (int i = 0; i < layout.tokens(); i++) {
      values[(int) layout.place(i)] = layout.seen()[i] ? 1 : 0;
    }
    return Tensor.of(batch.device(), values, layout.sequences(), 1, layout.length(), 1);
  }

  /** x [tokens, heads, size] with zeros where padding was packed. */
  private static Tensor withoutPaddedHeads(Tensor x, TokenBatch batch) {
    return withoutPadding(Layouts.contiguous(x).reshape(x.size(0), x.size(1) * x.size(2)), batch)
        .reshape(x.shape());
  }

  /** See {@link Encoder#prepare}. */
  static void prepare(TokenBatch batch) {
    if (batch.layout().hasPadding()) {
      seen(batch);
    }
  }

  /** x [tokens, columns] with zeros where padding was packed. */
  static Tensor withoutPadding(Tensor x, TokenBatch batch) {
    return batch.layout().hasPadding() ? Indexing.scatterRows(x, seen(batch), x.shape()) : x;
  }

  /** The tokens' own places, none for padding. */
  private static Ids seen(TokenBatch batch) {
    return batch.derived(
        "tokens",
        batch.tokens(),
        batch.tokens(),
        layout ->
            LongStream.range(0, layout.tokens())
                .map(i -> layout.seen()[(int) i] ? i : Ids.NONE)
                .toArray());
  }

  /** The embeddings of words, positions and segments, as far as a model has them. */
  record Embeddings(
      Embedding word,
      Embedding position,
      Embedding type,
      Linear project,
      LayerNorm norm,
      Dropout dropout) {
    static Embeddings of(Config config, Weights all, Weights weights, int hidden, double eps) {
      int size = config.positive("embedding_size", hidden);
      int types = config.integer("type_vocab_size", 0);
      return new Embeddings(
          words(config, all).embedding(config.positive("vocab_size"), size),
          config.flag("position_biased_input", true)
              ? weights.embedding(
                  "position_embeddings", config.positive("max_position_embeddings", 512), size)
              : null,
          types > 0 ? weights.embedding("token_type_embeddings", types, size) : null,
          size == hidden
              ? null
              : weights.linear("embed_proj", hidden, size, false, Activation.NONE),
          weights.layerNorm("LayerNorm", hidden, eps),
          DebertaParts.dropout(config));
    }

    Tensor forward(TokenBatch batch) {
      Tensor x = word.forward(batch.ids());
      if (position != null) {
        x = position.addTo(x, batch.positions());
      }
      if (type != null) {
        x = type.addTo(x, batch.types());
      }
      Tensor normed = norm.forward(project == null ? x : project.forward(x, x.dtype()));
      return dropout.forward(withoutPadding(normed, batch));
    }

    Limits limits(int maxLength, int hidden) {
      int types = type == null ? 0 : (int) type.rows();
      int positions = position == null ? maxLength : (int) position.rows();
      return new Limits((int) word.rows(), types, maxLength, positions, hidden);
    }
  }

  private static TiedTable words(Config config, Weights all) {
    Weights body = all.body("deberta");
    return new TiedTable(
        config, all, body, "embeddings.word_embeddings", "cls.predictions.decoder", true);
  }

  static HeadLayer head(
      Config config, Head head, Weights all, Embedding wordEmbeddings, int hidden, double eps) {
    return switch (head) {
      case BASE -> Heads.base(null);
      case MASKED_LM -> {
        boolean legacy = config.flag("legacy", true);
        Weights w = all.sub(legacy ? "cls.predictions" : "lm_predictions.lm_head");
        yield Heads.maskedLm(
            w.linear(
                legacy ? "transform.dense" : "dense",
                wordEmbeddings.features(),
                hidden,
                true,
                config.activation("hidden_act", "gelu")),
            w.layerNorm(
                legacy ? "transform.LayerNorm" : "LayerNorm", wordEmbeddings.features(), eps),
            legacy
                ? words(config, all).output(wordEmbeddings, "cls.predictions.bias")
                : w.tied(wordEmbeddings, "bias"));
      }
      case SEQUENCE_CLASSIFICATION -> {
        int size = config.positive("pooler_hidden_size", hidden);
        yield Heads.sequence(
            config,
            all.linear(
                    "pooler.dense",
                    size,
                    size,
                    true,
                    config.activation("pooler_hidden_act", "gelu"))
                .withInputDropout(config.dropout("pooler_dropout", 0)),
            Heads.classifier(
                all,
                "classifier",
                config,
                size,
                config.dropout("cls_dropout", "hidden_dropout_prob", 0.1)));
      }
      case TOKEN_CLASSIFICATION ->
          Heads.tokens(Heads.classifier(all, "classifier", config, hidden, dropout(config)));
      case QUESTION_ANSWERING -> Heads.spans(all.linear("qa_outputs", 2, hidden));
      default -> throw config.error("DeBERTa has no head " + head);
    };
  }

  /** What is dropped of hidden states, and of the embeddings of relative positions. */
  static Dropout dropout(Config config) {
    return config.dropout("hidden_dropout_prob", 0.1);
  }

  /** What is dropped of attention's probabilities. */
  static Dropout ofProbabilities(Config config) {
    return config.dropout("attention_probs_dropout_prob", 0.1);
  }

  static boolean isOtherHead(String name) {
    return name.endsWith("position_ids")
        || name.matches("(pooler|cls|lm_predictions|mask_predictions|classifier|qa_outputs)\\..*");
  }
}
