package dev.gatun.kernels.api;

import java.util.List;

/** The operands of a call that is being checked. */
record Operands(String kernel, List<Operand> inputs, List<Operand> outputs) implements KernelCall {}
