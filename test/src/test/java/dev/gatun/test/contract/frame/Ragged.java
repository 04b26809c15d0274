package dev.gatun.test.contract.frame;

import dev.gatun.kernels.api.memory.Offsets;
import dev.gatun.kernels.api.memory.Operand;
import java.util.Arrays;
import java.util.Random;
import java.util.function.Function;

/**
 * The sequences of a case, whose offsets are an operand like others.
 *
 * @param name of the operand
 * @param lengths of the sequences
 * @param spare rows of no sequence behind the last, as where a batch has room for more
 * @param slack how much longer than the longest sequence a sequence might be
 */
public record Ragged(String name, int[] lengths, int spare, int slack) {
  public static Ragged of(String name, int... lengths) {
    return new Ragged(name, lengths, 0, 0);
  }

  /** Now and then with room for more. */
  public static Ragged random(Random random, String name, int... lengths) {
    boolean room = random.nextInt(4) == 0;
    int spare = room ? random.nextInt(9) : 0;
    return new Ragged(name, lengths, spare, room ? random.nextInt(spare + 1) : 0);
  }

  public Data data() {
    return Data.ints(name, Offsets.ofLengths(lengths));
  }

  public int sequences() {
    return lengths.length;
  }

  /** Rows of operands that hold all tokens. */
  public int tokens() {
    return Arrays.stream(lengths).sum() + spare;
  }

  public int longest() {
    return Arrays.stream(lengths).max().orElse(0) + slack;
  }

  public Offsets offsets(Function<String, Operand> of) {
    return new Offsets(of.apply(name), tokens(), longest());
  }
}
