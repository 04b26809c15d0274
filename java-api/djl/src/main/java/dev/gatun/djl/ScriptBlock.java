package dev.gatun.djl;

import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDList;
import ai.djl.ndarray.types.Shape;
import ai.djl.nn.AbstractSymbolBlock;
import ai.djl.nn.ParameterList;
import ai.djl.training.ParameterStore;
import ai.djl.util.PairList;

/** A TorchScript module that hands its arguments on, as a block. It has no parameters. */
final class ScriptBlock extends AbstractSymbolBlock {
  private final Script script;

  ScriptBlock(Script script) {
    this.script = script;
    this.inputNames = script.inputs();
  }

  private void requireCount(int count) {
    if (count != script.inputs().size()) {
      throw new IllegalArgumentException(
          "forward: %d arrays, expected %s".formatted(count, String.join(", ", script.inputs())));
    }
  }

  @Override
  protected NDList forwardInternal(
      ParameterStore parameterStore,
      NDList inputs,
      boolean training,
      PairList<String, Object> params) {
    requireCount(inputs.size());
    return new NDList(script.outputs().stream().map(inputs::get).toArray(NDArray[]::new));
  }

  @Override
  public ParameterList getDirectParameters() {
    return new ParameterList();
  }

  @Override
  public boolean isInitialized() {
    return true;
  }

  /** Nothing: the code names no shapes. */
  @Override
  public PairList<String, Shape> describeInput() {
    return new PairList<>();
  }

  /** Nothing: the code names no shapes. */
  @Override
  public PairList<String, Shape> describeOutput() {
    return new PairList<>();
  }

  @Override
  public Shape[] getOutputShapes(Shape[] inputShapes) {
    requireCount(inputShapes.length);
    return script.outputs().stream().map(index -> inputShapes[index]).toArray(Shape[]::new);
  }
}
