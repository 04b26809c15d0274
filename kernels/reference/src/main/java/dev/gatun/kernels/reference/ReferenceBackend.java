package dev.gatun.kernels.reference;

import dev.gatun.kernels.api.device.Backend;
import dev.gatun.kernels.api.device.Kernels;
import dev.gatun.kernels.api.memory.Memory;
import dev.gatun.kernels.api.memory.Operand;

/** Plain Java loops, slow and right. */
public final class ReferenceBackend implements Backend {
  static final String NAME = "reference";

  private final Precision precision;
  private final ReferenceMemory memory;
  private final Kernels kernels;

  /**
   * @param precision what intermediate results are rounded to
   */
  public ReferenceBackend(Precision precision) {
    this(precision, false);
  }

  private ReferenceBackend(Precision precision, boolean doubles) {
    this.precision = precision;
    this.memory = new ReferenceMemory(doubles);
    this.kernels = new ReferenceKernels(memory, precision);
  }

  /**
   * {@return a backend whose F32 tensors are doubles between kernels too, so that nothing of a
   * whole computation is rounded} What is read from its memory is.
   */
  public static ReferenceBackend ofDoubles() {
    return new ReferenceBackend(Precision.F64, true);
  }

  /**
   * {@return the elements of an operand of this backend, row-major, as they are between kernels}
   *
   * @param operand of floats
   */
  public static double[] elements(Operand operand) {
    View view = View.of(operand);
    double[] elements = new double[Math.toIntExact(operand.count())];
    for (int i = 0; i < elements.length; i++) {
      elements[i] = view.get(View.place(operand, i));
    }
    return elements;
  }

  @Override
  public String name() {
    return NAME;
  }

  @Override
  public String description() {
    return "plain Java in " + precision;
  }

  @Override
  public Memory memory() {
    return memory;
  }

  @Override
  public Kernels kernels() {
    return kernels;
  }
}
