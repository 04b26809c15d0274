package dev.gatun.models;

import dev.gatun.tensor.Tensor;
import java.util.List;

/**
 * What the routers of an encoder-decoder add to its loss (Switch Transformers, arXiv 2101.03961;
 * ST-MoE, arXiv 2202.08906).
 *
 * @param encoderZ the mean square of the encoder's routers' log-sum-exps
 * @param decoderZ the decoder's
 * @param encoderAux how unevenly the encoder's routers spread the tokens; 1 for evenly
 * @param decoderAux the decoder's
 * @param zCoef what the first two are weighed by, {@code router_z_loss_coef}
 * @param auxCoef what the others are weighed by, {@code router_aux_loss_coef}
 */
public record RouterLosses(
    float encoderZ,
    float decoderZ,
    float encoderAux,
    float decoderAux,
    float zCoef,
    float auxCoef) {
  /** The losses of routers' logits [batch, length, experts] of each layer that is a mixture. */
  static RouterLosses of(Config config, Seq2SeqOutput output) {
    float[] encoder = sums(output.encoderRouterLogits, T5FeedForward.sparseStep(config, false));
    float[] decoder = sums(output.decoderRouterLogits, T5FeedForward.sparseStep(config, true));
    return new RouterLosses(
        encoder[0],
        decoder[0],
        encoder[1],
        decoder[1],
        config.number("router_z_loss_coef", 0.001),
        config.number("router_aux_loss_coef", 0.001));
  }

  /**
   * The z loss and the auxiliary loss; 0 where every layer is a mixture, as the reference has it.
   */
  private static float[] sums(List<Tensor> layers, int sparseStep) {
    if (sparseStep <= 1 || layers.isEmpty()) {
      return new float[2];
    }
    int sequences = (int) layers.getFirst().size(0);
    int length = (int) layers.getFirst().size(1);
    int experts = (int) layers.getFirst().size(2);
    double[][] chosen = new double[sequences][experts];
    double[][] probabilities = new double[sequences][experts];
    double squares = 0;
    for (Tensor layer : layers) {
      float[] x = layer.toFloatArray();
      for (int row = 0; row < sequences * length; row++) {
        int best = 0;
        for (int e = 1; e < experts; e++) {
          best = x[row * experts + e] > x[row * experts + best] ? e : best;
        }
        double largest = x[row * experts + best];
        double sum = 0;
        for (int e = 0; e < experts; e++) {
          sum += Math.exp(x[row * experts + e] - largest);
        }
        double logSum = largest + Math.log(sum);
        squares += logSum * logSum;
        chosen[row / length][best]++;
        for (int e = 0; e < experts; e++) {
          probabilities[row / length][e] += Math.exp(x[row * experts + e] - logSum);
        }
      }
    }
    double tokens = (double) length * layers.size();
    double aux = 0;
    for (int s = 0; s < sequences; s++) {
      for (int e = 0; e < experts; e++) {
        aux += chosen[s][e] / tokens * (probabilities[s][e] / tokens);
      }
    }
    return new float[] {
      (float) (squares / (tokens * sequences)), (float) (aux * experts / sequences)
    };
  }

  float weighted() {
    return zCoef * (encoderZ + decoderZ) + auxCoef * (encoderAux + decoderAux);
  }
}
