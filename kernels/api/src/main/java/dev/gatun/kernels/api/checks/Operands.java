package dev.gatun.kernels.api.checks;

import dev.gatun.kernels.api.memory.Operand;
import java.util.List;

/** The operands of a call that is being checked. */
public record Operands(String kernel, List<Operand> inputs, List<Operand> outputs) {}
