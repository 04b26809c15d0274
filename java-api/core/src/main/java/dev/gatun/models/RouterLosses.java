package dev.gatun.models;

import dev.gatun.ops.Elementwise;
import dev.gatun.ops.Layouts;
import dev.gatun.tensor.Tensor;
import java.util.List;
import java.util.Objects;
import java.util.stream.Stream;

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
  /**
   * The four losses, F32 [1] on the device; null where a stack has none, as where every layer is a
   * mixture.
   */
  record Parts(
      Tensor encoderZ,
      Tensor decoderZ,
      Tensor encoderAux,
      Tensor decoderAux,
      float zCoef,
      float auxCoef) {
    /**
     * The losses of routers.
     *
     * @param encoder F32 [batch, length, experts] of each layer that is a mixture
     * @param decoder the decoder's
     */
    static Parts of(Config config, List<Tensor> encoder, List<Tensor> decoder) {
      Tensor encoding = joined(encoder, T5FeedForward.sparseStep(config, false));
      Tensor decoding = joined(decoder, T5FeedForward.sparseStep(config, true));
      return new Parts(
          z(encoding),
          z(decoding),
          encoding == null ? null : Losses.routerAux(encoding),
          decoding == null ? null : Losses.routerAux(decoding),
          config.number("router_z_loss_coef", 0.001),
          config.number("router_aux_loss_coef", 0.001));
    }

    private static Tensor joined(List<Tensor> layers, int sparseStep) {
      return sparseStep <= 1 || layers.isEmpty()
          ? null
          : layers.size() == 1 ? layers.getFirst() : Layouts.concat(1, layers);
    }

    private static Tensor z(Tensor logits) {
      return logits == null
          ? null
          : Losses.routerZ(logits.reshape(logits.size(0) * logits.size(1), logits.size(2)));
    }

    /**
     * A loss with these.
     *
     * @param batches what these are a mean over
     */
    Tensor addedTo(Tensor loss, long batches) {
      Tensor sum = loss;
      Tensor[] parts = {encoderZ, decoderZ, encoderAux, decoderAux};
      for (int i = 0; i < parts.length; i++) {
        if (parts[i] != null) {
          double weight = (double) (i < 2 ? zCoef : auxCoef) / batches;
          sum = Elementwise.add(sum, Losses.times(parts[i], weight));
        }
      }
      return sum;
    }

    List<Tensor> tensors() {
      return Stream.of(encoderZ, decoderZ, encoderAux, decoderAux)
          .filter(Objects::nonNull)
          .toList();
    }

    RouterLosses read() {
      return new RouterLosses(
          number(encoderZ),
          number(decoderZ),
          number(encoderAux),
          number(decoderAux),
          zCoef,
          auxCoef);
    }

    private static float number(Tensor part) {
      return part == null ? 0 : part.toFloatArray()[0];
    }
  }
}
