package dev.gatun.weights;

/** What the weights of a new model are: those that no file has. */
public interface NewWeights {
  /**
   * {@return whether a new model has a tensor of this name}
   *
   * @param name as in the model's files
   */
  boolean has(String name);

  /**
   * {@return whether a new model has tensors whose names begin so}
   *
   * @param prefix what their names begin with
   */
  boolean hasAny(String prefix);

  /** {@return whether the names of a body's tensors begin with its own name, as beside a head} */
  boolean hasBody();

  /** The number at a place of a tensor, which is row-major. */
  interface Elements {
    /**
     * {@return the number at a place of the tensor; asked by many threads}
     *
     * @param place in row-major order, from 0
     */
    float at(long place);
  }

  /**
   * {@return the numbers that a tensor begins with, a function of its name and shape}
   *
   * @param name of the tensor
   * @param shape its axes
   */
  Elements elements(String name, long... shape);

  /**
   * The row of a table that stands for padding: zeros at first, and what is looked up there has no
   * gradient.
   *
   * @param table its name
   * @return the row, or -1 where there is none
   */
  long paddingRow(String table);
}
