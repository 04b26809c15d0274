package dev.gatun.bench;

import org.openjdk.jmh.annotations.Param;

/** A linear layer, {@code x [rows, inputs]} by a packed weight {@code [outputs, inputs]}. */
public class MatmulBenchmark extends KernelBenchmark {
  @Param({"f32", "bf16"})
  public String weights;

  @Param({Shapes.ONE, Shapes.FEW, Shapes.MANY})
  public String rows;

  @Param(Shapes.FEATURES)
  public String outputs;

  @Param(Shapes.FEATURES)
  public String inputs;

  @Override
  String caseName() {
    return "matmul/" + weights + "/" + Shapes.sizes(rows, outputs, inputs);
  }
}
