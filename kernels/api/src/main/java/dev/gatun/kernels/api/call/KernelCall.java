package dev.gatun.kernels.api.call;

import dev.gatun.kernels.api.memory.Operand;
import java.util.List;

/** One call of a kernel with its arguments, checked when made. */
public interface KernelCall {
  /** The kernel's name, as error messages begin. */
  String kernel();

  /** Everything read. */
  List<Operand> inputs();

  /** Everything written. */
  List<Operand> outputs();
}
