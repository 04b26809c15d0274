package dev.gatun.bench;

import org.openjdk.jmh.annotations.Param;

/** A linear layer with a quantised weight {@code [outputs, inputs]}. */
public class QuantizedMatmulBenchmark extends KernelBenchmark {
  @Param({"w8a8", "w4a16", "w4a16-zeros", "w4a8"})
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
