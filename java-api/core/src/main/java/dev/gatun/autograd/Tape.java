package dev.gatun.autograd;

import dev.gatun.kernels.api.memory.Buffer;
import dev.gatun.kernels.api.memory.Operand;
import dev.gatun.tensor.Scope;
import dev.gatun.tensor.Tensor;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collections;
import java.util.IdentityHashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Set;
import java.util.function.Supplier;

/**
 * Records the ops of its thread that gradients pass, each a node with its own backward, and goes
 * through them in the reverse order (reverse-mode differentiation; Griewank and Walther,
 * "Evaluating Derivatives", 2008, chapter 3):
 *
 * <pre>try (Tape tape = Tape.record(weight, bias)) {
 *   Tensor loss = ...;
 *   try (Gradients gradients = tape.backward(loss)) {
 *     Tensor dWeight = gradients.of(weight);
 *   }
 * }</pre>
 *
 * <p>What is tracked is memory, not views: a {@code reshape}, {@code slice} or {@code strided} of a
 * tracked tensor has the gradient that is the same view of its owner's gradient. An op is recorded
 * if an input is tracked, and then its results are. Gradients of leaves are F32, whatever the dtype
 * of the tensor, and those on the way too, but where a BF16 result is read by one op, which may
 * give its gradient in BF16. They are added up in one order: bits are the same for any number of
 * threads.
 *
 * <p>What a backward needs of the pass before is kept by a second owner of its memory, so that
 * scopes may close theirs, until that backward has run. Tracked memory is never written in place.
 */
public final class Tape implements AutoCloseable {
  private static final ThreadLocal<Tape> CURRENT = new ThreadLocal<>();
  // Stands on a thread where a backward runs, whose own ops are not recorded.
  private static final ThreadLocal<Boolean> GOING_BACK = new ThreadLocal<>();
  // Tapes of all threads that record: ops look here first.
  private static volatile int open;

  private final Thread thread = Thread.currentThread();
  // The tape around a checkpoint, whose tracked memory is this one's too; or null.
  private final Tape outer;
  // What a checkpoint's first pass takes of the outer tape's, and keeps alive; null in others.
  private final List<Tensor> taken;
  private final Set<Buffer> held = Collections.newSetFromMap(new IdentityHashMap<>());
  private final Map<Buffer, Tracked> tracked = new IdentityHashMap<>();
  private final List<Tensor> leaves = new ArrayList<>();
  private final List<Node> nodes = new ArrayList<>();
  private boolean done;
  // Of random ops: the seed of all, and how many have had one of it.
  private boolean seeded;
  private boolean checkpoints;
  private long seed;
  private long seeds;

  private Tape(Tape outer, boolean observing) {
    this.outer = outer;
    this.taken = observing ? new ArrayList<>() : null;
  }

  /**
   * Opens a tape on this thread.
   *
   * @param leaves what gradients are asked for: F32, BF16 or F16; views are of all of their memory
   * @return the tape, to be closed on this thread
   * @throws IllegalStateException when the thread has a tape already, or a backward runs on it
   * @throws IllegalArgumentException for a leaf of whole numbers
   * @throws UnsupportedOperationException for one whose elements overlap
   */
  public static Tape record(Tensor... leaves) {
    return record(Arrays.asList(leaves));
  }

  /**
   * Opens a tape on this thread, as {@link #record(Tensor...)}, for any number of leaves.
   *
   * @param leaves what gradients are asked for: F32, BF16 or F16; views are of all of their memory
   * @return the tape, to be closed on this thread
   * @throws IllegalStateException when the thread has a tape already, or a backward runs on it
   * @throws IllegalArgumentException for a leaf of whole numbers
   * @throws UnsupportedOperationException for one whose elements overlap
   */
  public static Tape record(Iterable<Tensor> leaves) {
    if (GOING_BACK.get() != null) {
      throw new IllegalStateException(
          "tape: a backward runs on this thread; gradients of gradients are not computed");
    }
    if (CURRENT.get() != null) {
      throw new IllegalStateException(
          "tape: this thread records on another one already, expected one at a time; close it");
    }
    Tape tape = new Tape(null, false);
    for (Tensor leaf : leaves) {
      tape.track(leaf);
    }
    tape.start();
    return tape;
  }

  /** {@return the tape that this thread records on; null where none does} */
  public static Tape recording() {
    return open == 0 ? null : CURRENT.get();
  }

  /**
   * Refuses a tracked input of an op that has no gradient.
   *
   * @param op what refuses it
   * @param input what may be tracked; or null
   * @throws UnsupportedOperationException naming the op, when this thread's tape tracks the input
   */
  public static void refuse(String op, Tensor input) {
    Tape tape = recording();
    if (tape != null && tape.tracks(input)) {
      throw new UnsupportedOperationException(
          "%s: %s is tracked, and the op has no gradient; give it what is not, such as a copy that a paused tape made"
              .formatted(op, input));
    }
  }

  /**
   * Refuses to write tracked memory.
   *
   * @param op what would write it
   * @param target what would be written
   * @param source what would be written there, whose gradient would be lost; or null
   * @throws UnsupportedOperationException naming the op, when this thread's tape tracks one of them
   */
  public static void refuseInPlace(String op, Tensor target, Tensor source) {
    Tape tape = recording();
    if (tape != null && (tape.tracks(target) || tape.tracks(source))) {
      throw new UnsupportedOperationException(
          "%s: writes %s in place, and %s is tracked; take an op that gives a new tensor"
              .formatted(op, target, tape.tracks(target) ? "it" : source.toString()));
    }
  }

  /**
   * Gives random ops a seed, without which dropout is nothing.
   *
   * @param of all random numbers of the tape, which are a function of it and of how many ops have
   *     drawn some before
   * @return this
   */
  public Tape withSeed(long of) {
    requireMine();
    seeded = true;
    seed = of;
    return this;
  }

  /**
   * Has models compute their layers again in the backward, each a {@link Checkpoint}.
   *
   * @param to whether they do
   * @return this
   */
  public Tape withCheckpoints(boolean to) {
    requireMine();
    checkpoints = to;
    return this;
  }

  /** {@return whether layers of models are checkpoints} Not within one, for it is one already. */
  public boolean hasCheckpoints() {
    return checkpoints;
  }

  /** {@return whether random ops draw} */
  public boolean hasSeed() {
    return seeded;
  }

  /**
   * {@return the seed of the next random op} A checkpoint's second pass gets those of its first.
   * They are far from each other for neighbours in number or in the tape's seed (Steele et al.,
   * "Fast Splittable Pseudorandom Number Generators", OOPSLA 2014).
   */
  public long nextSeed() {
    return mixed(mixed(seed) + ++seeds * 0x9E3779B97F4A7C15L);
  }

  /** {@return how many random ops have had a seed} */
  public long seeds() {
    return seeds;
  }

  private static long mixed(long bits) {
    long z = (bits ^ bits >>> 30) * 0xBF58476D1CE4E5B9L;
    z = (z ^ z >>> 27) * 0x94D049BB133111EBL;
    return z ^ z >>> 31;
  }

  private void seedAs(Tape other, long from) {
    seeded = other.seeded;
    seed = other.seed;
    seeds = from;
  }

  /** What is not recorded, until it is closed. */
  public interface Pause extends AutoCloseable {
    @Override
    void close();
  }

  /**
   * Stops recording on this thread, for work whose results are constants: {@code try (var _ =
   * Tape.pause()) { ... }}.
   *
   * @return what ends the pause, on the same thread
   */
  public static Pause pause() {
    Tape tape = recording();
    if (tape == null) {
      return () -> {};
    }
    tape.stop();
    return () -> {
      if (!tape.done && CURRENT.get() == null) {
        tape.start();
      }
    };
  }

  /**
   * Asks for the gradient of one more tensor: a leaf, or what an op gave.
   *
   * @param leaf F32, BF16 or F16
   * @return the tensor
   */
  public Tensor track(Tensor leaf) {
    requireMine();
    Operand operand = leaf.operand();
    if (!Tracked.isFloat(operand.dtype())) {
      throw new IllegalArgumentException(
          "tape: %s cannot be tracked, expected F32, BF16 or F16".formatted(leaf));
    }
    requireApart("tape", leaf);
    Tracked known = tracked.get(operand.buffer());
    if (known == null) {
      tracked.put(operand.buffer(), known = new Tracked(leaf));
    }
    if (!known.kept) {
      known.kept = true;
      leaves.add(leaf);
    }
    return leaf;
  }

  /**
   * {@return whether the gradient of a tensor's memory is computed; not of null}
   *
   * @param tensor any one; or null
   */
  public boolean tracks(Tensor tensor) {
    return tensor != null && tracked(tensor.operand().buffer()) != null;
  }

  /**
   * Begins to record an op.
   *
   * @param op its name, for messages
   * @param inputs what gradients may pass to, in the order that the backward knows them by; null
   *     where there is none
   * @return the node; null where no input is tracked
   * @throws UnsupportedOperationException for a tracked view whose elements overlap
   */
  public Node node(String op, Tensor... inputs) {
    boolean any = false;
    for (Tensor input : inputs) {
      any |= tracks(input);
      // Also what no gradient needs: the second pass reads it again.
      if (input != null) {
        take(input);
      }
    }
    if (!any) {
      return null;
    }
    requireMine();
    return new Node(this, op, inputs);
  }

  /**
   * The gradients of a loss. The tape ends with it: what it saved is given back, and nothing more
   * is recorded.
   *
   * @param loss of one element
   * @return of each leaf, the caller's to close
   * @throws IllegalArgumentException when it depends on nothing that is tracked, or has more
   *     elements
   * @throws IllegalStateException after a first backward
   */
  public Gradients backward(Tensor loss) {
    Gradients gradients = new Gradients();
    boolean ended = false;
    try {
      backward(loss, gradients);
      ended = true;
      return gradients;
    } finally {
      if (!ended) {
        gradients.close();
      }
    }
  }

  /**
   * The same added to gradients that are there, as a step in several parts has it.
   *
   * @param loss of one element
   * @param into of the same leaves, or new
   * @return what was added to
   */
  public Gradients backward(Tensor loss, Gradients into) {
    if (loss.count() != 1) {
      throw new IllegalArgumentException(
          "backward: %s has %d elements, expected one, or a gradient of its shape"
              .formatted(loss, loss.count()));
    }
    try (Tensor one = Tensor.of(loss.device(), new float[] {1}, loss.shape())) {
      return backward(loss, one, into);
    }
  }

  /**
   * The gradients of {@code Σ output · gradient}.
   *
   * @param output of any shape
   * @param gradient F32 of the same shape
   * @param into of the same leaves, or new
   * @return what was added to
   */
  public Gradients backward(Tensor output, Tensor gradient, Gradients into) {
    return backward(List.of(output), List.of(gradient), into);
  }

  /**
   * The same of several outputs, whose gradients are added up.
   *
   * @param outputs of any shapes, each tracked
   * @param gradients F32, each of its output's shape
   * @param into of the same leaves, or new
   * @return what was added to
   * @throws IllegalArgumentException when an output depends on nothing that is tracked, or there
   *     are not as many gradients
   */
  public Gradients backward(List<Tensor> outputs, List<Tensor> gradients, Gradients into) {
    requireMine();
    if (done) {
      throw new IllegalStateException(
          "backward: the tape has run backward and gave back what it saved; record another one");
    }
    if (outputs.size() != gradients.size()) {
      throw new IllegalArgumentException(
          "backward: %d gradients of %d outputs, expected one each"
              .formatted(gradients.size(), outputs.size()));
    }
    for (Tensor output : outputs) {
      if (tracked.get(output.operand().buffer()) == null) {
        throw new IllegalArgumentException(
            "backward: %s depends on nothing that the tape tracks".formatted(output));
      }
    }
    end();
    GOING_BACK.set(true);
    try {
      for (Tensor leaf : leaves) {
        tracked.get(leaf.operand().buffer()).gradient = into.take(leaf);
      }
      for (int i = 0; i < outputs.size(); i++) {
        tracked(outputs.get(i).operand().buffer())
            .add(outputs.get(i).operand(), gradients.get(i), false);
      }
      goBack();
    } finally {
      GOING_BACK.remove();
      for (Tensor leaf : leaves) {
        into.put(leaf, tracked.get(leaf.operand().buffer()).release());
      }
      free();
    }
    return into;
  }

  /** Goes through all nodes, which end with it. */
  private void goBack() {
    while (!nodes.isEmpty()) {
      Node node = nodes.removeLast();
      try {
        node.goBack();
      } finally {
        node.free();
      }
    }
  }

  /** Ends the tape on its thread; a second call does nothing. */
  @Override
  public void close() {
    requireMine();
    end();
    free();
  }

  private void end() {
    if (!done && CURRENT.get() == this) {
      stop();
    }
    done = true;
  }

  private void start() {
    CURRENT.set(this);
    count(1);
  }

  private void stop() {
    CURRENT.remove();
    count(-1);
  }

  private static synchronized void count(int more) {
    open += more;
  }

  /** Gives back all that it holds. */
  private void free() {
    nodes.forEach(Node::free);
    nodes.clear();
    if (taken != null) {
      taken.forEach(Tensor::close);
      taken.clear();
    }
    tracked.values().forEach(Tracked::free);
    tracked.clear();
    leaves.clear();
  }

  private void requireMine() {
    if (Thread.currentThread() != thread) {
      throw new IllegalStateException(
          "tape: belongs to thread %s, is used by %s"
              .formatted(thread.getName(), Thread.currentThread().getName()));
    }
  }

  void add(Node node) {
    if (taken == null) {
      nodes.add(node);
    }
  }

  /**
   * Where a checkpoint's first pass runs, keeps what it takes from outside of it.
   *
   * @return whether it does, and nothing else is kept
   */
  boolean take(Tensor tensor) {
    if (taken == null) {
      return false;
    }
    Buffer buffer = tensor.operand().buffer();
    if (!tracked.containsKey(buffer) && held.add(buffer)) {
      taken.add(tensor.share());
    }
    return true;
  }

  /** Runs a checkpoint's work without keeping what is in between; see {@link Checkpoint}. */
  List<Tensor> checkpoint(Supplier<List<Tensor>> work) {
    Tape first = new Tape(this, true);
    long before = seeds;
    first.seedAs(this, before);
    stop();
    try {
      List<Tensor> made;
      try (Scope scope = Scope.open()) {
        first.start();
        made = work.get();
        made.forEach(scope::keep);
      } finally {
        first.end();
      }
      Tensor[] tracked =
          made.stream()
              .map(y -> first.tracked.containsKey(y.operand().buffer()) ? y : null)
              .toArray(Tensor[]::new);
      if (Arrays.stream(tracked).anyMatch(Objects::nonNull)) {
        // What nobody else holds now was made by the work.
        List<Tensor> outside =
            first.taken.stream()
                .filter(taken -> tracks(taken) || taken.operand().buffer().isShared())
                .toList();
        Node node = node("checkpoint", outside.toArray(Tensor[]::new));
        outside.forEach(node::save);
        node.record(() -> again(work, node, before), tracked);
      }
      return made;
    } finally {
      seeds = first.seeds;
      first.free();
      start();
    }
  }

  /** Runs a checkpoint's work again, and goes back through it. */
  private void again(Supplier<List<Tensor>> work, Node node, long before) {
    Tape second = new Tape(this, false);
    second.seedAs(this, before);
    GOING_BACK.remove();
    try (Scope _ = Scope.open()) {
      second.start();
      List<Tensor> made = work.get();
      second.end();
      GOING_BACK.set(true);
      for (int i = 0; i < made.size(); i++) {
        Operand y = made.get(i).operand();
        Tensor gradient = node.narrowGradient(i);
        if (gradient != null) {
          second.tracked(y.buffer()).add(y, gradient, false);
        }
      }
      second.goBack();
    } finally {
      GOING_BACK.set(true);
      second.end();
      second.free();
    }
  }

  /** What is known of tracked memory; null of other. */
  Tracked tracked(Buffer buffer) {
    Tracked mine = tracked.get(buffer);
    return mine != null || outer == null ? mine : outer.tracked(buffer);
  }

  /** Tracks what an op gave. */
  Tracked produced(Tensor output) {
    Tracked made = new Tracked(output);
    tracked.put(output.operand().buffer(), made);
    return made;
  }

  static void requireApart(String op, Tensor view) {
    if (!view.operand().isApart()) {
      throw new UnsupportedOperationException(
          "%s: %s is tracked and has strides %s, expected no two elements at one place"
              .formatted(op, view, Arrays.toString(view.operand().strides())));
    }
  }
}
