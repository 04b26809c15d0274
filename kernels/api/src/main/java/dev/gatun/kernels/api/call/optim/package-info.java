/**
 * What changes the parameters of a model when it is trained: optimisers, and the norm of gradients.
 */
package dev.gatun.kernels.api.call.optim;
