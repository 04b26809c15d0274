package dev.gatun.kernels.api.call.optim;

import dev.gatun.kernels.api.memory.Operand;
import java.util.List;

/**
 * A parameter in a step of an optimiser.
 *
 * @param parameter F32 of any shape, contiguous: changed in place
 * @param gradient F32 of its shape, contiguous
 * @param states what the rule keeps for it, F32 of the shapes that the rule says, contiguous:
 *     changed in place
 * @param copy BF16 or F16 of its shape, contiguous: receives the new parameter rounded to nearest
 *     even; or null
 * @param rate the learning rate
 * @param decay the weight decay
 */
public record ParameterUpdate(
    Operand parameter,
    Operand gradient,
    List<Operand> states,
    Operand copy,
    double rate,
    double decay) {}
