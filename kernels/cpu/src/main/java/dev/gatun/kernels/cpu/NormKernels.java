package dev.gatun.kernels.cpu;

import static dev.gatun.kernels.cpu.Arguments.address;
import static dev.gatun.kernels.cpu.Arguments.codes;
import static dev.gatun.kernels.cpu.Arguments.dtype;

import dev.gatun.bindings.cpu.CpuRows;
import dev.gatun.kernels.api.call.norm.L2Normalize;
import dev.gatun.kernels.api.call.norm.LayerNorm;
import dev.gatun.kernels.api.call.norm.LayerNormBackward;
import dev.gatun.kernels.api.call.norm.NormCall;
import dev.gatun.kernels.api.call.norm.RmsNorm;
import dev.gatun.kernels.api.call.norm.RmsNormBackward;
import dev.gatun.kernels.api.call.norm.Softmax;
import dev.gatun.kernels.api.call.norm.SoftmaxBackward;
import dev.gatun.kernels.api.memory.Operand;

/** Norms of rows. */
final class NormKernels {
  private NormKernels() {}

  static void run(NormCall call) {
    switch (call) {
      case L2Normalize c -> l2Normalize(c);
      case LayerNorm c -> layerNorm(c);
      case LayerNormBackward c -> layerNormBackward(c);
      case RmsNorm c -> rmsNorm(c);
      case RmsNormBackward c -> rmsNormBackward(c);
      case Softmax c -> softmax(c);
      case SoftmaxBackward c -> softmaxBackward(c);
    }
  }

  private static void l2Normalize(L2Normalize c) {
    CpuRows.l2Normalize(
        address(c.x()),
        address(c.y()),
        dtype(c.x().dtype()),
        c.x().size(0),
        c.x().size(1),
        c.eps());
  }

  private static void layerNorm(LayerNorm c) {
    CpuRows.layerNorm(
        address(c.x()),
        address(c.residual()),
        address(c.weight()),
        address(c.bias()),
        address(c.y()),
        address(c.sum()),
        dtype(c.x().dtype()),
        dtype(parameters(c).dtype()),
        c.x().size(0),
        c.x().size(1),
        c.eps(),
        codes(c.codes()));
  }

  private static void rmsNorm(RmsNorm c) {
    CpuRows.rmsNorm(
        address(c.x()),
        address(c.residual()),
        address(c.weight()),
        address(c.y()),
        address(c.sum()),
        dtype(c.x().dtype()),
        dtype(c.weight().dtype()),
        c.x().size(0),
        c.x().size(1),
        c.shift(),
        c.eps(),
        codes(c.codes()));
  }

  private static void softmax(Softmax c) {
    CpuRows.softmax(
        address(c.x()),
        address(c.y()),
        dtype(c.x().dtype()),
        c.x().size(0),
        c.x().size(1),
        c.log());
  }

  private static void layerNormBackward(LayerNormBackward c) {
    CpuRows.layerNormBackward(
        address(c.dy()),
        address(c.x()),
        address(c.weight()),
        address(c.added()),
        address(c.dx()),
        address(c.dweight()),
        address(c.dbias()),
        dtype(c.dy().dtype()),
        dtype(c.weight() == null ? c.dy().dtype() : c.weight().dtype()),
        c.dy().size(0),
        c.dy().size(1),
        c.eps());
  }

  private static void rmsNormBackward(RmsNormBackward c) {
    CpuRows.rmsNormBackward(
        address(c.dy()),
        address(c.x()),
        address(c.weight()),
        address(c.added()),
        address(c.dx()),
        address(c.dweight()),
        dtype(c.dy().dtype()),
        dtype(c.weight().dtype()),
        c.dy().size(0),
        c.dy().size(1),
        c.shift(),
        c.eps());
  }

  private static void softmaxBackward(SoftmaxBackward c) {
    CpuRows.softmaxBackward(
        address(c.dy()),
        address(c.y()),
        address(c.dx()),
        dtype(c.dy().dtype()),
        c.dy().size(0),
        c.dy().size(1),
        c.log());
  }

  /** An operand with the dtype of the weight and bias, where there is either. */
  private static Operand parameters(LayerNorm c) {
    return c.weight() != null ? c.weight() : c.bias() != null ? c.bias() : c.x();
  }
}
