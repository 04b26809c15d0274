package dev.gatun.models;

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
  float weighted() {
    return zCoef * (encoderZ + decoderZ) + auxCoef * (encoderAux + decoderAux);
  }
}
