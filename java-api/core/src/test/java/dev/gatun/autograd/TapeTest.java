package dev.gatun.autograd;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNotNull;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.gatun.kernels.api.call.elementwise.Activation;
import dev.gatun.kernels.api.memory.DType;
import dev.gatun.kernels.api.memory.Storage;
import dev.gatun.ops.Elementwise;
import dev.gatun.ops.Layouts;
import dev.gatun.ops.Loss;
import dev.gatun.ops.Matmul;
import dev.gatun.ops.Norm;
import dev.gatun.ops.Packing;
import dev.gatun.ops.Reductions;
import dev.gatun.tensor.Device;
import dev.gatun.tensor.Scope;
import dev.gatun.tensor.Tensor;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import java.util.concurrent.Callable;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

final class TapeTest {
  private static final Device CPU = Device.cpu();

  private long before;
  private Scope scope;

  @BeforeEach
  void open() {
    before = CPU.memory().allocatedBytes();
    scope = Scope.open();
  }

  @AfterEach
  void close() {
    scope.close();
    assertNull(Tape.recording());
    assertEquals(before, CPU.memory().allocatedBytes(), "bytes held");
  }

  private static Tensor random(Random random, long... shape) {
    int count = 1;
    for (long length : shape) {
      count *= (int) length;
    }
    float[] x = new float[count];
    for (int i = 0; i < count; i++) {
      x[i] = random.nextFloat() - 0.5f;
    }
    return Tensor.of(CPU, x, shape);
  }

  private static Tensor numbers(float... x) {
    return Tensor.of(CPU, x, x.length);
  }

  /** Two layers with a norm between, as a text's classifier has them. */
  private record Network(Tensor first, Tensor firstBias, Tensor norm, Tensor second) {
    static Network of(long seed) {
      Random random = new Random(seed);
      return new Network(
          random(random, 40, 24), random(random, 40), random(random, 40), random(random, 7, 40));
    }

    List<Tensor> weights() {
      return List.of(first, firstBias, norm, second);
    }

    Tensor hidden(Tensor x) {
      try (Scope scope = Scope.open()) {
        Tensor y = linear(x, first, firstBias, Activation.GELU);
        return scope.keep(Norm.rmsNorm(y, y, norm, 0, 1e-5f));
      }
    }

    Tensor loss(Tensor x, boolean checkpoint) {
      try (Scope scope = Scope.open()) {
        Tensor targets = Tensor.of(CPU, new long[] {1, 6, -100, 2, 0}, 5);
        Tensor y = checkpoint ? Checkpoint.of(() -> hidden(x)) : hidden(x);
        Tensor logits = linear(y, second, null, Activation.NONE);
        return scope.keep(Loss.mean(Loss.crossEntropy(logits, targets, -100), 4));
      }
    }

    private static Tensor linear(Tensor x, Tensor weight, Tensor bias, Activation activation) {
      try (Tensor packed = packed(weight)) {
        return Matmul.linear(x, packed, weight, bias, activation, DType.F32);
      }
    }

    private static Tensor packed(Tensor weight) {
      try (var _ = Tape.pause()) {
        return Packing.pack(weight, Storage.F32);
      }
    }

    /** The gradients of the weights and x. */
    List<float[]> gradients(Tensor x, boolean checkpoint) {
      List<Tensor> leaves = new ArrayList<>(weights());
      leaves.add(x);
      try (Tape tape = Tape.record(leaves);
          Scope _ = Scope.open();
          Gradients gradients = tape.backward(loss(x, checkpoint))) {
        return leaves.stream()
            .map(leaf -> Layouts.contiguous(gradients.of(leaf)).toFloatArray())
            .toList();
      }
    }
  }

  private static void assertSame(List<float[]> expected, List<float[]> got) {
    for (int i = 0; i < expected.size(); i++) {
      assertArrayEquals(expected.get(i), got.get(i), "of leaf " + i);
    }
  }

  @Test
  void a_tensor_used_often_has_the_sum_of_its_gradients() {
    Tensor x = numbers(1, 2, 3);
    Tensor w = numbers(4, 5, 6);
    try (Tape tape = Tape.record(x, w)) {
      Tensor y = Elementwise.add(Elementwise.multiply(x, w), Elementwise.multiply(x, x));
      try (Gradients gradients = tape.backward(Reductions.sum(y))) {
        assertArrayEquals(new float[] {6, 9, 12}, gradients.of(x).toFloatArray());
        assertArrayEquals(new float[] {1, 2, 3}, gradients.of(w).toFloatArray());
      }
    }
  }

  @Test
  void views_have_the_same_view_of_one_gradient() {
    Tensor joined = random(new Random(1), 6, 2);
    Tensor first = joined.slice(0, 0, 2);
    Tensor last = joined.slice(0, 4, 6);
    try (Tape tape = Tape.record(first, last)) {
      Tensor product = Elementwise.multiply(first, last);
      try (Gradients gradients = tape.backward(Reductions.sum(product))) {
        assertArrayEquals(last.toFloatArray(), gradients.of(first).toFloatArray());
        assertArrayEquals(first.toFloatArray(), gradients.of(last).toFloatArray());
        float[] all = gradients.of(joined).toFloatArray();
        assertEquals(0, all[4]);
        assertEquals(1, gradients.all().size());
      }
    }
  }

  @Test
  void what_the_loss_does_not_depend_on_has_no_gradient() {
    Tensor x = numbers(1);
    Tensor other = numbers(2);
    Tensor stranger = numbers(3);
    try (Tape tape = Tape.record(x, other);
        Gradients gradients = tape.backward(Elementwise.multiply(x, stranger))) {
      assertNull(gradients.of(other));
      assertNotNull(gradients.of(x));
      assertEquals(
          "gradients: F32[1]@cpu is no leaf of the tape, expected one of 2",
          assertThrows(IllegalArgumentException.class, () -> gradients.of(stranger)).getMessage());
    }
  }

  @Test
  void only_what_a_tracked_input_needs_is_recorded() {
    Tensor frozen = numbers(1, 2);
    Tensor x = numbers(3, 4);
    try (Tape tape = Tape.record(x)) {
      long held = CPU.memory().allocatedBytes();
      Elementwise.multiply(frozen, frozen).close();
      assertEquals(held, CPU.memory().allocatedBytes(), "nothing is saved");
      assertFalse(tape.tracks(Elementwise.multiply(frozen, frozen)));
      assertTrue(tape.tracks(Elementwise.multiply(frozen, x)));
      assertFalse(tape.tracks(Elementwise.less(frozen, x)));
    }
  }

  @Test
  void an_intermediate_tensor_may_be_asked_for() {
    Tensor x = numbers(2, 3);
    try (Tape tape = Tape.record(x)) {
      Tensor y = tape.track(Elementwise.multiply(x, x));
      Tensor z = Elementwise.add(y, x);
      try (Gradients gradients = tape.backward(Reductions.sum(Elementwise.multiply(z, z)))) {
        assertArrayEquals(new float[] {12, 24}, gradients.of(y).toFloatArray());
        assertArrayEquals(new float[] {12 * 5, 24 * 7}, gradients.of(x).toFloatArray());
      }
    }
  }

  @Test
  void a_loss_is_one_number_or_has_a_gradient() {
    Tensor x = numbers(2, 3);
    try (Tape tape = Tape.record(x)) {
      Tensor y = Elementwise.multiply(x, x);
      assertEquals(
          "backward: F32[2]@cpu has 2 elements, expected one, or a gradient of its shape",
          assertThrows(IllegalArgumentException.class, () -> tape.backward(y)).getMessage());
      Tensor seed = numbers(1, 10);
      try (Gradients gradients = tape.backward(y, seed, new Gradients())) {
        assertArrayEquals(new float[] {4, 60}, gradients.of(x).toFloatArray());
      }
      assertArrayEquals(new float[] {1, 10}, seed.toFloatArray());
    }
  }

  @Test
  void outputs_with_gradients_of_their_own_add_up() {
    Tensor x = numbers(2, 3);
    try (Tape tape = Tape.record(x)) {
      Tensor square = Elementwise.multiply(x, x);
      Tensor cube = Elementwise.multiply(square, x);
      List<Tensor> outputs = List.of(square, cube);
      assertEquals(
          "backward: 1 gradients of 2 outputs, expected one each",
          assertThrows(
                  IllegalArgumentException.class,
                  () -> tape.backward(outputs, List.of(x), new Gradients()))
              .getMessage());
      List<Tensor> seeds = List.of(numbers(1, 10), numbers(100, 0));
      try (Gradients gradients = tape.backward(outputs, seeds, new Gradients())) {
        assertArrayEquals(new float[] {4 + 1200, 60}, gradients.of(x).toFloatArray());
      }
    }
  }

  @Test
  void what_depends_on_nothing_tracked_is_refused() {
    Tensor x = numbers(2);
    Tensor other = numbers(3);
    try (Tape tape = Tape.record(x)) {
      assertEquals(
          "backward: F32[1]@cpu depends on nothing that the tape tracks",
          assertThrows(IllegalArgumentException.class, () -> tape.backward(other)).getMessage());
    }
  }

  @Test
  void a_second_backward_is_refused() {
    Tensor x = numbers(2);
    try (Tape tape = Tape.record(x)) {
      Tensor y = Elementwise.multiply(x, x);
      tape.backward(y).close();
      assertEquals(
          "backward: the tape has run backward and gave back what it saved; record another one",
          assertThrows(IllegalStateException.class, () -> tape.backward(y)).getMessage());
    }
  }

  @Test
  void gradients_of_gradients_are_refused() {
    Tensor x = numbers(2);
    try (Tape tape = Tape.record(x)) {
      Node node = tape.node("own", x);
      Tensor y = numbers(4);
      node.record(() -> Tape.record(node.gradient()), y);
      assertEquals(
          "tape: a backward runs on this thread; gradients of gradients are not computed",
          assertThrows(IllegalStateException.class, () -> tape.backward(y)).getMessage());
    }
  }

  @Test
  void a_thread_has_one_tape_and_a_tape_one_thread() throws Exception {
    Tensor x = numbers(2);
    try (Tape tape = Tape.record(x)) {
      assertTrue(
          assertThrows(IllegalStateException.class, () -> Tape.record(x))
              .getMessage()
              .startsWith("tape: this thread records on another one already"));
      Thread other =
          new Thread(
              () -> {
                assertNull(Tape.recording());
                assertThrows(IllegalStateException.class, tape::close);
              });
      List<Throwable> failed = new ArrayList<>();
      other.setUncaughtExceptionHandler((_, e) -> failed.add(e));
      other.start();
      other.join();
      assertEquals(List.of(), failed);
    }
  }

  @Test
  void leaves_are_floats_apart() {
    Tensor ids = Tensor.of(CPU, new long[] {1}, 1);
    assertThrows(IllegalArgumentException.class, () -> Tape.record(ids));
    Tensor repeated = numbers(1).strided(0, new long[] {3}, new long[] {0});
    assertThrows(UnsupportedOperationException.class, () -> Tape.record(repeated));
    assertNull(Tape.recording());
  }

  @Test
  void nothing_is_recorded_in_a_pause() {
    Tensor x = numbers(2);
    try (Tape tape = Tape.record(x)) {
      Tensor y;
      try (var _ = Tape.pause()) {
        assertNull(Tape.recording());
        y = Elementwise.multiply(x, x);
      }
      assertEquals(tape, Tape.recording());
      assertFalse(tape.tracks(y));
      try (Gradients gradients = tape.backward(Elementwise.multiply(x, y))) {
        assertArrayEquals(new float[] {4}, gradients.of(x).toFloatArray());
      }
    }
  }

  @Test
  void scopes_may_close_what_was_saved() {
    Network network = Network.of(3);
    Tensor x = random(new Random(4), 5, 24);
    List<float[]> expected = network.gradients(x, false);
    // By the difference of losses along a direction.
    Tensor moved = random(new Random(4), 5, 24);
    float[] up = moved.toFloatArray();
    float[] down = moved.toFloatArray();
    Random random = new Random(5);
    double slope = 0;
    for (int i = 0; i < up.length; i++) {
      float d = random.nextFloat() - 0.5f;
      up[i] += 0.01f * d;
      down[i] -= 0.01f * d;
      slope += d * expected.getLast()[i];
    }
    moved.write(up);
    float above = network.loss(moved, false).toFloatArray()[0];
    moved.write(down);
    float below = network.loss(moved, false).toFloatArray()[0];
    assertEquals(slope, (above - below) / 0.02, 2e-4);
  }

  @Test
  void what_was_saved_is_given_back_as_the_backward_passes() {
    Network network = Network.of(3);
    Tensor x = random(new Random(4), 5, 24);
    long held = CPU.memory().allocatedBytes();
    try (Tape tape = Tape.record(network.weights())) {
      Tensor loss = network.loss(x, false);
      assertTrue(CPU.memory().allocatedBytes() > held + 4 * 5 * 40, "activations are saved");
      try (Gradients _ = tape.backward(loss)) {
        long gradients = 4 * (40 * 24 + 40 + 40 + 7 * 40);
        assertEquals(held + gradients + 4, CPU.memory().allocatedBytes());
      }
      loss.close();
    }
    assertEquals(held, CPU.memory().allocatedBytes());
    try (Tape _ = Tape.record(network.weights())) {
      network.loss(x, true).close();
    }
    assertEquals(held, CPU.memory().allocatedBytes(), "without a backward too");
  }

  @Test
  void gradients_of_parts_add_up() {
    Network network = Network.of(3);
    Tensor a = random(new Random(4), 5, 24);
    Tensor b = random(new Random(5), 5, 24);
    try (Gradients sum = new Gradients()) {
      for (Tensor x : List.of(a, b)) {
        try (Tape tape = Tape.record(network.weights());
            Scope _ = Scope.open()) {
          tape.backward(network.loss(x, false), sum);
        }
      }
      float[] first = network.gradients(a, false).getFirst();
      float[] second = network.gradients(b, false).getFirst();
      float[] both = sum.of(network.first).toFloatArray();
      for (int i = 0; i < both.length; i++) {
        assertEquals(first[i] + second[i], both[i], 1e-7f);
      }
    }
  }

  @Test
  void a_checkpoint_gives_the_same_bits_and_keeps_less() {
    Network network = Network.of(3);
    Tensor x = random(new Random(4), 5, 24);
    assertSame(network.gradients(x, false), network.gradients(x, true));
    long[] kept = new long[2];
    for (int i = 0; i < 2; i++) {
      long held = CPU.memory().allocatedBytes();
      try (Tape _ = Tape.record(network.weights())) {
        Tensor loss = network.loss(x, i == 1);
        kept[i] = CPU.memory().allocatedBytes() - held;
        loss.close();
      }
    }
    // The sum before the norm, and what the activation is of, twice.
    assertEquals(4 * 2 * 5 * 40, kept[0] - kept[1]);
  }

  @Test
  void a_checkpoint_in_a_checkpoint_gives_the_same_bits() {
    Tensor x = random(new Random(4), 5, 8);
    Tensor w = random(new Random(5), 8);
    List<float[]> results = new ArrayList<>();
    for (boolean checkpoint : new boolean[] {false, true}) {
      try (Tape tape = Tape.record(x, w);
          Scope _ = Scope.open()) {
        Tensor y =
            checkpoint
                ? Checkpoint.of(() -> outer(Checkpoint.of(() -> inner(x, w)), w))
                : outer(inner(x, w), w);
        try (Gradients gradients = tape.backward(Reductions.sum(y))) {
          results.add(gradients.of(x).toFloatArray());
          results.add(gradients.of(w).toFloatArray());
        }
      }
    }
    assertSame(results.subList(0, 2), results.subList(2, 4));
  }

  private static Tensor inner(Tensor x, Tensor w) {
    return Elementwise.activation(Elementwise.multiply(x, w), Activation.SILU);
  }

  private static Tensor outer(Tensor y, Tensor w) {
    return Norm.softmax(Elementwise.add(Elementwise.multiply(y, w), w));
  }

  @Test
  void a_checkpoint_of_frozen_input_gives_the_gradients_inside() {
    Tensor x = numbers(2, 3);
    Tensor w = numbers(5, 7);
    try (Tape tape = Tape.record(w)) {
      Tensor y = Checkpoint.of(() -> Elementwise.multiply(x, w));
      try (Gradients gradients = tape.backward(Reductions.sum(y))) {
        assertArrayEquals(new float[] {2, 3}, gradients.of(w).toFloatArray());
      }
    }
  }

  /** An op's own gradient needs none of it. */
  @Test
  void what_a_checkpoint_added_may_be_closed_before_the_backward() {
    Tensor x = numbers(2, 3);
    Tensor bias = numbers(1, -1);
    try (Tape tape = Tape.record(x);
        Scope _ = Scope.open()) {
      Tensor y = Checkpoint.of(() -> inner(Elementwise.add(x, Elementwise.add(bias, bias)), x));
      bias.close();
      try (Gradients gradients = tape.backward(Reductions.sum(y))) {
        assertEquals(2, gradients.of(x).count());
      }
    }
  }

  @Test
  void nothing_leaks_when_a_backward_throws() {
    Network network = Network.of(3);
    Tensor x = random(new Random(4), 5, 24);
    long held = CPU.memory().allocatedBytes();
    for (boolean checkpoint : new boolean[] {false, true}) {
      try (Tape tape = Tape.record(network.weights());
          Scope _ = Scope.open()) {
        Node node = tape.node("broken", network.first);
        Tensor y = Tensor.zeros(CPU, 1);
        node.save(y);
        node.record(
            () -> {
              Tensor.zeros(CPU, 1000);
              throw new ArithmeticException("broken");
            },
            y);
        Tensor loss = Elementwise.add(y, network.loss(x, checkpoint));
        assertThrows(ArithmeticException.class, () -> tape.backward(loss));
        assertNull(Tape.recording());
      }
      assertEquals(held, CPU.memory().allocatedBytes());
    }
    assertThrows(
        ArithmeticException.class,
        () -> {
          try (Tape _ = Tape.record(network.weights());
              Scope _ = Scope.open()) {
            Checkpoint.of(
                () -> {
                  network.hidden(x);
                  throw new ArithmeticException("broken");
                });
          }
        });
    assertEquals(held, CPU.memory().allocatedBytes());
    assertEquals(5, network.gradients(x, true).size());
  }

  @Test
  void nan_is_a_number_like_others() {
    Tensor x = numbers(1, Float.NaN, 3);
    Tensor y = numbers(2, 2, Float.POSITIVE_INFINITY);
    try (Tape tape = Tape.record(x, y);
        Gradients g = tape.backward(Reductions.sum(Elementwise.multiply(x, y)))) {
      assertArrayEquals(new float[] {2, 2, Float.POSITIVE_INFINITY}, g.of(x).toFloatArray());
      assertArrayEquals(new float[] {1, Float.NaN, 3}, g.of(y).toFloatArray());
    }
  }

  @Test
  void what_is_held_stays_the_same_over_many_steps() {
    Network network = Network.of(3);
    Tensor x = random(new Random(4), 5, 24);
    List<float[]> first = network.gradients(x, false);
    long held = CPU.memory().allocatedBytes();
    for (int step = 0; step < 1000; step++) {
      List<float[]> again = network.gradients(x, step % 2 == 1);
      if (step % 50 == 0) {
        assertSame(first, again);
      }
      assertEquals(held, CPU.memory().allocatedBytes(), "after step " + step);
    }
  }

  @Test
  void threads_with_a_tape_each_get_the_same_bits() throws Exception {
    Network network = Network.of(3);
    Tensor x = random(new Random(4), 5, 24);
    List<float[]> expected = network.gradients(x, false);
    try (var threads = Executors.newVirtualThreadPerTaskExecutor()) {
      List<Future<List<float[]>>> results = new ArrayList<>();
      for (int i = 0; i < 32; i++) {
        boolean checkpoint = i % 2 == 0;
        results.add(
            threads.submit((Callable<List<float[]>>) () -> network.gradients(x, checkpoint)));
      }
      for (Future<List<float[]>> result : results) {
        assertSame(expected, result.get());
      }
    }
  }
}
