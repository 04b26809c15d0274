package dev.gatun.bench;

import org.openjdk.jmh.annotations.Param;

/** Norms of rows, alone or with the sum of a residual. */
public class NormBenchmark extends KernelBenchmark {
  @Param({"layer_norm", "rms_norm"})
  public String kernel;

  @Param({"plain", "residual"})
  public String input;

  @Param({"f32", "bf16"})
  public String dtype;

  @Param(Shapes.ROWS)
  public String rows;

  @Param(Shapes.COLUMNS)
  public String columns;

  @Override
  String caseName() {
    return kernel + "/" + dtype + "/" + input + "/" + Shapes.sizes(rows, columns);
  }
}
