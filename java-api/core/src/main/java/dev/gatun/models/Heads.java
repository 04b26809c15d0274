package dev.gatun.models;

import dev.gatun.kernels.api.call.elementwise.Activation;
import dev.gatun.kernels.api.call.reduction.PoolingMode;
import dev.gatun.nn.Dropout;
import dev.gatun.nn.LayerNorm;
import dev.gatun.nn.Linear;
import dev.gatun.ops.Elementwise;
import dev.gatun.ops.Reductions;
import dev.gatun.tensor.Tensor;
import java.util.List;
import java.util.function.UnaryOperator;

/** The heads that several families share; what differs are the layers that they are made of. */
final class Heads {
  private Heads() {}

  static HeadLayer base(Linear pooler) {
    return (hidden, batch, inputs, output) -> {
      if (pooler != null) {
        output.poolerOutput = pooler.forward(first(hidden, batch));
      }
    };
  }

  /** What a head makes of its scores [rows, columns]. */
  private interface Scored {
    void put(Tensor scores, TokenBatch batch, EncoderInputs inputs, EncoderOutput output);
  }

  /** A head whose scores of a token follow from its hidden state alone. */
  private record PerToken(UnaryOperator<Tensor> layers, Scored scored, boolean countsPadding)
      implements HeadLayer {
    @Override
    public void forward(
        Tensor hidden, TokenBatch batch, EncoderInputs inputs, EncoderOutput output) {
      scored.put(scores(hidden), batch, inputs, output);
    }

    @Override
    public Tensor scores(Tensor rows) {
      return layers.apply(rows);
    }

    @Override
    public boolean needsPadding(EncoderInputs inputs) {
      return countsPadding && inputs.labelsPadding();
    }
  }

  /** What a sequence's tokens [tokens, hidden] of a batch become: a row each. */
  interface Pool {
    Tensor of(Tensor hidden, TokenBatch batch);
  }

  /** A head whose scores of a sequence follow from its pooled tokens. */
  private record PerSequence(Pool pool, UnaryOperator<Tensor> layers, Scored scored)
      implements HeadLayer {
    @Override
    public void forward(
        Tensor hidden, TokenBatch batch, EncoderInputs inputs, EncoderOutput output) {
      scored.put(scores(pooled(hidden, batch)), batch, inputs, output);
    }

    @Override
    public Tensor scores(Tensor rows) {
      return layers.apply(rows);
    }

    @Override
    public Tensor pooled(Tensor hidden, TokenBatch batch) {
      return pool.of(hidden, batch);
    }

    @Override
    public boolean scoresSequences() {
      return true;
    }
  }

  /** Scores over the vocabulary: {@code decoder(norm(transform(hidden)))}. */
  static HeadLayer maskedLm(Linear transform, LayerNorm norm, Linear decoder) {
    return new MaskedLm(hidden -> norm.forward(transform.forward(hidden)), decoder);
  }

  /** A head whose loss alone needs no scores of all tokens. */
  private record MaskedLm(UnaryOperator<Tensor> before, Linear decoder) implements HeadLayer {
    @Override
    public void forward(
        Tensor hidden, TokenBatch batch, EncoderInputs inputs, EncoderOutput output) {
      if (!output.isLossAlone()) {
        tokenClasses(scores(hidden), batch, inputs, output);
      } else if (inputs.labels() != null) {
        long[] targets = batch.layout().pickLabels(inputs);
        output.loss =
            Losses.crossEntropy(decoder, before, hidden, targets, settings(batch, inputs, output));
      }
    }

    @Override
    public Tensor scores(Tensor rows) {
      return decoder.forward(before.apply(rows));
    }

    @Override
    public boolean needsPadding(EncoderInputs inputs) {
      return inputs.labelsPadding();
    }
  }

  /** How losses of tokens are computed. */
  private static Losses.Settings settings(
      TokenBatch batch, EncoderInputs inputs, EncoderOutput output) {
    return inputs.labelWeights() == null
        ? output.settings()
        : output.settings().withWeights(batch.layout().pickWeights(inputs.labelWeights()));
  }

  private static void tokenClasses(
      Tensor scores, TokenBatch batch, EncoderInputs inputs, EncoderOutput output) {
    if (!output.isLossAlone()) {
      output.logits = Padded.rows(scores, batch);
    }
    if (inputs.labels() != null) {
      output.loss =
          Losses.crossEntropy(
              scores, batch.layout().pickLabels(inputs), settings(batch, inputs, output));
    }
  }

  static HeadLayer nextSentence(Linear pooler, Linear classifier) {
    return (hidden, batch, inputs, output) -> {
      output.poolerOutput = pooler.forward(first(hidden, batch));
      output.logits = classifier.forward(output.poolerOutput);
      if (inputs.labels() != null) {
        output.loss =
            Losses.crossEntropy(
                output.logits, Losses.firstColumn(inputs.labels()), output.settings());
      }
    };
  }

  /** Words, and how sequences are related. */
  private interface PreTraining extends HeadLayer {
    @Override
    default boolean needsPadding(EncoderInputs inputs) {
      return inputs.labelsPadding();
    }
  }

  static HeadLayer preTraining(HeadLayer maskedLm, Linear pooler, Linear classifier) {
    return (PreTraining)
        (hidden, batch, inputs, output) -> {
          maskedLm.forward(hidden, batch, inputs, output);
          output.poolerOutput = pooler.forward(first(hidden, batch));
          output.seqRelationshipLogits = classifier.forward(output.poolerOutput);
          if (output.loss != null && inputs.nextSentenceLabel() != null) {
            Double sequences =
                output.counts() == null ? null : (double) output.counts().sequences();
            output.loss =
                Elementwise.add(
                    output.loss,
                    Losses.crossEntropy(
                        output.seqRelationshipLogits, inputs.nextSentenceLabel(), sequences));
          } else {
            output.loss = null;
          }
        };
  }

  /** Scores of a sequence from its first token, through layers one after another. */
  static HeadLayer sequence(Config config, Linear... layers) {
    return sequence(config, Heads::first, layers);
  }

  /** The same from what sequences are pooled to. */
  static HeadLayer sequence(Config config, Pool pool, Linear... layers) {
    return sequence(
        config,
        pool,
        pooled -> {
          Tensor x = pooled;
          for (Linear layer : layers) {
            x = layer.forward(x);
          }
          return x;
        });
  }

  /** Scores of a sequence from its pooled tokens. */
  static HeadLayer sequence(Config config, PoolingMode pooling, UnaryOperator<Tensor> layers) {
    return sequence(
        config, (hidden, batch) -> Reductions.pool(hidden, batch.segments(), pooling), layers);
  }

  private static HeadLayer sequence(Config config, Pool pool, UnaryOperator<Tensor> layers) {
    return new PerSequence(
        pool,
        layers,
        (scores, batch, inputs, output) -> {
          output.logits = scores;
          output.loss = Losses.classification(config, scores, inputs, output.settings());
        });
  }

  static HeadLayer tokens(Linear classifier) {
    return tokens(x -> classifier.forward(x));
  }

  static HeadLayer tokens(UnaryOperator<Tensor> layers) {
    return new PerToken(layers, Heads::tokenClasses, true);
  }

  /** ELECTRA's discriminator: one score a token, high where it was replaced. */
  static HeadLayer replaced(Linear dense, Linear prediction) {
    return new PerToken(
        hidden -> prediction.forward(dense.forward(hidden)),
        (scores, batch, inputs, output) -> {
          if (!output.isLossAlone()) {
            output.logits = Padded.column(scores, batch);
          }
          if (inputs.labels() != null) {
            output.loss = Losses.binary(scores, batch.layout().pickLabels(inputs), output.items());
          }
        },
        // The reference leaves them out.
        false);
  }

  /** Where an answer starts and ends; padding has the lowest score. */
  static HeadLayer spans(Linear outputs) {
    return spans(x -> outputs.forward(x));
  }

  static HeadLayer spans(UnaryOperator<Tensor> layers) {
    return new HeadLayer() {
      @Override
      public void forward(
          Tensor hidden, TokenBatch batch, EncoderInputs inputs, EncoderOutput output) {
        Tensor scores = scores(hidden);
        output.startLogits = Padded.columnOverLowest(scores, 0, batch);
        output.endLogits = Padded.columnOverLowest(scores, 1, batch);
        if (inputs.startPositions() != null && inputs.endPositions() != null) {
          output.loss =
              Losses.spans(
                  List.of(output.startLogits, output.endLogits),
                  List.of(inputs.startPositions(), inputs.endPositions()),
                  batch.length(),
                  output.items());
        }
      }

      @Override
      public Tensor scores(Tensor rows) {
        return layers.apply(rows);
      }

      @Override
      public boolean needsPadding(EncoderInputs inputs) {
        return inputs.startPositions() != null && inputs.isRectangular();
      }
    };
  }

  private static Tensor first(Tensor hidden, TokenBatch batch) {
    return Reductions.pool(hidden, batch.segments(), PoolingMode.FIRST);
  }

  /** A classification layer as most families have it. */
  static Linear classifier(Weights weights, String name, Config config, long in, Dropout dropout) {
    return weights
        .linear(name, config.labelCount(), in, true, Activation.NONE)
        .withInputDropout(dropout);
  }

  /** What BERT and its relatives drop before their classification layers. */
  static Dropout dropout(Config config) {
    return config.dropout("classifier_dropout", "hidden_dropout_prob", 0.1);
  }
}
