package dev.gatun.models;

import dev.gatun.kernels.api.call.elementwise.Activation;
import dev.gatun.nn.Dropout;
import dev.gatun.ops.Indexing;
import dev.gatun.tensor.Device;
import dev.gatun.tensor.Ids;
import dev.gatun.tensor.Tensor;
import java.util.List;

/**
 * A decoder that is read as an encoder is: its hidden states, or a head on them, in place of the
 * scores of what follows. Its tokens see those before them alone, unless {@code is_causal} is false
 * (BehnamGhader et al., arXiv 2404.05961).
 */
final class DecoderAsEncoder implements Encoder {
  private static final String ENDS = "last tokens that are not pad_token_id";

  /** Whose body is {@code transformer} below question answering, and {@code model} else. */
  private static final List<String> NAMED_TRANSFORMER =
      List.of("llama", "qwen2", "qwen3", "qwen3_moe");

  /** Whose classes of tokens come from {@code classifier}, and from {@code score} else. */
  private static final List<String> WITH_CLASSIFIER =
      List.of("bloom", "falcon", "gpt2", "gpt_neox");

  /** A family's forward pass. */
  interface Family {
    Decoder build(Config config, Weights weights);
  }

  private final Decoder decoder;
  private final boolean bothWays;
  private final HeadLayer head;
  private final int padId;

  DecoderAsEncoder(Config config, Head head, Weights all, Family family) {
    String type = config.text("model_type", "");
    Weights body = body(config, type, head, all);
    bothWays =
        !config.flag("is_causal", true)
            || type.equals("gemma3_text") && config.flag("use_bidirectional_attention", false);
    if (!readsAhead(config, type)) {
      config.require("is_causal", true, "its tokens see what came before them");
    }
    decoder = family.build(config, body.withoutScores());
    padId = config.integer("pad_token_id", -1);
    this.head = head(config, type, head, all);
  }

  /** Transformers' classes of question answering have a name of their own for some bodies. */
  private static Weights body(Config config, String type, Head head, Weights all) {
    if (head != Head.QUESTION_ANSWERING || !NAMED_TRANSFORMER.contains(type)) {
      return all;
    }
    if (all.areParameters()) {
      throw config.error(
          "a %s is not trained with the head QUESTION_ANSWERING, for which transformers names its weights otherwise"
              .formatted(type));
    }
    return all.hasAny("transformer") ? all.sub("transformer") : all;
  }

  /** Not where scores depend on how far a key is behind its query, nor as transformers has GPT. */
  private static boolean readsAhead(Config config, String type) {
    return switch (type) {
      case "bloom", "openai-gpt" -> false;
      case "falcon" -> !config.flag("alibi", false);
      default -> true;
    };
  }

  private HeadLayer head(Config config, String type, Head head, Weights all) {
    int hidden = decoder.limits().hidden();
    return switch (head) {
      case BASE -> Heads.base(null);
      case SEQUENCE_CLASSIFICATION ->
          Heads.sequence(
              config,
              (states, batch) -> Indexing.indexSelect(states, 0, ends(batch)),
              all.linear("score", config.labelCount(), hidden, false, Activation.NONE));
      case TOKEN_CLASSIFICATION ->
          Heads.tokens(
              all.linear(
                      WITH_CLASSIFIER.contains(type) ? "classifier" : "score",
                      config.labelCount(),
                      hidden,
                      config.flag("token_classification_bias", true),
                      Activation.NONE)
                  .withInputDropout(tokenDropout(config, type)));
      case QUESTION_ANSWERING -> Heads.spans(all.linear("qa_outputs", 2, hidden));
      default -> throw config.error("a %s has no head %s".formatted(type, head));
    };
  }

  /** Where the configuration says nothing, what transformers' classes have. */
  private static Dropout tokenDropout(Config config, String type) {
    return switch (type) {
      case "gpt_neox" -> config.dropout("classifier_dropout", 0.1);
      case "bloom", "falcon" -> config.dropout("classifier_dropout", "hidden_dropout", 0);
      default -> config.dropout("classifier_dropout", "hidden_dropout", 0.1);
    };
  }

  /** Each sequence's token whose state is scored. */
  private Ids ends(TokenBatch batch) {
    return batch.derived(ENDS, batch.sequences(), batch.tokens(), this::ends);
  }

  private long[] ends(BatchLayout layout) {
    long[] ends = new long[layout.sequences()];
    int first = 0;
    for (int s = 0; s < ends.length; s++) {
      int at = first + layout.lengths()[s] - 1;
      while (at > first && layout.ids()[at] == padId) {
        at--;
      }
      ends[s] = at;
      first += layout.lengths()[s];
    }
    return ends;
  }

  @Override
  public Tensor forward(TokenBatch batch, Trace trace) {
    return decoder.forward(batch, trace);
  }

  @Override
  public HeadLayer head() {
    return head;
  }

  @Override
  public boolean isOtherHead(String name) {
    return decoder.isOtherHead(name)
        || name.matches("(lm_head|score|classifier|qa_outputs|dense_[23])\\..*");
  }

  @Override
  public Limits limits() {
    return decoder.limits();
  }

  @Override
  public boolean seesBothWays() {
    return bothWays;
  }

  @Override
  public void prepare(TokenBatch batch) {
    decoder.prepare(batch);
    if (head.scoresSequences()) {
      ends(batch);
    }
  }

  @Override
  public long[] positions(BatchLayout layout) {
    return decoder.positions(layout);
  }

  @Override
  public boolean readsDistances() {
    return decoder.readsDistances();
  }

  @Override
  public Tensor paddingBias(Device device, BatchLayout layout) {
    return decoder.paddingBias(device, layout);
  }
}
