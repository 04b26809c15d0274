package dev.gatun.test.contract.cases;

import dev.gatun.test.contract.frame.Case;
import dev.gatun.test.contract.frame.Generator;

/**
 * A case that is not made yet.
 *
 * @param family the generator's
 * @param number of the case among the generator's
 */
public record Draw(Family family, Generator generator, long number) {
  /** The family, the generator and the number: the same whenever these cases are drawn. */
  public String id() {
    return "%s/%s/%d".formatted(family.id(), generator.name(), number);
  }

  /** Whether its operands begin where vectors of 16 bytes may. */
  public boolean isAligned() {
    return family.isAligned(number);
  }

  public Case make() {
    Case c = generator.one().apply(number);
    return new Case(id() + " " + c.description(), c.data(), c.call(), c.exact(), c.oracle());
  }
}
