package dev.gatun.weights;

/** What the weights of a new model are: those that no file has. */
public interface NewWeights {
  /** Whether a new model has a tensor of this name. */
  boolean has(String name);

  /** Whether a new model has tensors whose names begin so. */
  boolean hasAny(String prefix);

  /** Whether the names of a body's tensors begin with its own name, as beside a head. */
  boolean hasBody();

  /** The number at a place of a tensor, which is row-major. */
  interface Elements {
    /** The number at {@code place}, from 0. */
    float at(long place);
  }

  /** The numbers that a tensor begins with, a function of its name and shape. */
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
