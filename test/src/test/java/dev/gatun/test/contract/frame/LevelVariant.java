package dev.gatun.test.contract.frame;

import dev.gatun.kernels.cpu.CpuBackend;
import dev.gatun.kernels.cpu.CpuFeature;
import dev.gatun.kernels.cpu.CpuLevel;
import java.util.ArrayList;
import java.util.EnumSet;
import java.util.List;
import java.util.Set;
import java.util.stream.Collectors;

/**
 * A level, and the instruction sets beyond its own that its kernels may not use, as on a processor
 * that lacks them.
 */
public record LevelVariant(CpuLevel level, Set<CpuFeature> without) {
  /** Each level with all that this processor has. */
  public static List<LevelVariant> whole() {
    return Subjects.levels().stream()
        .map(level -> new LevelVariant(level, EnumSet.noneOf(CpuFeature.class)))
        .toList();
  }

  /**
   * Levels as processors are that lack something this one has: without each instruction set that no
   * level needs and that kernels of the level choose by, and without all of them.
   */
  public static List<LevelVariant> reduced() {
    List<LevelVariant> variants = new ArrayList<>();
    Set<CpuFeature> there = CpuBackend.features();
    for (CpuLevel level : Subjects.levels()) {
      Set<CpuFeature> chosen = chosen(level);
      chosen.retainAll(there);
      for (CpuFeature feature : chosen) {
        variants.add(new LevelVariant(level, EnumSet.of(feature)));
      }
      if (chosen.size() > 1) {
        variants.add(new LevelVariant(level, chosen));
      }
    }
    return variants;
  }

  /** What kernels of a level choose by. */
  private static Set<CpuFeature> chosen(CpuLevel level) {
    return switch (level) {
      case PORTABLE -> EnumSet.noneOf(CpuFeature.class);
      case AVX2 -> EnumSet.of(CpuFeature.AVX_VNNI);
      case AVX512 ->
          EnumSet.of(
              CpuFeature.AVX512_VNNI,
              CpuFeature.AVX512_BF16,
              CpuFeature.AMX_BF16,
              CpuFeature.AMX_INT8);
      case NEON -> EnumSet.of(CpuFeature.DOTPROD, CpuFeature.I8MM, CpuFeature.ARM_BF16);
    };
  }

  /** Makes the backend one. */
  public void choose(CpuBackend backend) {
    backend.setLevel(level);
    backend.allowAll();
    without.forEach(backend::leaveOut);
  }

  @Override
  public String toString() {
    return without.isEmpty()
        ? level.id()
        : level.id()
            + " without "
            + without.stream().map(CpuFeature::id).collect(Collectors.joining(", "));
  }
}
