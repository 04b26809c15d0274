package dev.gatun.kernels.cpu;

import java.util.Locale;

/**
 * Levels of the native kernels: each is a set of instructions that all of them are compiled for. A
 * machine has some of them.
 */
public enum CpuLevel {
  /** The platform's base instructions, by C++ alone. */
  PORTABLE,
  /** AVX2, FMA and F16C. */
  AVX2,
  /** AVX-512 F, BW, DQ and VL, and those of AVX2. */
  AVX512,
  /** NEON, which every processor of aarch64 has. */
  NEON;

  /** The name in properties and reports. */
  public String id() {
    return name().toLowerCase(Locale.ROOT);
  }
}
