package dev.gatun.bench;

import org.openjdk.jmh.annotations.Param;

/** A look-up of each row of a table {@code [rows, columns]}, out of order. */
public class EmbeddingBenchmark extends KernelBenchmark {
  @Param({"f32", "bf16"})
  public String dtype;

  @Param(Shapes.ROWS)
  public String rows;

  @Param(Shapes.COLUMNS)
  public String columns;

  @Override
  String caseName() {
    return "embedding/" + dtype + "/" + Shapes.sizes(rows, columns);
  }
}
