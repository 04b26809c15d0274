package dev.gatun.tensor;

import dev.gatun.kernels.api.memory.Offsets;
import dev.gatun.kernels.api.memory.Operand;
import java.lang.foreign.MemorySegment;
import java.lang.ref.Reference;
import java.util.Arrays;

/**
 * Where the sequences of a ragged batch begin among its packed tokens: numbers in the device's
 * memory, with upper bounds that the host knows. They cross to the device once a batch.
 *
 * <p>Work that was captured reads what is in them when it is replayed: {@link #write} puts other
 * lengths there, within the bounds. Sequences that are not given have no tokens, and tokens behind
 * the last sequence belong to none.
 */
public final class Segments implements AutoCloseable {
  private final Tensor offsets;
  private final int tokens;
  private final int longest;

  private Segments(Tensor offsets, int tokens, int longest) {
    this.offsets = offsets;
    this.tokens = tokens;
    this.longest = longest;
  }

  /**
   * {@return sequences of these lengths, one after another}
   *
   * @param device where it is
   * @param lengths tokens of each sequence
   * @throws IllegalArgumentException for a negative length, and for more than 2^31 - 1 tokens
   */
  public static Segments of(Device device, int... lengths) {
    int[] values = Offsets.ofLengths(lengths);
    return new Segments(
        Tensor.of(device, values, values.length),
        values[lengths.length],
        Arrays.stream(lengths).max().orElse(0));
  }

  /**
   * {@return sequences whose begins are on the device already}
   *
   * @param offsets I32 [sequences + 1] without gaps: from 0, never falling
   * @param tokens what whoever made them promises not to exceed, the rows of tensors with all
   *     tokens
   * @param longest the most tokens of a sequence, likewise
   */
  public static Segments known(Tensor offsets, int tokens, int longest) {
    Segments segments = new Segments(offsets, tokens, longest);
    segments.offsets();
    return segments;
  }

  /** {@return the same with an owner of its memory of its own, as {@link Tensor#share}} */
  public Segments share() {
    return new Segments(offsets.share(), tokens, longest);
  }

  /**
   * Puts sequences of other lengths in place of those that are there, ahead of all that is asked of
   * the device later.
   *
   * @param lengths tokens of each sequence
   * @throws IllegalArgumentException when they exceed a bound
   */
  public void write(int... lengths) {
    int[] starts = requireRoom(lengths);
    int[] all = Arrays.copyOf(starts, sequences() + 1);
    Arrays.fill(all, starts.length, all.length, starts[lengths.length]);
    Operand operand = offsets.operand();
    offsets
        .device()
        .memory()
        .write(MemorySegment.ofArray(all), operand.buffer(), operand.byteOffset());
    Reference.reachabilityFence(offsets);
  }

  /**
   * Requires that {@link #write} would take sequences of these lengths.
   *
   * @param lengths tokens of each sequence
   * @return where they begin, and behind the last where it ends
   * @throws IllegalArgumentException when they exceed a bound
   */
  public int[] requireRoom(int... lengths) {
    int[] starts = Offsets.ofLengths(lengths);
    int longestGiven = Arrays.stream(lengths).max().orElse(0);
    if (lengths.length > sequences() || starts[lengths.length] > tokens || longestGiven > longest) {
      throw new IllegalArgumentException(
          "segments: %d sequences of up to %d tokens, %d in all, the room is for %d of up to %d, %d in all"
              .formatted(
                  lengths.length,
                  longestGiven,
                  starts[lengths.length],
                  sequences(),
                  longest,
                  tokens));
    }
    return starts;
  }

  /** {@return the number of sequences} */
  public int sequences() {
    return (int) offsets.size(0) - 1;
  }

  /** {@return the rows of tensors that hold all tokens} */
  public int tokens() {
    return tokens;
  }

  /** {@return the most tokens of a sequence} */
  public int longest() {
    return longest;
  }

  /** {@return the device that it is on} */
  public Device device() {
    return offsets.device();
  }

  /**
   * {@return where each sequence begins, and behind the last where it ends, I32 [sequences + 1]}
   */
  public Tensor values() {
    return offsets;
  }

  /** {@return what kernels take} */
  public Offsets offsets() {
    return new Offsets(offsets.operand(), tokens, longest);
  }

  @Override
  public void close() {
    offsets.close();
  }

  @Override
  public String toString() {
    return "%d sequences of up to %d tokens, %d in all".formatted(sequences(), longest, tokens);
  }
}
