package dev.gatun.nn;

import dev.gatun.kernels.api.call.elementwise.Activation;
import dev.gatun.kernels.api.memory.DType;
import dev.gatun.kernels.api.memory.Storage;
import dev.gatun.ops.Loss;
import dev.gatun.ops.LossBackward;
import dev.gatun.ops.Matmul;
import dev.gatun.ops.Packing;
import dev.gatun.tensor.Tensor;
import java.util.List;

/**
 * A layer whose weight training changes: F32 numbers, to which gradients go, and what products read
 * of them beside these.
 */
public final class TrainableLinear implements Linear {
  private final Tensor weight;
  private final Tensor bias;
  private final Activation activation;
  private final DType between;
  private final boolean isNarrow;
  private final PackedCopy packed;
  private final Dropout ofInput;
  private final Dropout ofOutput;

  /**
   * A layer of parameters, which stay their owner's.
   *
   * @param weight F32 [out_features, in_features], strided at will: all of the parameters' numbers
   * @param parameters the weight's: one, or those of layers with the same input, one after another
   * @param bias F32 [out_features], of parameters too; or null
   * @param activation what becomes of its results
   * @param storage what products read: F32, BF16 or F16
   * @param between see {@link #between}
   */
  public TrainableLinear(
      Tensor weight,
      List<Parameter> parameters,
      Tensor bias,
      Activation activation,
      Storage storage,
      DType between) {
    this.weight = weight;
    this.bias = bias;
    this.activation = activation;
    this.between = between;
    this.isNarrow = Storage.of(DType.BF16).equals(storage);
    Tensor room =
        Packing.allocate(weight.device(), storage, weight.size(0), weight.size(1)).detach();
    this.packed =
        new PackedCopy(room, parameters, place -> Packing.pack(weight, storage, place, 0));
    this.ofInput = Dropout.NONE;
    this.ofOutput = Dropout.NONE;
  }

  private TrainableLinear(TrainableLinear layer, Dropout ofInput, Dropout ofOutput) {
    this.weight = layer.weight;
    this.bias = layer.bias;
    this.activation = layer.activation;
    this.between = layer.between;
    this.isNarrow = layer.isNarrow;
    this.packed = layer.packed;
    this.ofInput = ofInput;
    this.ofOutput = ofOutput;
  }

  @Override
  public Linear withInputDropout(Dropout dropout) {
    return new TrainableLinear(this, dropout, ofOutput);
  }

  @Override
  public Linear withOutputDropout(Dropout dropout) {
    return new TrainableLinear(this, ofInput, dropout);
  }

  @Override
  public Tensor forward(Tensor x, DType dtype) {
    Tensor read = ofInput.forward(x);
    return ofOutput.forward(Matmul.linear(read, packed.get(), weight, bias, activation, dtype));
  }

  /**
   * The cross-entropies of its results, summed and divided by a count: the results are never there
   * for more than some tokens at a time ({@link Loss#linearCrossEntropy}).
   *
   * @param x F32 [tokens, in_features]
   * @param targets of the tokens
   * @param settings of the loss
   * @param count what to divide by, more than 0
   * @return F32 [1]
   * @throws IllegalStateException where the layer has an activation, or a dropout of its results
   */
  public Tensor crossEntropy(
      Tensor x, Loss.Targets targets, LossBackward.Settings settings, double count) {
    if (activation != Activation.NONE || ofOutput.probability() != 0) {
      throw new IllegalStateException(
          "cross_entropy: the layer has an activation %s or a dropout behind it, expected none"
              .formatted(activation));
    }
    Tensor read = ofInput.forward(x);
    return isNarrow
        ? Loss.linearCrossEntropy(
            read, packed.get(), weight, bias, targets, settings, count, Long.MAX_VALUE)
        : Loss.linearCrossEntropy(read, weight, bias, targets, settings, count);
  }

  @Override
  public DType between() {
    return between;
  }

  @Override
  public long outFeatures() {
    return weight.size(0);
  }

  /** Gives back what products read; the parameters stay. */
  @Override
  public void close() {
    packed.close();
  }
}
