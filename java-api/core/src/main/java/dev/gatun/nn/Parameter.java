package dev.gatun.nn;

import dev.gatun.kernels.api.memory.DType;
import dev.gatun.tensor.Tensor;
import java.util.Locale;
import java.util.concurrent.atomic.AtomicLong;
import java.util.regex.Pattern;

/**
 * A learned weight under the name that Hugging Face's files have for it.
 *
 * <p>Its numbers are F32 and row-major without gaps, in a place of their own or in a part of a
 * weight that layers with the same input share, so that one product reads all of them. A weight
 * that is used in several places, as a table that an output layer is tied to, is one parameter.
 * Layers keep what products read of it beside it and make that again after it {@link #changed}.
 */
public final class Parameter {
  /** As transformers' trainer finds what is not decayed, beside the weights of norms. */
  private static final Pattern NOT_DECAYED =
      Pattern.compile("bias|layernorm|rmsnorm|(?:^|\\.)norm(?:$|\\.)|_norm(?:$|\\.)");

  private final String name;
  private final Tensor tensor;
  private final AtomicLong version = new AtomicLong();
  private volatile boolean trainable = true;

  /**
   * A parameter of a tensor that is there.
   *
   * @param name as the file has it
   * @param tensor F32 without gaps, of the shape that the file has; owned by another
   * @throws IllegalArgumentException for a tensor of another dtype, or with gaps
   */
  public Parameter(String name, Tensor tensor) {
    if (tensor.dtype() != DType.F32 || !tensor.operand().isContiguous()) {
      throw new IllegalArgumentException(
          "parameter '%s': %s, expected F32 without gaps".formatted(name, tensor));
    }
    this.name = name;
    this.tensor = tensor;
  }

  /** {@return the name that Hugging Face's files have for it} */
  public String name() {
    return name;
  }

  /**
   * {@return its numbers, of the shape that the file has} Whoever writes over them says so by
   * {@link #changed}.
   */
  public Tensor tensor() {
    return tensor;
  }

  /** {@return the length of each axis} */
  public long[] shape() {
    return tensor.shape();
  }

  /** {@return the number of elements} */
  public long count() {
    return tensor.count();
  }

  /** {@return whether training changes it} All are trainable until somebody freezes them. */
  public boolean isTrainable() {
    return trainable;
  }

  /**
   * Lets training change it, or not.
   *
   * @param to whether it does
   */
  public void setTrainable(boolean to) {
    trainable = to;
  }

  /**
   * {@return whether weight decay is for it: not for biases and the weights of norms} What
   * transformers' trainer takes for these: all of one axis, and by its names.
   */
  public boolean isDecayed() {
    return tensor.rank() > 1 && !NOT_DECAYED.matcher(name.toLowerCase(Locale.ROOT)).find();
  }

  /** {@return how often its numbers were written over} */
  public long version() {
    return version.get();
  }

  /** Tells the layers that read it that its numbers are others now. */
  public void changed() {
    version.incrementAndGet();
  }

  /**
   * Writes numbers over its own.
   *
   * @param elements row-major, as many as it has
   * @throws IllegalArgumentException for more or fewer
   */
  public void write(float... elements) {
    if (elements.length != count()) {
      throw new IllegalArgumentException(
          "parameter '%s': %d numbers do not fill %s".formatted(name, elements.length, tensor));
    }
    tensor.write(elements);
    changed();
  }

  @Override
  public String toString() {
    return "%s %s%s".formatted(name, tensor, trainable ? "" : " (frozen)");
  }
}
