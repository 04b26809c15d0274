package dev.gatun.kernels.cuda;

import static dev.gatun.kernels.cuda.CudaKernels.dtype;

import dev.gatun.kernels.api.call.elementwise.Activate;
import dev.gatun.kernels.api.call.elementwise.ActivationBackward;
import dev.gatun.kernels.api.call.elementwise.Cast;
import dev.gatun.kernels.api.call.elementwise.Compare;
import dev.gatun.kernels.api.call.elementwise.DropElements;
import dev.gatun.kernels.api.call.elementwise.Elementwise;
import dev.gatun.kernels.api.call.elementwise.ElementwiseCall;
import dev.gatun.kernels.api.call.elementwise.GatedActivation;
import dev.gatun.kernels.api.call.elementwise.GatedActivationBackward;
import dev.gatun.kernels.api.call.elementwise.RandomDistribution;
import dev.gatun.kernels.api.call.elementwise.RandomNumbers;
import dev.gatun.kernels.api.call.elementwise.Unary;
import dev.gatun.kernels.api.call.elementwise.Where;
import dev.gatun.kernels.api.memory.KernelDType;
import dev.gatun.kernels.api.memory.Operand;
import dev.gatun.kernels.cuda.Declarations.StridedLayout;
import java.util.Arrays;

/** Kernels of each element on its own, by vectors where the operands lie as these need it. */
final class CudaElementwise {
  private final Launcher launcher;

  CudaElementwise(Launcher launcher) {
    this.launcher = launcher;
  }

  void run(ElementwiseCall call) {
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

  private void elementwise(Elementwise c) {
    Arguments arguments = launcher.with(c.a(), c.b(), c.y());
    if (isWhole(c.y())) {
      arguments.integer(KernelDType.number(c.y().dtype())).integer(c.op().ordinal());
      arguments.integer(areAlike(c.a(), c.b(), c.y()) ? 1 : 0);
      layout(arguments, c.y(), c.a(), c.b(), c.y());
      launcher.elements("elementwise_whole", c.y().count(), arguments);
      return;
    }
    if (isPlain(c.a(), c.y()) && isPlain(c.b(), c.y()) && isPlain(c.y(), c.y())) {
      vectors("elementwise", c.y(), arguments.integer(c.op().ordinal()).number(c.y().count()));
      return;
    }
    arguments.integer(dtype(c.y().dtype())).integer(c.op().ordinal());
    launcher.elements("elementwise", c.y().count(), layout(arguments, c.y(), c.a(), c.b(), c.y()));
  }

  private void unary(Unary c) {
    Arguments arguments = launcher.with(c.x(), c.y());
    if (isWhole(c.y())) {
      arguments.integer(KernelDType.number(c.y().dtype())).integer(c.op().ordinal());
      arguments.integer(areAlike(c.x(), c.y()) ? 1 : 0);
      launcher.elements("unary_whole", c.y().count(), layout(arguments, c.y(), c.x(), c.y()));
      return;
    }
    if (isPlain(c.x(), c.y()) && isPlain(c.y(), c.y())) {
      vectors("unary", c.y(), arguments.integer(c.op().ordinal()).number(c.y().count()));
      return;
    }
    arguments.integer(dtype(c.y().dtype())).integer(c.op().ordinal());
    launcher.elements("unary", c.y().count(), layout(arguments, c.y(), c.x(), c.y()));
  }

  private void compare(Compare c) {
    Arguments arguments =
        launcher
            .with(c.a(), c.b(), c.y())
            .integer(KernelDType.number(c.a().dtype()))
            .integer(c.comparison().ordinal())
            .integer(areAlike(c.a(), c.b(), c.y()) ? 1 : 0);
    launcher.elements("compare", c.y().count(), layout(arguments, c.y(), c.a(), c.b(), c.y()));
  }

  private void where(Where c) {
    Arguments arguments =
        launcher
            .with(c.condition(), c.a(), c.b(), c.y())
            .integer(c.y().dtype().bytes())
            .integer(areAlike(c.condition(), c.a(), c.b(), c.y()) ? 1 : 0);
    layout(arguments, c.y(), c.a(), c.b(), c.y());
    launcher.elements("where", c.y().count(), layout(arguments, c.y(), c.condition()));
  }

  private static boolean isWhole(Operand operand) {
    return KernelDType.number(operand.dtype()) > KernelDType.F16.ordinal();
  }

  /** Whether operands of one shape have no gaps, so that places in them are the same. */
  private static boolean areAlike(Operand... operands) {
    return Arrays.stream(operands).allMatch(Operand::isContiguous);
  }

  private void activate(Activate c) {
    Arguments arguments = launcher.with(c.x(), c.y());
    boolean plain = isPlain(c.x(), c.y()) && isPlain(c.y(), c.y());
    if (!plain) {
      arguments.integer(dtype(c.x().dtype()));
    }
    arguments.integer(c.activation().ordinal()).number(c.x().count());
    if (plain) {
      vectors("activate_elements", c.y(), arguments);
    } else {
      launcher.elements("activate_elements", c.x().count(), arguments);
    }
  }

  private void activationBackward(ActivationBackward c) {
    launcher.elements(
        "activation_backward",
        c.x().count(),
        launcher
            .with(c.dy(), c.x(), c.dx())
            .integer(dtype(c.x().dtype()))
            .integer(c.activation().ordinal())
            .number(c.x().count()));
  }

  private void gatedActivationBackward(GatedActivationBackward c) {
    launcher.elements(
        "gated_activation_backward",
        c.dy().count(),
        launcher
            .with(c.dy(), c.gate(), c.up(), c.dgate(), c.dup())
            .integer(dtype(c.dy().dtype()))
            .integer(c.activation().ordinal())
            .numbers(c.dy().stride(0), c.gate().stride(0), c.up().stride(0))
            .numbers(c.dgate().stride(0), c.dup().stride(0))
            .numbers(c.dy().size(1), c.dy().count()));
  }

  private void drop(DropElements c) {
    float probability = c.dropout().probability();
    launcher.elements(
        "dropout",
        Math.ceilDiv(c.x().count(), 4),
        launcher
            .with(c.x(), c.y())
            .integer(dtype(c.x().dtype()))
            .integer((int) (long) (probability * 0x1p32))
            .real(1 - probability)
            .numbers(c.dropout().seed(), c.x().count()));
  }

  private void random(RandomNumbers c) {
    long each = c.distribution() == RandomDistribution.UNIFORM ? 4 : 2;
    launcher.elements(
        "random_numbers",
        Math.ceilDiv(c.y().count(), each),
        launcher
            .with(c.y())
            .integer(dtype(c.y().dtype()))
            .integer(c.distribution().ordinal())
            .real(c.first())
            .real(c.second())
            .numbers(c.seed(), c.sequence(), c.y().count()));
  }

  private void cast(Cast c) {
    launcher.elements(
        "cast",
        c.x().count(),
        launcher
            .with(c.x(), c.y())
            .integer(KernelDType.number(c.x().dtype()))
            .integer(KernelDType.number(c.y().dtype()))
            .number(c.x().count()));
  }

  private void gatedActivation(GatedActivation c) {
    Arguments arguments = launcher.with(c.gate(), c.up(), c.y());
    int lanes = Vectors.lanes(c.y());
    boolean plain =
        c.y().size(1) % lanes == 0
            && c.gate().stride(0) % lanes == 0
            && c.up().stride(0) % lanes == 0
            && Vectors.areAligned(c.gate(), c.up(), c.y());
    if (!plain) {
      arguments.integer(dtype(c.y().dtype()));
    }
    arguments.integer(c.activation().ordinal());
    arguments.numbers(c.gate().stride(0), c.up().stride(0), c.y().size(1), c.y().count());
    if (plain) {
      vectors("gated_activation", c.y(), arguments);
    } else {
      launcher.elements("gated_activation", c.y().count(), arguments);
    }
  }

  private void vectors(String kernel, Operand y, Arguments arguments) {
    launcher.elements(kernel + Vectors.suffix(y.dtype()), y.count() / Vectors.lanes(y), arguments);
  }

  /** Whether vectors can go over an operand, which has y's shape, from end to end. */
  private static boolean isPlain(Operand operand, Operand y) {
    return operand.isContiguous()
        && y.count() % Vectors.lanes(y) == 0
        && Vectors.areAligned(operand);
  }

  /** The shape of an operand and the strides of each; axes in front that are not there have 1. */
  static Arguments layout(Arguments arguments, Operand shaped, Operand... operands) {
    arguments.begin(StridedLayout.STRUCT).set(StridedLayout.COUNT, shaped.count());
    int lacking = Operand.MOST_AXES - shaped.rank();
    for (int axis = 0; axis < Operand.MOST_AXES; axis++) {
      long size = axis < lacking ? 1 : shaped.size(axis - lacking);
      arguments.set(StridedLayout.SHAPE, axis, size);
    }
    for (int i = 0; i < 3; i++) {
      for (int axis = 0; axis < Operand.MOST_AXES; axis++) {
        boolean there = i < operands.length && axis >= lacking;
        long stride = there ? operands[i].stride(axis - lacking) : 0;
        arguments.set(StridedLayout.STRIDES, i * Operand.MOST_AXES + axis, stride);
      }
    }
    return arguments.end();
  }
}
