package dev.gatun.training.data;

/** What a collator makes of a data set. Safe for use by several threads. */
public interface Samples {
  /** {@return how many samples an epoch has} */
  int size();

  /**
   * {@return a sample}
   *
   * @param index from 0
   * @param draws its random numbers; the sample is a function of these and the index
   * @throws DatasetException when the record does not have what it should
   */
  Features get(int index, Draws draws);
}
