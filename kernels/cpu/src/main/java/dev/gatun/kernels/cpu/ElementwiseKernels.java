package dev.gatun.kernels.cpu;

import static dev.gatun.kernels.cpu.Arguments.address;
import static dev.gatun.kernels.cpu.Arguments.dtype;
import static dev.gatun.kernels.cpu.Arguments.layout;
import static dev.gatun.kernels.cpu.Arguments.number;

import dev.gatun.bindings.cpu.CpuBackward;
import dev.gatun.bindings.cpu.CpuElementwise;
import dev.gatun.bindings.cpu.CpuLibrary;
import dev.gatun.bindings.cpu.CpuRows;
import dev.gatun.kernels.api.call.elementwise.Activate;
import dev.gatun.kernels.api.call.elementwise.ActivationBackward;
import dev.gatun.kernels.api.call.elementwise.Cast;
import dev.gatun.kernels.api.call.elementwise.Compare;
import dev.gatun.kernels.api.call.elementwise.DropElements;
import dev.gatun.kernels.api.call.elementwise.Elementwise;
import dev.gatun.kernels.api.call.elementwise.ElementwiseCall;
import dev.gatun.kernels.api.call.elementwise.GatedActivation;
import dev.gatun.kernels.api.call.elementwise.GatedActivationBackward;
import dev.gatun.kernels.api.call.elementwise.RandomNumbers;
import dev.gatun.kernels.api.call.elementwise.Unary;
import dev.gatun.kernels.api.call.elementwise.Where;

/** What each element gets by itself. */
final class ElementwiseKernels {
  private ElementwiseKernels() {}

  static void run(ElementwiseCall call) {
    switch (call) {
      case Activate c -> activate(c);
      case ActivationBackward c -> activationBackward(c);
      case Cast c -> cast(c);
      case Compare c -> compare(c);
      case DropElements c -> drop(c);
      case Elementwise c -> elementwise(c);
      case GatedActivation c -> gatedActivation(c);
      case GatedActivationBackward c -> gatedActivationBackward(c);
      case RandomNumbers c -> random(c);
      case Unary c -> unary(c);
      case Where c -> where(c);
    }
  }

  private static void activate(Activate c) {
    CpuRows.activate(
        address(c.x()),
        address(c.y()),
        dtype(c.x().dtype()),
        c.x().count(),
        c.activation().ordinal());
  }

  private static void activationBackward(ActivationBackward c) {
    CpuBackward.activation(
        address(c.dy()),
        address(c.x()),
        address(c.dx()),
        dtype(c.x().dtype()),
        c.x().count(),
        c.activation().ordinal());
  }

  private static void gatedActivationBackward(GatedActivationBackward c) {
    CpuBackward.gatedActivation(
        address(c.dy()),
        c.dy().stride(0),
        address(c.gate()),
        c.gate().stride(0),
        address(c.up()),
        c.up().stride(0),
        address(c.dgate()),
        c.dgate().stride(0),
        address(c.dup()),
        c.dup().stride(0),
        dtype(c.dy().dtype()),
        c.dy().size(0),
        c.dy().size(1),
        c.activation().ordinal());
  }

  private static void drop(DropElements c) {
    CpuElementwise.dropout(
        address(c.x()),
        address(c.y()),
        dtype(c.x().dtype()),
        c.x().count(),
        c.dropout().probability(),
        c.dropout().seed());
  }

  private static void random(RandomNumbers c) {
    CpuElementwise.random(
        address(c.y()),
        dtype(c.y().dtype()),
        c.y().count(),
        c.distribution().ordinal(),
        c.first(),
        c.second(),
        c.seed(),
        c.sequence());
  }

  private static void cast(Cast c) {
    CpuLibrary.cast(
        address(c.x()),
        number(c.x().dtype()),
        address(c.y()),
        number(c.y().dtype()),
        c.x().count());
  }

  private static void elementwise(Elementwise c) {
    CpuElementwise.elementwise(
        address(c.a()),
        address(c.b()),
        address(c.y()),
        number(c.y().dtype()),
        c.op().ordinal(),
        layout(c.y(), c.a(), c.b(), c.y()));
  }

  private static void unary(Unary c) {
    CpuElementwise.unary(
        address(c.x()),
        address(c.y()),
        number(c.y().dtype()),
        c.op().ordinal(),
        layout(c.y(), c.x(), c.y()));
  }

  private static void compare(Compare c) {
    CpuElementwise.compare(
        address(c.a()),
        address(c.b()),
        address(c.y()),
        number(c.a().dtype()),
        c.comparison().ordinal(),
        layout(c.y(), c.a(), c.b(), c.y()));
  }

  private static void where(Where c) {
    CpuElementwise.where(
        address(c.condition()),
        address(c.a()),
        address(c.b()),
        address(c.y()),
        c.y().dtype().bytes(),
        layout(c.y(), c.condition(), c.a(), c.b(), c.y()));
  }

  private static void gatedActivation(GatedActivation c) {
    CpuRows.gatedActivation(
        address(c.gate()),
        c.gate().stride(0),
        address(c.up()),
        c.up().stride(0),
        address(c.y()),
        dtype(c.y().dtype()),
        c.y().size(0),
        c.y().size(1),
        c.activation().ordinal());
  }
}
