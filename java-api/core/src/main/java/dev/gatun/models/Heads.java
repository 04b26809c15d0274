package dev.gatun.models;

import dev.gatun.kernels.api.call.elementwise.Activation;
import dev.gatun.kernels.api.call.reduction.PoolingMode;
import dev.gatun.models.EncoderModel.HeadLayer;
import dev.gatun.nn.LayerNorm;
import dev.gatun.nn.Linear;
import dev.gatun.ops.Ops;
import dev.gatun.tensor.Device;
import dev.gatun.tensor.Tensor;
import java.util.Arrays;
import java.util.List;

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

  /** Scores over the vocabulary: {@code decoder(norm(transform(hidden)))}. */
  static HeadLayer maskedLm(Linear transform, LayerNorm norm, Linear decoder) {
    return (hidden, batch, inputs, output) -> {
      Tensor logits = decoder.forward(norm.forward(transform.forward(hidden)));
      output.logits = batch.unpack(logits, logits.device());
      if (inputs.labels() != null) {
        output.loss = Losses.crossEntropy(logits, batch.pickLabels(inputs));
      }
    };
  }

  static HeadLayer nextSentence(Linear pooler, Linear classifier) {
    return (hidden, batch, inputs, output) -> {
      output.poolerOutput = pooler.forward(first(hidden, batch));
      output.logits = classifier.forward(output.poolerOutput);
      if (inputs.labels() != null) {
        output.loss = Losses.crossEntropy(output.logits, Losses.firstColumn(inputs.labels()));
      }
    };
  }

  static HeadLayer preTraining(HeadLayer maskedLm, Linear pooler, Linear classifier) {
    return (hidden, batch, inputs, output) -> {
      maskedLm.forward(hidden, batch, inputs, output);
      output.poolerOutput = pooler.forward(first(hidden, batch));
      output.seqRelationshipLogits = classifier.forward(output.poolerOutput);
      if (output.loss != null && inputs.nextSentenceLabel() != null) {
        output.loss +=
            Losses.crossEntropy(output.seqRelationshipLogits, inputs.nextSentenceLabel());
      } else {
        output.loss = null;
      }
    };
  }

  /** Scores of a sequence from its first token, through layers one after another. */
  static HeadLayer sequence(Config config, Linear... layers) {
    return (hidden, batch, inputs, output) -> {
      Tensor x = first(hidden, batch);
      for (Linear layer : layers) {
        x = layer.forward(x);
      }
      output.logits = x;
      output.loss = Losses.classification(config, x, inputs);
    };
  }

  static HeadLayer tokens(Linear classifier) {
    return (hidden, batch, inputs, output) -> {
      Tensor logits = classifier.forward(hidden);
      output.logits = batch.unpack(logits, logits.device());
      if (inputs.labels() != null) {
        output.loss = Losses.crossEntropy(logits, batch.pickLabels(inputs));
      }
    };
  }

  /** ELECTRA's discriminator: one score a token, high where it was replaced. */
  static HeadLayer replaced(Linear dense, Linear prediction) {
    return (hidden, batch, inputs, output) -> {
      Tensor logits = prediction.forward(dense.forward(hidden));
      output.logits = batch.unpackColumn(logits, logits.device());
      if (inputs.labels() != null) {
        output.loss = Losses.binary(logits.toFloatArray(), batch.pickLabels(inputs));
      }
    };
  }

  /** Where an answer starts and ends; padding has the lowest score. */
  static HeadLayer spans(Linear outputs) {
    return (hidden, batch, inputs, output) -> {
      Tensor scores = outputs.forward(hidden);
      float[] packed = scores.toFloatArray();
      output.startLogits = column(packed, 0, batch, scores.device());
      output.endLogits = column(packed, 1, batch, scores.device());
      if (inputs.startPositions() != null && inputs.endPositions() != null) {
        output.loss =
            Losses.spans(
                List.of(output.startLogits, output.endLogits),
                List.of(inputs.startPositions(), inputs.endPositions()),
                batch.length());
      }
    };
  }

  private static Tensor column(float[] packed, int column, PackedBatch batch, Device device) {
    float[] padded = new float[batch.sequences() * batch.length()];
    Arrays.fill(padded, Float.NEGATIVE_INFINITY);
    for (int i = 0; i < batch.tokens(); i++) {
      padded[(int) batch.places()[i]] = packed[2 * i + column];
    }
    return Tensor.of(device, padded, batch.sequences(), batch.length());
  }

  private static Tensor first(Tensor hidden, PackedBatch batch) {
    return Ops.pool(hidden, batch.offsets(), PoolingMode.FIRST);
  }

  /** A classification layer as most families have it. */
  static Linear classifier(Weights weights, String name, Config config, long in) {
    return weights.linear(name, config.labelCount(), in, true, Activation.NONE);
  }
}
