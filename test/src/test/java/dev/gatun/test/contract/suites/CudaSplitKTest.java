package dev.gatun.test.contract.suites;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import dev.gatun.kernels.api.call.elementwise.Activation;
import dev.gatun.kernels.api.call.matmul.QuantizedActivations;
import dev.gatun.kernels.api.call.matmul.QuantizedMatmul;
import dev.gatun.kernels.api.device.Backend;
import dev.gatun.kernels.api.device.Replay;
import dev.gatun.kernels.api.memory.BlockFormat;
import dev.gatun.kernels.api.memory.Buffer;
import dev.gatun.kernels.api.memory.DType;
import dev.gatun.kernels.api.memory.Operand;
import dev.gatun.test.contract.frame.Numbers;
import dev.gatun.test.contract.suites.CudaQuantizedTest.Weight;
import dev.gatun.test.emulator.Emulator;
import dev.gatun.test.emulator.Emulator.Policy;
import java.lang.foreign.MemorySegment;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Random;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/**
 * Products of few tokens and many input features, whose blocks share tiles: of whole numbers, so
 * that they have one right result, over and over, since each launch must leave the counters of
 * arrivals as it found them.
 */
final class CudaSplitKTest {
  private static final Backend CUDA = Emulator.open();
  private static final Backend HOPPER = Emulator.openHopper();
  private static final float UNWRITTEN = 0.5f;

  @AfterEach
  void restore() {
    Emulator.set(Policy.ROUND_ROBIN, 1, false, false);
    assertEquals(0, CUDA.memory().allocatedBytes(), "memory is given back");
    assertEquals(0, HOPPER.memory().allocatedBytes(), "memory is given back");
  }

  /** A product with its operands on a device. */
  private static final class Product implements AutoCloseable {
    private final Backend cuda;
    private final QuantizedMatmul call;
    private final Buffer x;
    private final Buffer packed;
    private final Buffer y;
    private final float[] want;

    Product(Backend cuda, String format, int m, int n, int k) {
      this.cuda = cuda;
      Weight w = weight(BlockFormat.of(format), n, k);
      boolean codes = format.equals("INT8");
      double[] values = activations(m, k, codes ? 127 : 8);
      this.want = new float[m * n];
      double[] exact = CudaQuantizedTest.product(w, values, m);
      for (int i = 0; i < want.length; i++) {
        want[i] = (float) exact[i];
        assertEquals(exact[i], want[i], "a float has it");
      }
      DType dtype = codes ? DType.F32 : DType.BF16;
      byte[] bytes = new byte[m * k * dtype.bytes()];
      for (int i = 0; i < values.length; i++) {
        Numbers.write(MemorySegment.ofArray(bytes), (long) i * dtype.bytes(), dtype, values[i]);
      }
      this.x = cuda.memory().adopt(MemorySegment.ofArray(bytes));
      this.packed = cuda.memory().adopt(MemorySegment.ofArray(w.packed()));
      this.y = cuda.memory().allocate(4L * want.length);
      this.call =
          new QuantizedMatmul(
              w.format().wideLayout(),
              codes ? QuantizedActivations.INT8_PER_TOKEN : QuantizedActivations.EXACT,
              Operand.of(x, dtype, m, k),
              Operand.of(packed, DType.U8, w.packed().length),
              null,
              Activation.NONE,
              Operand.of(y, DType.F32, m, n));
    }

    /** Whole numbers, among them in each group what makes its scale 1. */
    private static Weight weight(BlockFormat format, int n, int k) {
      int block = format.blockSize(k);
      return Weight.of(
          format,
          n,
          k,
          (row, values) -> {
            Random random = new Random(row);
            for (int i = 0; i < k; i++) {
              boolean end = i % block == 0;
              values[i] =
                  !end ? random.nextInt(11) - 5 : format.wideLayout().bits() == 8 ? 127 : -8;
            }
          });
    }

    /** Whole numbers that are their own codes: each token has both ends. */
    private static double[] activations(int m, int k, int most) {
      Random random = new Random(1);
      double[] x = new double[m * k];
      for (int i = 0; i < x.length; i++) {
        x[i] = random.nextInt(2 * most + 1) - most;
        x[i] = i % k == 1 ? most : i % k == 2 ? -most : x[i];
      }
      return x;
    }

    void run() {
      cuda.kernels().run(call);
    }

    void forget() {
      float[] unwritten = new float[want.length];
      Arrays.fill(unwritten, UNWRITTEN);
      cuda.memory().write(MemorySegment.ofArray(unwritten), y, 0);
    }

    void check(String when) {
      float[] got = new float[want.length];
      cuda.memory().read(y, 0, MemorySegment.ofArray(got));
      assertArrayEquals(want, got, when);
    }

    @Override
    public void close() {
      x.close();
      packed.close();
      y.close();
    }
  }

  /** One of each kind of join, with more splits and fewer than a lane reads at once. */
  private static List<Product> products(Backend cuda) {
    List<Product> products = new ArrayList<>();
    if (cuda == HOPPER) {
      products.add(new Product(cuda, "INT8", 40, 200, 2100));
      products.add(new Product(cuda, "INT4:128", 50, 250, 1664));
    }
    products.add(new Product(cuda, "INT8", 5, 100, 2048));
    products.add(new Product(cuda, "INT8", 30, 130, 832));
    products.add(new Product(cuda, "INT4:128", 3, 33, 4096));
    products.add(new Product(cuda, "INT4:128", 16, 128, 2688));
    products.add(new Product(cuda, "INT4:128", 70, 140, 640));
    return products;
  }

  private static Backend backend(boolean hopper) {
    return hopper ? HOPPER : CUDA;
  }

  @ParameterizedTest
  @ValueSource(booleans = {false, true})
  void each_launch_finds_the_counters_at_0(boolean hopper) {
    List<Product> products = products(backend(hopper));
    for (Policy policy : Policy.values()) {
      Emulator.set(policy, 3, policy.ordinal() % 2 == 0, policy.ordinal() % 2 == 1);
      for (Product product : products) {
        product.forget();
        product.run();
        product.check("by " + policy);
      }
    }
    products.forEach(Product::close);
  }

  @ParameterizedTest
  @ValueSource(booleans = {false, true})
  void replays_and_other_work_have_counters_of_their_own(boolean hopper) {
    Backend cuda = backend(hopper);
    List<Product> products = products(cuda);
    try (Replay all = cuda.capture(() -> products.forEach(Product::run));
        Replay last = cuda.capture(products.getLast()::run)) {
      for (int round = 0; round < 3; round++) {
        Emulator.set(Policy.values()[round], round, false, round != 1);
        products.forEach(Product::forget);
        all.run();
        for (Product product : products) {
          product.check("replay " + round);
        }
        products.getLast().forget();
        last.run();
        products.getFirst().forget();
        products.getFirst().run();
        products.getFirst().check("beside replay " + round);
        products.getLast().check("the other replay " + round);
      }
    }
    products.forEach(Product::close);
  }

  @ParameterizedTest
  @ValueSource(booleans = {false, true})
  void threads_record_and_replay_while_others_multiply(boolean hopper) throws Exception {
    Backend cuda = backend(hopper);
    Emulator.set(Policy.RANDOM, 5, false, true);
    try (ExecutorService threads = Executors.newFixedThreadPool(4)) {
      List<Future<?>> done = new ArrayList<>();
      for (int thread = 0; thread < 4; thread++) {
        boolean records = thread % 2 == 0;
        done.add(
            threads.submit(
                () -> {
                  String format = hopper ? "INT4:128" : "INT8";
                  try (Product product = new Product(cuda, format, hopper ? 50 : 5, 100, 2048)) {
                    if (records) {
                      try (Replay replay = cuda.capture(product::run)) {
                        for (int i = 0; i < 3; i++) {
                          product.forget();
                          replay.run();
                          product.check("replay " + i);
                        }
                      }
                    } else {
                      for (int i = 0; i < 4; i++) {
                        product.forget();
                        product.run();
                        product.check("run " + i);
                      }
                    }
                  }
                }));
      }
      for (Future<?> one : done) {
        one.get();
      }
    }
  }

  @Test
  void a_product_is_one_launch_and_no_memset() {
    assumeTrue(Emulator.isEmulated(), "a device has no faults to order");
    try (Product product = new Product(CUDA, "INT4:128", 3, 33, 4096)) {
      product.run();
      try {
        Emulator.fail("cuMemsetD8Async", 0, 801);
        product.forget();
        product.run();
        product.check("without a memset");
        Emulator.reset();
        // What the driver refuses has counted nothing.
        Emulator.fail("cuLaunchKernel", 0, 801);
        assertThrows(RuntimeException.class, product::run);
        product.forget();
        product.run();
        product.check("after a launch that was refused");
      } finally {
        Emulator.reset();
      }
    }
  }

  @Test
  void a_recording_whose_counters_cannot_be_set_leaves_nothing_behind() {
    assumeTrue(Emulator.isEmulated(), "a device has no faults to order");
    try (Product product = new Product(CUDA, "INT4:128", 3, 33, 4096)) {
      product.run();
      int[] runs = {0};
      Runnable work =
          () -> {
            if (runs[0]++ == 1) {
              Emulator.fail("cuMemsetD8Async", 0, 801);
            }
            product.run();
          };
      try {
        String message =
            assertThrows(RuntimeException.class, () -> CUDA.capture(work)).getMessage();
        assertTrue(message.startsWith("cuMemsetD8Async"), message);
      } finally {
        Emulator.reset();
      }
      product.forget();
      try (Replay replay = CUDA.capture(product::run)) {
        product.forget();
        replay.run();
        product.check("after a recording that failed");
      }
    }
  }
}
