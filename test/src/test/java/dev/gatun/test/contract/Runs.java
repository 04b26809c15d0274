package dev.gatun.test.contract;

import dev.gatun.kernels.api.call.KernelCall;
import dev.gatun.kernels.api.call.attention.DisentangledBias;
import dev.gatun.kernels.api.call.attention.RotaryCacheUpdate;
import dev.gatun.kernels.api.call.attention.RotaryEmbedding;
import dev.gatun.kernels.api.call.attention.ScaledDotProductAttention;
import dev.gatun.kernels.api.call.elementwise.Activate;
import dev.gatun.kernels.api.call.elementwise.Cast;
import dev.gatun.kernels.api.call.elementwise.Elementwise;
import dev.gatun.kernels.api.call.elementwise.GatedActivation;
import dev.gatun.kernels.api.call.experts.ExpertCombine;
import dev.gatun.kernels.api.call.experts.ExpertRouting;
import dev.gatun.kernels.api.call.experts.GroupedMatmul;
import dev.gatun.kernels.api.call.experts.GroupedQuantizedMatmul;
import dev.gatun.kernels.api.call.indexing.Copy;
import dev.gatun.kernels.api.call.indexing.Embedding;
import dev.gatun.kernels.api.call.indexing.IndexAdd;
import dev.gatun.kernels.api.call.indexing.IndexSelect;
import dev.gatun.kernels.api.call.indexing.ScatterRows;
import dev.gatun.kernels.api.call.loss.CrossEntropy;
import dev.gatun.kernels.api.call.matmul.BatchedMatmul;
import dev.gatun.kernels.api.call.matmul.Dequantize;
import dev.gatun.kernels.api.call.matmul.Matmul;
import dev.gatun.kernels.api.call.matmul.MatmulPack;
import dev.gatun.kernels.api.call.matmul.Quantize;
import dev.gatun.kernels.api.call.matmul.QuantizeTokens;
import dev.gatun.kernels.api.call.matmul.QuantizedMatmul;
import dev.gatun.kernels.api.call.matmul.QuantizedPack;
import dev.gatun.kernels.api.call.norm.L2Normalize;
import dev.gatun.kernels.api.call.norm.LayerNorm;
import dev.gatun.kernels.api.call.norm.RmsNorm;
import dev.gatun.kernels.api.call.norm.Softmax;
import dev.gatun.kernels.api.call.reduction.ArgMax;
import dev.gatun.kernels.api.call.reduction.Pool;
import dev.gatun.kernels.api.call.reduction.Reduce;
import dev.gatun.kernels.api.call.reduction.TopK;
import dev.gatun.kernels.api.device.Backend;
import dev.gatun.kernels.api.device.Kernels;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.stream.IntStream;

/** Runs a case on a backend. */
final class Runs {
  private Runs() {}

  /**
   * What a case gives by the reference.
   *
   * @param exact in double
   * @param plain in the case's dtype, {@link Subjects#plain}
   */
  record References(Map<String, int[]> exact, List<Map<String, int[]>> plain) {}

  static References references(Case c) {
    List<Backend> plain = Subjects.plain(c.dtype());
    List<Map<String, int[]>> results =
        IntStream.rangeClosed(0, plain.size())
            .parallel()
            .mapToObj(i -> i == 0 ? run(c.widened(), Subjects.EXACT) : run(c, plain.get(i - 1)))
            .toList();
    return new References(results.getFirst(), results.subList(1, results.size()));
  }

  /** The bits of every operand that the case writes, by name; guard zones are checked. */
  static Map<String, int[]> run(Case c, Backend backend) {
    return run(c, backend, false);
  }

  /** The same, with operands that are aligned to 16 bytes on request. */
  static Map<String, int[]> run(Case c, Backend backend, boolean aligned) {
    Map<String, Placement> placements = new LinkedHashMap<>();
    try {
      int skip = 0;
      for (Data data : c.data()) {
        placements.put(
            data.name(), new Placement(data, backend.memory(), aligned ? 0 : skip++ % 4));
      }
      run(
          backend.kernels(),
          c.call()
              .apply(
                  name -> {
                    Placement placement = placements.get(name);
                    return placement == null ? null : placement.operand();
                  }));
      Map<String, int[]> results = new LinkedHashMap<>();
      placements.forEach(
          (name, placement) -> {
            int[] bits = placement.result();
            if (bits != null) {
              results.put(name, bits);
            }
          });
      return results;
    } finally {
      placements.values().forEach(Placement::close);
    }
  }

  static void run(Kernels kernels, KernelCall call) {
    switch (call) {
      case ScaledDotProductAttention c -> kernels.run(c);
      case MatmulPack c -> kernels.run(c);
      case Matmul c -> kernels.run(c);
      case BatchedMatmul c -> kernels.run(c);
      case LayerNorm c -> kernels.run(c);
      case Activate c -> kernels.run(c);
      case Elementwise c -> kernels.run(c);
      case Softmax c -> kernels.run(c);
      case Embedding c -> kernels.run(c);
      case ScatterRows c -> kernels.run(c);
      case Pool c -> kernels.run(c);
      case L2Normalize c -> kernels.run(c);
      case RotaryEmbedding c -> kernels.run(c);
      case RotaryCacheUpdate c -> kernels.run(c);
      case DisentangledBias c -> kernels.run(c);
      case CrossEntropy c -> kernels.run(c);
      case Cast c -> kernels.run(c);
      case RmsNorm c -> kernels.run(c);
      case GatedActivation c -> kernels.run(c);
      case Quantize c -> kernels.run(c);
      case Dequantize c -> kernels.run(c);
      case QuantizedPack c -> kernels.run(c);
      case QuantizedMatmul c -> kernels.run(c);
      case QuantizeTokens c -> kernels.run(c);
      case Reduce c -> kernels.run(c);
      case ArgMax c -> kernels.run(c);
      case TopK c -> kernels.run(c);
      case Copy c -> kernels.run(c);
      case IndexSelect c -> kernels.run(c);
      case IndexAdd c -> kernels.run(c);
      case ExpertRouting c -> kernels.run(c);
      case GroupedMatmul c -> kernels.run(c);
      case GroupedQuantizedMatmul c -> kernels.run(c);
      case ExpertCombine c -> kernels.run(c);
      default -> throw new IllegalArgumentException(call.kernel());
    }
  }
}
