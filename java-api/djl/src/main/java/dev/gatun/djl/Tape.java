package dev.gatun.djl;

import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.types.Shape;
import dev.gatun.djl.host.ArrayKernels;
import dev.gatun.djl.host.BinaryOp;
import dev.gatun.djl.host.Refusal;
import dev.gatun.djl.host.Store;
import dev.gatun.djl.host.Store.Companion;
import dev.gatun.djl.host.Strided;
import dev.gatun.djl.host.Types;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.IdentityHashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.atomic.AtomicInteger;

/**
 * What a thread computes while its gradient collector is open, for gradients in reverse mode. An
 * operation that makes new memory is a step; what it made is known by that memory's companion, so
 * that views need no steps: an input names its places in the memory that it is a view of.
 */
final class Tape {
  private static final ThreadLocal<Tape> OF_THREAD = new ThreadLocal<>();
  private static final AtomicInteger OPEN = new AtomicInteger();

  /** What a step's rule reads when it runs; it is kept from being given back until then. */
  enum Keeps {
    /** The gradient alone. */
    NOTHING,
    /** The inputs. */
    INPUTS,
    /** The result. */
    RESULT;
  }

  /** Gives gradients to inputs that need them. */
  interface Rule {
    /** Runs with the gradient of the step's result; what it makes is closed behind it. */
    void run(Backward step);

    /** The tape is closed; gives back what the rule keeps itself. */
    default void end() {}
  }

  /** An array as it was when a step read it. */
  private record Kept(Strided data, int version) {
    static Kept of(Strided data) {
      data.store().retain();
      return new Kept(data, data.store().version());
    }
  }

  /**
   * What a step read.
   *
   * @param source a leaf, a step of the same tape, or null where no gradient is needed
   * @param places in the source's memory
   * @param kept null where the rule does not read it
   */
  private record Input(Companion source, Strided places, Kept kept) {}

  /** A step: the companion of the memory that it made. */
  private final class Node implements Companion {
    private final String op;
    private final Strided made;
    private final Kept result;
    private final Rule rule;
    private final int place = nodes.size();
    private Input[] inputs;

    Node(String op, Strided made, Kept result, Rule rule, Input... inputs) {
      this.op = op;
      this.made = made;
      this.result = result;
      this.rule = rule;
      this.inputs = inputs;
    }

    Tape tape() {
      return Tape.this;
    }

    void giveBack() {
      for (Input input : inputs) {
        if (input.kept != null) {
          input.kept.data.store().release();
        }
      }
      if (result != null) {
        result.data.store().release();
      }
      inputs = null;
      rule.end();
    }

    @Override
    public void end() {}
  }

  /** The gradient of all of a memory, row-major. */
  private static final class Sum {
    private Strided flat;
    private boolean owned;
  }

  private final List<Node> nodes = new ArrayList<>();
  private final List<Leaf> touched = new ArrayList<>();
  private boolean open = true;
  private boolean paused;

  /**
   * Begins to record this thread; gradients of the last tape that it had are dropped.
   *
   * @throws IllegalStateException when it is being recorded
   */
  static Tape begin() {
    Tape last = OF_THREAD.get();
    if (last != null) {
      if (last.open) {
        throw new IllegalStateException(
            "newGradientCollector: the thread's last gradient collector is not closed, expected"
                + " one at a time");
      }
      last.touched.forEach(leaf -> leaf.drop(last));
    }
    Tape tape = new Tape();
    OF_THREAD.set(tape);
    OPEN.incrementAndGet();
    return tape;
  }

  private static Tape recording() {
    if (OPEN.get() == 0) {
      return null;
    }
    Tape tape = OF_THREAD.get();
    return tape == null || !tape.open || tape.paused ? null : tape;
  }

  /** Runs what the thread's tape takes no notice of: steps of optimisers. */
  static void unrecorded(Runnable steps) {
    Tape tape = recording();
    if (tape == null) {
      steps.run();
      return;
    }
    tape.paused = true;
    try {
      steps.run();
    } finally {
      tape.paused = false;
    }
  }

  /** Whether it was closed. */
  boolean isClosed() {
    return !open;
  }

  /** Ends the recording; gradients stay. */
  void close() {
    if (open) {
      open = false;
      OPEN.decrementAndGet();
      nodes.forEach(Node::giveBack);
      nodes.clear();
    }
  }

  private Companion source(GatunNDArray array) {
    if (array == null || !array.isTracked()) {
      return null;
    }
    Companion companion = array.data().store().companion();
    boolean own = companion instanceof Leaf || companion instanceof Node n && n.tape() == this;
    return own && array.data().type().isFloating() ? companion : null;
  }

  /** Whether what is made of the array is recorded. */
  static boolean follows(GatunNDArray... arrays) {
    Tape tape = recording();
    return tape != null && Arrays.stream(arrays).anyMatch(a -> tape.source(a) != null);
  }

  /** Whether the array is a leaf or comes from one, by a tape that is open. */
  static boolean hasHistory(GatunNDArray array) {
    Companion companion = array.isTracked() ? array.data().store().companion() : null;
    return companion instanceof Leaf || companion instanceof Node n && n.tape().open;
  }

  /**
   * Refuses an operation without a gradient where one would be needed.
   *
   * @param op its name
   * @param arrays what it reads
   */
  static void refuse(String op, GatunNDArray... arrays) {
    if (follows(arrays)) {
      throw Refusal.wrong(
          "%s: the engine Gatun has no gradient of it, expected an array that needs none; see"
              + " stopGradient",
          op);
    }
  }

  /**
   * Records a step, if anything that it read needs a gradient.
   *
   * @param result what it made, in new memory
   * @param op its name
   * @param keeps what the rule reads
   * @param rule gives gradients
   * @param inputs what it read
   * @return the result
   */
  static GatunNDArray record(
      GatunNDArray result, String op, Keeps keeps, Rule rule, GatunNDArray... inputs) {
    Tape tape = recording();
    if (tape == null || !result.data().type().isFloating() || !follows(inputs)) {
      return result;
    }
    Input[] read = new Input[inputs.length];
    for (int i = 0; i < inputs.length; i++) {
      Strided data = inputs[i].data();
      read[i] =
          new Input(tape.source(inputs[i]), data, keeps == Keeps.INPUTS ? Kept.of(data) : null);
    }
    Strided made = result.data();
    Kept kept = keeps == Keeps.RESULT ? Kept.of(made) : null;
    tape.add(made.store(), tape.new Node(op, made, kept, rule, read));
    return result;
  }

  private void add(Store store, Node node) {
    nodes.add(node);
    store.accompany(node);
  }

  /**
   * Before an array is written over.
   *
   * @throws ai.djl.engine.EngineException when it is a leaf and recorded
   */
  static void writes(String op, GatunNDArray array) {
    Tape tape = recording();
    if (tape != null && tape.source(array) instanceof Leaf) {
      throw Refusal.wrong(
          "%s: an array that requires a gradient is written over while gradients are collected",
          op);
    }
    array.data().store().changed();
  }

  /**
   * Records that an array was written over with another one's elements, broadcast.
   *
   * @param places in the array's memory
   * @param value null for numbers that need no gradient
   */
  static void wrote(String op, GatunNDArray array, Strided places, GatunNDArray value) {
    Rule rule =
        step -> {
          GatunNDArray gradient = step.gradient();
          step.give(1, gradient.view(gradient.data().at(places)));
          if (step.needs(0) && !places.isWhole()) {
            GatunNDArray left = gradient.duplicate();
            ArrayKernels.host().fill(left.data().at(places), 0);
            step.give(0, left);
          }
        };
    overwrote(op, array, value, rule);
  }

  /**
   * The same with a rule of its own: input 0 is the array's memory before, input 1 the value, the
   * gradient that of all its memory as one axis.
   */
  static void overwrote(String op, GatunNDArray array, GatunNDArray value, Rule rule) {
    Tape tape = recording();
    if (tape == null || !follows(array, value)) {
      return;
    }
    Strided whole = array.data().whole();
    Input before = new Input(tape.source(array), whole, null);
    Input given = new Input(tape.source(value), value == null ? whole : value.data(), null);
    tape.add(whole.store(), tape.new Node(op, whole, null, rule, before, given));
  }

  /** A step as its rule sees it. */
  static final class Backward {
    private final Node node;
    private final Strided gradient;
    private final Map<Companion, Sum> sums;
    private final GatunNDManager scratch;

    private Backward(
        Node node, Strided gradient, Map<Companion, Sum> sums, GatunNDManager scratch) {
      this.node = node;
      this.gradient = gradient;
      this.sums = sums;
      this.scratch = scratch;
    }

    /** Closes what is made of its arrays. */
    GatunNDManager scratch() {
      return scratch;
    }

    /** The gradient of the result, of its shape. */
    GatunNDArray gradient() {
      return GatunNDArray.view(scratch, gradient);
    }

    /** What was read. */
    GatunNDArray input(int i) {
      return kept(node.inputs[i].kept);
    }

    /** The result. */
    GatunNDArray result() {
      return kept(node.result);
    }

    private GatunNDArray kept(Kept kept) {
      if (kept.data.store().version() != kept.version) {
        throw Refusal.wrong(
            "backward: an array that the gradient of %s needs was written over since", node.op);
      }
      return GatunNDArray.view(scratch, kept.data);
    }

    /** Whether an input's gradient is asked for. */
    boolean needs(int i) {
      return node.inputs[i].source != null;
    }

    /**
     * Adds to an input's gradient.
     *
     * @param i the input
     * @param given of the input's shape; or of one that it was repeated to, or is repeated from
     */
    void give(int i, NDArray given) {
      Input input = node.inputs[i];
      if (input.source == null) {
        return;
      }
      GatunNDArray whole = (GatunNDArray) given;
      long[] shape = input.places.shape();
      if (!Strided.repeatsTo(whole.data().shape(), shape)) {
        whole = summed(whole, shape);
      }
      Strided places = input.places.distinct();
      Strided g = whole.data().expanded("backward", shape);
      if (!Arrays.equals(places.shape(), shape)) {
        GatunNDArray full = GatunNDArray.view(scratch, g);
        g = summed(full, places.shape()).data();
      }
      Tape.add(sums.computeIfAbsent(input.source, s -> new Sum()), places, g);
    }
  }

  /** Sums over the axes along which a shape is repeated to become that of the array. */
  private static GatunNDArray summed(GatunNDArray array, long... shape) {
    long[] full = array.data().shape();
    int lacking = full.length - shape.length;
    int[] axes =
        java.util.stream.IntStream.range(0, full.length)
            .filter(axis -> axis < lacking || shape[axis - lacking] == 1 && full[axis] != 1)
            .toArray();
    return (GatunNDArray)
        (axes.length == 0 ? array : array.sum(axes, true)).reshape(new Shape(shape));
  }

  private static void add(Sum sum, Strided places, Strided g) {
    ArrayKernels kernels = ArrayKernels.host();
    boolean all = places.isWhole();
    if (sum.flat == null && all && g.isWhole() && g.type() == places.type()) {
      g.store().retain();
      sum.flat = g.whole();
      return;
    }
    if (sum.flat == null || !sum.owned) {
      Strided flat = Strided.allocate(places.type(), places.whole().shape());
      Strided old = sum.flat;
      sum.flat = flat;
      sum.owned = true;
      if (old != null && all) {
        try {
          kernels.binary(BinaryOp.ADD, places.type(), old.at(places), g, flat.at(places));
        } finally {
          old.store().release();
        }
        return;
      }
      if (old != null) {
        kernels.copy(old, flat);
        old.store().release();
      } else if (all) {
        kernels.copy(g, flat.at(places));
        return;
      } else {
        kernels.fill(flat, 0);
      }
    }
    Strided there = sum.flat.at(places);
    kernels.binary(BinaryOp.ADD, Types.promote(places.type(), g.type()), there, g, there);
  }

  /**
   * Adds to the gradients of all leaves that the target comes from, with a gradient of ones.
   *
   * @throws IllegalStateException when the tape is closed
   */
  void backward(GatunNDArray target) {
    if (!open) {
      throw new IllegalStateException("backward: the gradient collector is closed");
    }
    Companion source = source(target);
    if (source == null) {
      throw Refusal.wrong(
          "backward: the target comes from no array that requires a gradient, or was made before"
              + " the gradient collector");
    }
    Map<Companion, Sum> sums = new IdentityHashMap<>();
    paused = true;
    try {
      seed(target, source, sums);
      for (int i = source instanceof Node n ? n.place : -1; i >= 0; i--) {
        Node node = nodes.get(i);
        Sum sum = sums.remove(node);
        if (sum != null) {
          run(node, sum, sums);
        }
      }
      for (Map.Entry<Companion, Sum> entry : sums.entrySet()) {
        Leaf leaf = (Leaf) entry.getKey();
        leaf.add(this, entry.getValue().flat);
        touched.add(leaf);
      }
    } finally {
      paused = false;
      sums.values().stream()
          .filter(sum -> sum.flat != null)
          .forEach(sum -> sum.flat.store().release());
    }
  }

  private static void seed(GatunNDArray target, Companion source, Map<Companion, Sum> sums) {
    Strided places = target.data().distinct();
    Strided ones = Strided.allocate(places.type(), places.shape());
    try {
      ArrayKernels.host().fill(ones, (double) target.data().count() / places.count());
      add(sums.computeIfAbsent(source, s -> new Sum()), places, ones);
    } finally {
      ones.store().release();
    }
  }

  private static void run(Node node, Sum sum, Map<Companion, Sum> sums) {
    try (GatunNDManager scratch = GatunNDManager.system().newSubManager(null)) {
      node.rule.run(new Backward(node, sum.flat.at(node.made), sums, scratch));
    } finally {
      sum.flat.store().release();
    }
  }

  /** Sets the gradients that this tape made to 0. */
  void zeroGradients() {
    touched.forEach(Leaf::zero);
  }
}
