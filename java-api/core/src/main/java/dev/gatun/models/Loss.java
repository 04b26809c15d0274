package dev.gatun.models;

import dev.gatun.tensor.Tensor;
import java.util.List;
import java.util.function.Supplier;

/**
 * A loss whose parts the device has computed or is computing.
 *
 * @param parts what it is made of, closed with it
 * @param of reads the parts, and waits for them
 */
record Loss(List<Tensor> parts, Supplier<Float> of) implements AutoCloseable {
  /** A loss made of a tensor. */
  static Loss of(Tensor part, java.util.function.Function<Tensor, Float> of) {
    part.detach();
    return new Loss(List.of(part), () -> of.apply(part));
  }

  /** The sum of two. */
  Loss plus(Loss other) {
    return new Loss(
        java.util.stream.Stream.concat(parts.stream(), other.parts.stream()).toList(),
        () -> value() + other.value());
  }

  float value() {
    return of.get();
  }

  @Override
  public void close() {
    parts.forEach(Tensor::close);
  }
}
