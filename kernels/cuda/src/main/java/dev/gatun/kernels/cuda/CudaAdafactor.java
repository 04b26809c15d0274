package dev.gatun.kernels.cuda;

import static dev.gatun.kernels.cuda.CudaKernels.dtype;

import dev.gatun.kernels.api.call.optim.AdafactorStep;
import dev.gatun.kernels.api.call.optim.ParameterUpdate;
import dev.gatun.kernels.api.memory.Buffer;
import dev.gatun.kernels.api.memory.DType;
import dev.gatun.kernels.api.memory.Operand;
import dev.gatun.kernels.cuda.Declarations.Clipping;
import dev.gatun.kernels.cuda.Declarations.MatrixList;
import dev.gatun.kernels.cuda.Declarations.MatrixParameter;
import java.util.List;
import java.util.function.ToLongFunction;

/** Steps of Adafactor: four launches for as many parameters as their arguments have room for. */
final class CudaAdafactor {
  private static final int PARAMETERS = MatrixList.STRUCT.items();

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
        ? of.batches() * Math.ceilDiv(of.rows(), Declarations.ADAFACTOR_ROWS)
        : Math.ceilDiv(of.columns(), Declarations.ADAFACTOR_ELEMENTS);
  }

  private static long matrices(ParameterUpdate p) {
    return p.parameter().count() == 0 ? 0 : AdafactorStep.Matrices.of(p.parameter()).batches();
  }

  private static long columnSums(ParameterUpdate p) {
    return isMatrix(p) ? blocks(p) * AdafactorStep.Matrices.of(p.parameter()).columns() : 0;
  }

  private long columnBlocks(ParameterUpdate p) {
    AdafactorStep.Matrices of = AdafactorStep.Matrices.of(p.parameter());
    return isMatrix(p)
        ? matrices(p) * Math.ceilDiv(of.columns(), launcher.threads("adafactor_columns"))
        : 0;
  }

  private static long sum(List<ParameterUpdate> parameters, ToLongFunction<ParameterUpdate> of) {
    return parameters.stream().mapToLong(of).sum();
  }

  private void step(AdafactorStep c, List<ParameterUpdate> parameters) {
    long blocks = sum(parameters, CudaAdafactor::blocks);
    try (Buffer sums = floats(sum(parameters, CudaAdafactor::columnSums));
        Buffer means = floats(sum(parameters, CudaAdafactor::matrices));
        Buffer squares = floats(2 * blocks)) {
      Found found = new Found(sums, means, squares);
      Arguments rows = list(c, parameters, CudaAdafactor::blocks);
      launcher.rows("adafactor_rows", blocks, found(c, rows, found));
      Arguments columns = list(c, parameters, this::columnBlocks);
      long columnBlocks = sum(parameters, this::columnBlocks);
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

  /** What the launches leave each other. */
  private record Found(Buffer columnSums, Buffer means, Buffer squares) {}

  private Buffer floats(long count) {
    return memory.allocate(Float.BYTES * (count + 1));
  }

  /** The list of the parameters, where each begins at the blocks of those before it. */
  private Arguments list(
      AdafactorStep c, List<ParameterUpdate> parameters, ToLongFunction<ParameterUpdate> blocks) {
    Arguments arguments = launcher.arguments().begin(MatrixList.STRUCT);
    long first = 0;
    long matrix = 0;
    long sums = 0;
    for (ParameterUpdate p : parameters) {
      AdafactorStep.Matrices of = AdafactorStep.Matrices.of(p.parameter());
      Operand mean = c.rule().beta1() > 0 ? p.states().getLast() : null;
      arguments
          .item()
          .set(MatrixParameter.PARAMETER, p.parameter())
          .set(MatrixParameter.GRADIENT, p.gradient())
          .set(MatrixParameter.ROW_SQUARES, p.states().getFirst())
          .set(MatrixParameter.COLUMN_SQUARES, isMatrix(p) ? p.states().get(1) : null)
          .set(MatrixParameter.MEAN, mean)
          .set(MatrixParameter.COPY, p.copy())
          .set(MatrixParameter.BATCHES, of.batches())
          .set(MatrixParameter.ROWS, of.rows())
          .set(MatrixParameter.COLUMNS, of.columns())
          .set(MatrixParameter.FIRST, first)
          .set(MatrixParameter.MATRIX, matrix)
          .set(MatrixParameter.COLUMN_SUMS, sums);
      double[] numbers = c.rule().numbers(p.rate(), p.decay(), c.step());
      for (int i = 0; i < numbers.length; i++) {
        arguments.set(MatrixParameter.NUMBERS, i, (float) numbers[i]);
      }
      first += blocks.applyAsLong(p);
      matrix += matrices(p);
      sums += columnSums(p);
    }
    return arguments.end().integer(parameters.size());
  }

  /** Adds how gradients are clipped, and where launches leave what they find. */
  private static Arguments found(AdafactorStep c, Arguments arguments, Found found) {
    return arguments
        .begin(Clipping.STRUCT)
        .set(Clipping.SCALE, c.scale())
        .set(Clipping.MAX_NORM, c.maxNorm())
        .set(Clipping.NORM, c.norm())
        .end()
        .begin(Declarations.Found.STRUCT)
        .set(Declarations.Found.COLUMN_SUMS, CudaMemory.address(found.columnSums()))
        .set(Declarations.Found.MEANS, CudaMemory.address(found.means()))
        .set(Declarations.Found.SQUARES, CudaMemory.address(found.squares()))
        .end();
  }
}
