package dev.gatun.kernels.cpu;

/** Instruction levels of the native kernels, each a superset of the one before it. */
public enum CpuLevel {
  /** The platform's base instructions. */
  PORTABLE,
  /** AVX2, FMA and F16C. */
  AVX2,
  /** AVX-512 F, BW, DQ and VL besides. */
  AVX512;

  /** The name in properties and reports. */
  public String id() {
    return name().toLowerCase(java.util.Locale.ROOT);
  }
}
