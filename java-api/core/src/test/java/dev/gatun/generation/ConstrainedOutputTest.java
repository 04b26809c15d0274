package dev.gatun.generation;

import static org.junit.jupiter.api.Assertions.assertFalse;

import dev.gatun.generation.constraint.Masks;
import dev.gatun.generation.constraint.TokenAutomaton;
import dev.gatun.generation.constraint.TokenAutomaton.Position;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/** A request's constraint beside the model. */
@Timeout(60)
final class ConstrainedOutputTest {
  @Test
  void what_may_follow_is_found_on_another_thread() throws InterruptedException {
    Constraint constraint = Constraint.regex("(ab|c){1,3}d");
    TokenAutomaton automaton = new ConstraintCache(new Letters()).of(constraint);
    ConstrainedOutput output =
        new ConstrainedOutput(automaton, GenerationConfig.builder().maxNewTokens(5).build());
    TokenHistory history = new TokenHistory(new int[] {2});
    Position position = output.at(history);
    // Only this thread could find it now.
    synchronized (automaton) {
      output.prepare(history);
      assertFalse(Masks.isKnown(position));
    }
    while (!Masks.isKnown(position)) {
      Thread.sleep(1);
    }
  }
}
