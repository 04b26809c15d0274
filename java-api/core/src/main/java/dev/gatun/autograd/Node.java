package dev.gatun.autograd;

import dev.gatun.kernels.api.memory.DType;
import dev.gatun.kernels.api.memory.Operand;
import dev.gatun.tensor.Ids;
import dev.gatun.tensor.Scope;
import dev.gatun.tensor.Segments;
import dev.gatun.tensor.Tensor;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;

/**
 * An op on a {@link Tape}: {@link #save} what its backward needs, then {@link #record} it. The
 * backward asks for the {@link #gradient} of what the op gave and {@link #give}s those of its
 * inputs; it runs in a scope of its own, and nothing of it is recorded.
 */
public final class Node {
  private final Tape tape;
  private final String op;
  private final Operand[] inputs;
  private final Tracked[] sums;
  private final Tensor[] given;
  private final List<Tensor> saved = new ArrayList<>();
  private Operand[] outputs;
  private Tracked[] made;
  private Runnable backward;

  Node(Tape tape, String op, Tensor... inputs) {
    this.tape = tape;
    this.op = op;
    this.inputs = new Operand[inputs.length];
    this.sums = new Tracked[inputs.length];
    this.given = new Tensor[inputs.length];
    for (int i = 0; i < inputs.length; i++) {
      if (tape.tracks(inputs[i])) {
        Tape.requireApart(op, inputs[i]);
        this.inputs[i] = inputs[i].operand();
        this.sums[i] = tape.tracked(this.inputs[i].buffer());
      }
    }
  }

  /**
   * {@return whether the gradient of an input is wanted}
   *
   * @param input its index among the inputs that {@link Tape#node} was given, from 0
   */
  public boolean needs(int input) {
    return sums[input] != null;
  }

  /**
   * Keeps a tensor for the backward.
   *
   * @param tensor an input or a result of the op; or null
   * @return the same elements, there until the backward has run; null of null
   */
  public Tensor save(Tensor tensor) {
    if (tensor == null) {
      return null;
    }
    if (tape.take(tensor)) {
      return tensor;
    }
    Tensor kept = tensor.share();
    saved.add(kept);
    return kept;
  }

  /**
   * Keeps indices for the backward.
   *
   * @param ids of an op that this node records
   * @return the same indices, there until the backward has run
   */
  public Ids save(Ids ids) {
    if (tape.take(ids.values())) {
      return ids;
    }
    Ids kept = ids.share();
    saved.add(kept.values());
    return kept;
  }

  /**
   * Keeps the places where sequences begin for the backward.
   *
   * @param segments of an op that this node records; or null
   * @return the same places, there until the backward has run; null of null
   */
  public Segments save(Segments segments) {
    if (segments == null) {
      return null;
    }
    if (tape.take(segments.values())) {
      return segments;
    }
    Segments kept = segments.share();
    saved.add(kept.values());
    return kept;
  }

  /**
   * Puts the op on the tape, and tracks what it gave.
   *
   * @param backward gives the gradients of the inputs
   * @param results each in memory of its own; null for what was not asked for
   */
  public void record(Runnable backward, Tensor... results) {
    this.backward = backward;
    outputs = new Operand[results.length];
    made = new Tracked[results.length];
    for (int i = 0; i < results.length; i++) {
      if (results[i] != null) {
        outputs[i] = results[i].operand();
        made[i] = tape.produced(results[i]);
      }
    }
    tape.add(this);
  }

  /** {@return the gradient of the first result, F32 of its shape} */
  public Tensor gradient() {
    return gradient(0);
  }

  /**
   * {@return the gradient of a result, F32 of its shape; null where the loss does not depend on it}
   *
   * @param result its place among the results
   */
  public Tensor gradient(int result) {
    if (made[result] != null) {
      made[result].widen();
    }
    return narrowGradient(result);
  }

  /**
   * {@return the gradient of a result as it was given: F32, or of a BF16 result BF16; of its shape;
   * null where the loss does not depend on it}
   *
   * @param result its place among the results
   */
  public Tensor narrowGradient(int result) {
    return made[result] == null || made[result].gradient == null
        ? null
        : Tracked.part(made[result].gradient, outputs[result]);
  }

  /**
   * Gives the gradient of an input, which is added to what it has: in F32, but for the one gradient
   * of a BF16 result of another op, which stays BF16 where it is given so.
   *
   * @param input its place among the inputs; one that is not {@link #needs needed} is left alone
   * @param gradient F32 of the input's shape, of any strides, or of a BF16 input BF16 without gaps:
   *     the backward's own or a {@link #gradient}, and not written afterwards
   */
  public void give(int input, Tensor gradient) {
    if (sums[input] == null) {
      return;
    }
    boolean isNarrow =
        gradient.dtype() == DType.BF16
            && inputs[input].dtype() == DType.BF16
            && gradient.operand().isContiguous();
    if (gradient.dtype() != DType.F32 && !isNarrow
        || !Arrays.equals(gradient.operand().shape(), inputs[input].shape())) {
      throw new IllegalStateException(
          "%s: the gradient of input %d is %s, expected F32%s of %s"
              .formatted(
                  op,
                  input,
                  gradient,
                  inputs[input].dtype() == DType.BF16 ? ", or BF16 without gaps," : "",
                  inputs[input]));
    }
    given[input] = gradient;
  }

  /**
   * Places for a backward to write the gradients of inputs to in place of what it would {@link
   * #give}: zeros that lie as the inputs do, which are parts of one memory.
   *
   * @param dtype F32 or, as {@link #gradientType} has it, BF16
   * @param wanted places among the inputs
   * @return for each of them a place; null where one is not needed, where they lie in several
   *     memories or may share elements, and where a gradient was given already
   */
  public List<Tensor> places(DType dtype, int... wanted) {
    Tracked all = sums[wanted[0]];
    Operand[] parts = new Operand[wanted.length];
    for (int i = 0; i < wanted.length; i++) {
      if (all == null || sums[wanted[i]] != all) {
        return null;
      }
      parts[i] = inputs[wanted[i]];
    }
    if (all.gradient != null
        || dtype != gradientType(wanted[0]) && dtype != DType.F32
        || !Tracked.areApart(parts)) {
      return null;
    }
    all.clear(dtype);
    return Arrays.stream(parts).map(part -> Tracked.part(all.gradient, part)).toList();
  }

  /**
   * {@return what the gradient of an input is best given in: BF16 where it is that and no leaf,
   * whose gradients are F32; else F32}
   *
   * @param input its place among the inputs
   */
  public DType gradientType(int input) {
    boolean isNarrow =
        sums[input] != null && !sums[input].kept && inputs[input].dtype() == DType.BF16;
    return isNarrow ? DType.BF16 : DType.F32;
  }

  /**
   * The gradient of an input as far as it was given by others, for a backward to add to in place of
   * what it would {@link #give}.
   *
   * @param input its place among the inputs
   * @return F32 of the input's shape, laid out like it; null where there is none yet
   */
  public Tensor sum(int input) {
    if (sums[input] == null || sums[input].gradient == null) {
      return null;
    }
    sums[input].widen();
    return Tracked.part(sums[input].gradient, inputs[input]);
  }

  /** Runs the backward where the loss depends on a result. */
  void goBack() {
    boolean reached = false;
    for (Tracked result : made) {
      reached |= result != null && result.gradient != null;
    }
    if (!reached) {
      return;
    }
    try (Scope _ = Scope.open()) {
      backward.run();
      for (int i = 0; i < given.length; i++) {
        if (given[i] != null) {
          add(i);
        }
      }
    } finally {
      Arrays.fill(given, null);
    }
  }

  private void add(int input) {
    Tensor more = given[input];
    // Memory becomes a gradient, to be added to, when nothing else will read it.
    boolean adopt = true;
    for (int later = input + 1; later < given.length; later++) {
      adopt &= given[later] == null || !sameMemory(given[later], more);
    }
    for (Tracked result : made) {
      adopt &= result == null || !result.kept || !sameMemory(result.gradient, more);
    }
    sums[input].add(inputs[input], more, adopt);
  }

  private static boolean sameMemory(Tensor a, Tensor b) {
    return a != null && a.operand().buffer() == b.operand().buffer();
  }

  /** Gives back what it saved, and the gradients that it passed on. */
  void free() {
    saved.forEach(Tensor::close);
    saved.clear();
    for (Tracked result : made) {
      if (result != null && !result.kept) {
        result.free();
      }
    }
  }
}
