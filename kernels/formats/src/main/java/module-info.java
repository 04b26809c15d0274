/** Quantised weights: blocks made of floats, and laid out for products. */
module dev.gatun.kernels.formats {
  requires transitive dev.gatun.kernels.api;

  exports dev.gatun.kernels.formats;
}
