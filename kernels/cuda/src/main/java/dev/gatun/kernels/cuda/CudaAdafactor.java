package dev.gatun.kernels.cuda;

import static dev.gatun.kernels.cuda.CudaKernels.dtype;

import dev.gatun.kernels.api.call.optim.AdafactorStep;
import dev.gatun.kernels.api.call.optim.ParameterUpdate;
import dev.gatun.kernels.api.memory.Buffer;
import dev.gatun.kernels.api.memory.DType;
import dev.gatun.kernels.api.memory.Operand;
import java.util.List;
import java.util.function.ToLongFunction;

/** Steps of Adafactor: four launches for as many parameters as their arguments have room for. */
final class CudaAdafactor {
  // As adafactor.cu has them.
  private static final int PARAMETERS = 24;
  private static final int PARAMETER_WORDS = 16;
  private static final long ROWS = 16;
  private static final long ELEMENTS = 4096;
  private static final long COLUMNS = 256;

  private final Launcher launcher;
  private final CudaMemory memory;

  CudaAdafactor(Launcher launcher, CudaMemory memory) {
    this.launcher = launcher;
    this.memory = memory;
  }

  void step(AdafactorStep c) {
    for (int from = 0; from < c.parameters().size(); from += PARAMETERS) {
      int to = Math.min(from + PARAMETERS, c.parameters().size());
      step(c, c.parameters().subList(from, to));
    }
  }

  private static boolean isMatrix(ParameterUpdate p) {
    return p.parameter().rank() >= 2;
  }

  private static long blocks(ParameterUpdate p) {
    AdafactorStep.Matrices of = AdafactorStep.Matrices.of(p.parameter());
    if (p.parameter().count() == 0) {
      return 0;
    }
    return isMatrix(p)
        ? of.batches() * Math.ceilDiv(of.rows(), ROWS)
        : Math.ceilDiv(of.columns(), ELEMENTS);
  }

  private static long matrices(ParameterUpdate p) {
    return p.parameter().count() == 0 ? 0 : AdafactorStep.Matrices.of(p.parameter()).batches();
  }

  private static long columnSums(ParameterUpdate p) {
    return isMatrix(p) ? blocks(p) * AdafactorStep.Matrices.of(p.parameter()).columns() : 0;
  }

  private static long columnBlocks(ParameterUpdate p) {
    AdafactorStep.Matrices of = AdafactorStep.Matrices.of(p.parameter());
    return isMatrix(p) ? matrices(p) * Math.ceilDiv(of.columns(), COLUMNS) : 0;
  }

  private static long sum(List<ParameterUpdate> parameters, ToLongFunction<ParameterUpdate> of) {
    return parameters.stream().mapToLong(of).sum();
  }

  private void step(AdafactorStep c, List<ParameterUpdate> parameters) {
    long blocks = sum(parameters, CudaAdafactor::blocks);
    try (Buffer sums = floats(sum(parameters, CudaAdafactor::columnSums));
        Buffer means = floats(sum(parameters, CudaAdafactor::matrices));
        Buffer squares = floats(2 * blocks)) {
      Buffer[] found = {sums, means, squares};
      Arguments rows = list(c, parameters, CudaAdafactor::blocks);
      launcher.rows("adafactor_rows", blocks, found(c, rows, found));
      Arguments columns = list(c, parameters, CudaAdafactor::columnBlocks);
      long columnBlocks = sum(parameters, CudaAdafactor::columnBlocks);
      launcher.rows("adafactor_columns", columnBlocks, found(c, columns, found));
      Arguments sizes = list(c, parameters, CudaAdafactor::blocks);
      launcher.rows("adafactor_sizes", blocks, found(c, sizes, found));
      DType copies =
          parameters.stream()
              .map(ParameterUpdate::copy)
              .filter(copy -> copy != null)
              .map(Operand::dtype)
              .findFirst()
              .orElse(DType.F32);
      Arguments change = list(c, parameters, CudaAdafactor::blocks).integer(dtype(copies));
      launcher.rows("adafactor_step", blocks, found(c, change, found));
    }
  }

  private Buffer floats(long count) {
    return memory.allocate(Float.BYTES * (count + 1));
  }

  /** The list of the parameters, where each begins at the blocks of those before it. */
  private Arguments list(
      AdafactorStep c, List<ParameterUpdate> parameters, ToLongFunction<ParameterUpdate> blocks) {
    Arguments arguments = launcher.arguments().begin();
    long first = 0;
    long matrix = 0;
    long sums = 0;
    for (ParameterUpdate p : parameters) {
      AdafactorStep.Matrices of = AdafactorStep.Matrices.of(p.parameter());
      arguments
          .operand(p.parameter())
          .operand(p.gradient())
          .operand(p.states().getFirst())
          .operand(isMatrix(p) ? p.states().get(1) : null)
          .operand(c.rule().beta1() > 0 ? p.states().getLast() : null)
          .operand(p.copy())
          .numbers(of.batches(), of.rows(), of.columns(), first, matrix, sums);
      for (double number : c.rule().numbers(p.rate(), p.decay(), c.step())) {
        arguments.real((float) number);
      }
      first += blocks.applyAsLong(p);
      matrix += matrices(p);
      sums += columnSums(p);
    }
    for (int i = parameters.size() * PARAMETER_WORDS; i < PARAMETERS * PARAMETER_WORDS; i++) {
      arguments.number(0);
    }
    return arguments.end().integer(parameters.size());
  }

  /** Adds how gradients are clipped, and where launches leave what they find. */
  private static Arguments found(AdafactorStep c, Arguments arguments, Buffer... found) {
    arguments.begin().real(c.scale()).real(c.maxNorm()).operand(c.norm()).end().begin();
    for (Buffer buffer : found) {
      arguments.address(CudaMemory.address(buffer));
    }
    return arguments.end();
  }
}
