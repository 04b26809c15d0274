package dev.gatun.tensor;

import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Collections;
import java.util.Deque;
import java.util.IdentityHashMap;
import java.util.List;
import java.util.Set;

/**
 * Closes the tensors that its thread makes while it is the innermost open scope:
 *
 * <pre>try (Scope scope = Scope.open()) {
 *   Tensor y = Norm.softmax(Elementwise.add(a, b));
 *   return scope.keep(y);
 * }</pre>
 */
public final class Scope implements AutoCloseable {
  private static final ThreadLocal<Deque<Scope>> OPEN = ThreadLocal.withInitial(ArrayDeque::new);

  private final Set<Tensor> tensors = Collections.newSetFromMap(new IdentityHashMap<>());
  private final Thread thread = Thread.currentThread();
  private boolean closed;

  private Scope() {}

  /**
   * Opens a scope on this thread; close it in the reverse order of opening.
   *
   * @return the scope, to be closed in this thread
   */
  public static Scope open() {
    Scope scope = new Scope();
    OPEN.get().push(scope);
    return scope;
  }

  /** Hands a new tensor to the innermost scope, if one is open. */
  static void adopt(Tensor tensor) {
    Scope scope = OPEN.get().peek();
    if (scope != null) {
      scope.tensors.add(tensor);
    }
  }

  /**
   * Moves a tensor of this scope to the one around it, or to the caller when there is none; of a
   * view the one that owns its memory.
   *
   * @param tensor one that was made in this scope
   * @return the tensor
   * @throws IllegalStateException when the scope is closed, and its tensors with it
   */
  public Tensor keep(Tensor tensor) {
    if (closed) {
      throw new IllegalStateException("scope: is closed, %s cannot be kept".formatted(tensor));
    }
    Tensor owner = tensor == null ? null : tensor.owner();
    if (owner != null && tensors.remove(owner)) {
      Scope outer = null;
      boolean next = false;
      for (Scope scope : OPEN.get()) {
        if (next) {
          outer = scope;
          break;
        }
        next = scope == this;
      }
      if (outer != null) {
        outer.tensors.add(owner);
      }
    }
    return tensor;
  }

  /** Takes a tensor out of this thread's scopes. */
  static void release(Tensor tensor) {
    for (Scope scope : OPEN.get()) {
      scope.tensors.remove(tensor);
    }
  }

  @Override
  public void close() {
    if (closed) {
      return;
    }
    Deque<Scope> open = OPEN.get();
    if (Thread.currentThread() != thread || open.peek() != this) {
      throw new IllegalStateException(
          "scope: must be closed on its own thread, before the scopes around it");
    }
    closed = true;
    open.pop();
    List<Tensor> all = new ArrayList<>(tensors);
    tensors.clear();
    all.forEach(Tensor::close);
  }
}
