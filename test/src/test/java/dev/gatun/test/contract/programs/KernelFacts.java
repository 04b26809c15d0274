package dev.gatun.test.contract.programs;

import dev.gatun.kernels.api.call.KernelCall;
import dev.gatun.kernels.api.call.attention.Causal;
import dev.gatun.kernels.api.call.attention.ScaledDotProductAttention;
import dev.gatun.kernels.api.call.experts.GroupedMatmul;
import dev.gatun.kernels.api.call.experts.GroupedQuantizedMatmul;
import dev.gatun.kernels.api.call.matmul.BlockMatmul;
import dev.gatun.kernels.api.call.matmul.Matmul;
import dev.gatun.kernels.api.call.matmul.QuantizedMatmul;
import dev.gatun.test.contract.frame.Target;
import dev.gatun.test.emulator.Emulator.Planned;
import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.function.Function;
import java.util.stream.Collectors;

/**
 * What a test of the cases must know of a CUDA kernel.
 *
 * @param name in {@code kernels.list}
 * @param sharedBytes of a launch, -1 where they differ
 * @param stages of its ring of tiles, 0 where it has none
 * @param depth of a stage: input features, or keys
 */
record KernelFacts(String name, int sharedBytes, int stages, int depth) {
  // Where cuBLASLt is installed alone, which a device's run is not told of.
  private static final Set<String> WITH_LIBRARY = Set.of("matmul_pack_rows", "matmul_simt_rows");

  private static final String QUANTIZED = "(grouped_)?(w[48]a16_(bf16|f16)|w[48]a8)_m[0-9]+";

  private static final Map<String, KernelFacts> LIST =
      read().stream().collect(Collectors.toMap(KernelFacts::name, Function.identity()));

  static List<KernelFacts> list() {
    return LIST.values().stream().sorted((a, b) -> a.name.compareTo(b.name)).toList();
  }

  static KernelFacts of(String name) {
    return LIST.get(name);
  }

  private static List<KernelFacts> read() {
    try (InputStream list =
        KernelFacts.class.getResourceAsStream("/META-INF/gatun/cuda/kernels.list")) {
      return new String(list.readAllBytes(), StandardCharsets.UTF_8)
          .lines()
          .map(line -> line.split(" "))
          .map(
              f ->
                  of(
                      f[1],
                      f.length > 4 ? Integer.parseInt(f[4]) : -1,
                      f.length > 5 ? Integer.parseInt(f[5].split("x")[2]) : 0))
          .toList();
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  private static KernelFacts of(String name, int shared, int depth) {
    if (name.matches(QUANTIZED + "(_sm90a)?")) {
      boolean wide = name.matches("(grouped_)?w8a16_.*_m128");
      return new KernelFacts(name, shared, name.endsWith("_sm90a") ? 6 : wide ? 3 : 4, depth);
    }
    if (name.equals("matmul_bf16_sm90a")) {
      return new KernelFacts(name, shared, 6, 64);
    }
    if (name.matches("attention_.*_sm90a")) {
      return new KernelFacts(name, shared, 2, 128);
    }
    if (name.matches("(grouped_)?matmul_(bf16|f16)_[0-9]+x[0-9]+")) {
      return new KernelFacts(name, shared, 3, 32);
    }
    if (name.matches("attention_decode_.*")) {
      return new KernelFacts(name, shared, 2, 16 * (name.endsWith("256") ? 2 : 4));
    }
    return new KernelFacts(name, shared, 0, 1);
  }

  /** Whether a device's run is to reach it. */
  boolean runsOn(Target target) {
    int limit =
        switch (target.capability()) {
          case 90 -> 227 << 10;
          case 80 -> 163 << 10;
          default -> 99 << 10;
        };
    return !WITH_LIBRARY.contains(name)
        && (target.capability() == 90 || !name.endsWith("_sm90a"))
        && sharedBytes <= limit;
  }

  /** Whether blocks may share a result. */
  boolean splits() {
    return name.matches(QUANTIZED + "|w.*_m64_sm90a") && !name.startsWith("grouped_")
        || name.matches("attention_(decode_)?(bf16|f16)_[0-9]+");
  }

  /** How many blocks of a launch share a result. */
  long parts(Planned launch, KernelCall call) {
    if (!splits()) {
      return 1;
    }
    if (call instanceof ScaledDotProductAttention c) {
      long tiles = name.startsWith("attention_decode") ? 1 : Math.ceilDiv(c.queryLength(), 64);
      return launch.x() / tiles;
    }
    return launch.z();
  }

  /** Whether its stages have barriers whose phases are told apart by parity. */
  boolean hasPhases() {
    return stages > 0 && name.endsWith("_sm90a");
  }

  /** How many stages the block of a launch that has the most is certain to go through. */
  long steps(Planned launch, KernelCall call) {
    return stages == 0 ? 0 : Math.ceilDiv(length(call), depth * parts(launch, call));
  }

  private static long length(KernelCall call) {
    return switch (call) {
      case Matmul c -> c.x().size(1);
      case QuantizedMatmul c -> c.x().size(1);
      case BlockMatmul c -> c.x().size(1);
      case GroupedMatmul c -> c.x().size(1);
      case GroupedQuantizedMatmul c -> c.x().size(1);
      case ScaledDotProductAttention c -> keys(c);
      default -> throw new IllegalArgumentException(call.kernel() + " is not known to have a ring");
    };
  }

  /** Keys that a block goes through for certain: none where masks may hide them. */
  private static long keys(ScaledDotProductAttention c) {
    if (c.mask().causal() != Causal.NONE || c.mask().window() > 0 || c.queryOffsets() != null) {
      return 0;
    }
    // What lies on the device may be shorter than the bound.
    return c.keys().lengths() == null && c.keys().offsets() == null ? c.keyLength() : 0;
  }
}
