package dev.gatun.test.contract.frame;

import java.util.function.LongFunction;

/**
 * Random cases of one kind, made one by one of their numbers.
 *
 * @param name the kernel, and behind a dash what is special
 * @param weight how many there are for one of a kernel that is simple
 * @param one the case of a number, always the same
 */
public record Generator(String name, double weight, LongFunction<Case> one) {
  public static Generator of(String name, LongFunction<Case> one) {
    return new Generator(name, 1, one);
  }

  /** The same, so many times as often. */
  public Generator times(double factor) {
    return new Generator(name, weight * factor, one);
  }

  /** How many there are, where so many are made of a simple kernel. */
  public int count(int each) {
    return (int) Math.ceil(weight * each);
  }
}
