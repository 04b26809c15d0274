package dev.gatun.bench;

import org.openjdk.jmh.annotations.Param;

/** Rotary embedding of x {@code [tokens, heads, size]}. */
public class RotaryBenchmark extends KernelBenchmark {
  @Param(Shapes.ROWS)
  public String tokens;

  @Param(Shapes.HEADS)
  public String heads;

  @Param(Shapes.HEAD_SIZE)
  public String size;

  @Override
  String caseName() {
    return "rotary/f32/" + Shapes.sizes(tokens, heads, size);
  }
}
