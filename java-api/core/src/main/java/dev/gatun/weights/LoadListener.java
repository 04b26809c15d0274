package dev.gatun.weights;

/** Is told how far the loading of a model's weights is. */
@FunctionalInterface
public interface LoadListener {
  /**
   * More was begun to be read.
   *
   * @param bytes of tensors up to the one that is read now
   * @param of bytes of all tensors in the file
   */
  void loading(long bytes, long of);
}
