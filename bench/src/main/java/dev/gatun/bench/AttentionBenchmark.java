package dev.gatun.bench;

import org.openjdk.jmh.annotations.Param;

/** Scaled dot-product attention over a padded batch. */
public class AttentionBenchmark extends KernelBenchmark {
  @Param({"f32", "bf16"})
  public String dtype;

  @Param({"causal", "full"})
  public String mask;

  @Param("1")
  public String batch;

  @Param(Shapes.HEADS)
  public String heads;

  @Param(Shapes.LENGTH)
  public String queries;

  @Param(Shapes.LENGTH)
  public String keys;

  @Param(Shapes.HEAD_SIZE)
  public String size;

  @Override
  String caseName() {
    return "attention/"
        + dtype
        + "/"
        + mask
        + "/"
        + Shapes.sizes(batch, heads, queries, keys, size);
  }
}
