package dev.gatun.kernels.api.call.elementwise;

/** How the numbers of {@link RandomNumbers} are distributed. */
public enum RandomDistribution {
  /** Evenly from a lowest number to below a highest. */
  UNIFORM,
  /** Normally, of a mean and a deviation. */
  NORMAL
}
