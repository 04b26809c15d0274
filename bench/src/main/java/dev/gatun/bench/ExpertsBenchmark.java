package dev.gatun.bench;

import org.openjdk.jmh.annotations.Param;

/** A layer of experts, two for each token, with gated SiLU. */
public class ExpertsBenchmark extends KernelBenchmark {
  @Param({"f32", "bf16"})
  public String dtype;

  @Param({Shapes.ONE, Shapes.FEW, Shapes.MANY})
  public String tokens;

  /** Experts, features of the layer, and inner features. */
  @Param(Shapes.EXPERTS)
  public String layer;

  @Override
  String caseName() {
    return "experts/" + dtype + "/" + Shapes.sizes(tokens, layer);
  }
}
