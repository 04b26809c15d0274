package dev.gatun.models;

/**
 * What the routers of a mixture of experts choose from, by the keys of {@code config.json}.
 *
 * @param perToken {@code num_experts_per_tok}
 * @param auxLossCoef {@code router_aux_loss_coef}, what the load-balancing loss weighs in the loss
 * @param output {@code output_router_logits}, whether a pass gives their logits unasked
 */
record Routers(int perToken, float auxLossCoef, boolean output) {}
