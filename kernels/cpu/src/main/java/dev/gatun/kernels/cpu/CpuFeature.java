package dev.gatun.kernels.cpu;

import java.util.EnumSet;
import java.util.Locale;
import java.util.Set;

/**
 * Instruction sets of processors. Some make up a {@link CpuLevel}; the others are used inside a
 * level by the kernels that gain by them, where the processor has them.
 */
public enum CpuFeature {
  AVX2,
  FMA,
  F16C,
  /** AVX-512 F, BW, DQ and VL. */
  AVX512,
  AVX512_VNNI,
  AVX512_BF16,
  AVX_VNNI,
  NEON,
  DOTPROD,
  I8MM,
  ARM_BF16,
  /** AMX's matrix registers, with products of bf16 pairs; asked of Linux for the whole process. */
  AMX_BF16,
  /** The same with products of bytes. */
  AMX_INT8;

  /** The name in properties and reports. */
  public String id() {
    return name().toLowerCase(Locale.ROOT);
  }

  int bit() {
    return 1 << ordinal();
  }

  static Set<CpuFeature> of(int bits) {
    Set<CpuFeature> features = EnumSet.noneOf(CpuFeature.class);
    for (CpuFeature feature : values()) {
      if ((bits & feature.bit()) != 0) {
        features.add(feature);
      }
    }
    return features;
  }
}
