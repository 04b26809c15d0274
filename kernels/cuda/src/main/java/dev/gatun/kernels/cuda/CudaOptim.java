package dev.gatun.kernels.cuda;

import static dev.gatun.kernels.cuda.CudaKernels.dtype;

import dev.gatun.kernels.api.call.optim.AdafactorStep;
import dev.gatun.kernels.api.call.optim.GlobalNorm;
import dev.gatun.kernels.api.call.optim.OptimCall;
import dev.gatun.kernels.api.call.optim.OptimizerStep;
import dev.gatun.kernels.api.call.optim.ParameterUpdate;
import dev.gatun.kernels.api.call.optim.UpdateRule;
import dev.gatun.kernels.api.memory.Buffer;
import dev.gatun.kernels.api.memory.DType;
import dev.gatun.kernels.api.memory.Operand;
import dev.gatun.kernels.cuda.Declarations.Parameter;
import dev.gatun.kernels.cuda.Declarations.ParameterList;
import dev.gatun.kernels.cuda.Declarations.Range;
import dev.gatun.kernels.cuda.Declarations.RangeList;
import java.util.List;

/** Steps of optimisers: a launch for as many parameters as its arguments have room for. */
final class CudaOptim {
  private static final int PARAMETERS = ParameterList.STRUCT.items();
  private static final int RANGES = RangeList.STRUCT.items();

  private final Launcher launcher;
  private final CudaMemory memory;

  CudaOptim(Launcher launcher, CudaMemory memory) {
    this.launcher = launcher;
    this.memory = memory;
  }

  void run(OptimCall call) {
    switch (call) {
      case AdafactorStep c -> new CudaAdafactor(launcher, memory).step(c);
      case GlobalNorm c -> globalNorm(c);
      case OptimizerStep c -> step(c);
    }
  }

  private void step(OptimizerStep c) {
    for (int from = 0; from < c.parameters().size(); from += PARAMETERS) {
      int to = Math.min(from + PARAMETERS, c.parameters().size());
      step(c, c.parameters().subList(from, to));
    }
  }

  private void step(OptimizerStep c, List<ParameterUpdate> parameters) {
    Arguments arguments = launcher.arguments().begin(ParameterList.STRUCT);
    long blocks = 0;
    DType copies = DType.F32;
    for (ParameterUpdate p : parameters) {
      arguments
          .item()
          .set(Parameter.PARAMETER, p.parameter())
          .set(Parameter.GRADIENT, p.gradient())
          .set(Parameter.COPY, p.copy())
          .set(Parameter.COUNT, p.parameter().count())
          .set(Parameter.FIRST, blocks);
      for (int s = 0; s < UpdateRule.MOST_STATES; s++) {
        Operand state = s < p.states().size() ? p.states().get(s) : null;
        arguments.set(Parameter.STATES, s, CudaMemory.address(state));
      }
      double[] numbers = c.rule().numbers(p.rate(), p.decay(), c.step());
      for (int i = 0; i < numbers.length; i++) {
        arguments.set(Parameter.NUMBERS, i, (float) numbers[i]);
      }
      blocks += Math.ceilDiv(p.parameter().count(), Declarations.OPTIM_STEP_CHUNK);
      copies = p.copy() == null ? copies : p.copy().dtype();
    }
    arguments
        .end()
        .integer(parameters.size())
        .integer(c.rule().formula().ordinal())
        .integer(dtype(copies))
        .real(c.scale())
        .real(c.maxNorm())
        .operand(c.norm());
    launcher.launch("optimizer_step", blocks, 1, 1, arguments);
  }

  private void globalNorm(GlobalNorm c) {
    List<Operand> gradients = c.gradients();
    long chunks = 0;
    for (Operand gradient : gradients) {
      chunks += Math.ceilDiv(gradient.count(), Declarations.OPTIM_NORM_CHUNK);
    }
    try (Buffer partial = memory.allocate(Float.BYTES * (chunks + 1));
        Buffer own = memory.allocate(Float.BYTES * (gradients.size() + 1L))) {
      long norms = c.norms() == null ? CudaMemory.address(own) : CudaMemory.address(c.norms());
      long next = CudaMemory.address(partial);
      for (int from = 0; from < gradients.size(); from += RANGES) {
        List<Operand> some = gradients.subList(from, Math.min(from + RANGES, gradients.size()));
        next += Float.BYTES * norms(some, c.scale(), next, norms + Float.BYTES * (long) from);
      }
      launcher.launch(
          "global_norm",
          1,
          1,
          1,
          launcher.arguments().address(norms).operand(c.norm()).number(gradients.size()));
    }
  }

  /** Computes the norms of some gradients; gives how many parts these were cut into. */
  private long norms(List<Operand> gradients, float scale, long partial, long norms) {
    Arguments squares = launcher.arguments().begin(RangeList.STRUCT);
    Arguments roots = launcher.arguments().begin(RangeList.STRUCT);
    long blocks = 0;
    for (Operand gradient : gradients) {
      for (Arguments list : List.of(squares, roots)) {
        list.item()
            .set(Range.ELEMENTS, gradient)
            .set(Range.COUNT, gradient.count())
            .set(Range.FIRST, blocks);
      }
      blocks += Math.ceilDiv(gradient.count(), Declarations.OPTIM_NORM_CHUNK);
    }
    squares.end().integer(gradients.size()).real(scale).address(partial);
    launcher.rows("gradient_squares", blocks, squares);
    roots.end().integer(gradients.size()).address(partial).address(norms);
    launcher.launch("gradient_norms", 1, 1, 1, roots);
    return blocks;
  }
}
