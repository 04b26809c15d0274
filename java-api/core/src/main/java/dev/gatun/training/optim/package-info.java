/** Optimisers: their rules, what they keep for each parameter, and their steps. */
package dev.gatun.training.optim;
