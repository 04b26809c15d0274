package dev.gatun.test.devices;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import dev.gatun.kernels.api.device.Backend;
import dev.gatun.kernels.api.device.Replay;
import dev.gatun.kernels.api.memory.Buffer;
import dev.gatun.tensor.Device;
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
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** Work that is recorded as a graph, and copies by way of pinned memory. */
final class CudaReplayTest extends ReplayContract {
  private final Backend cuda = Emulator.open();

  @Override
  Device device() {
    return Device.cuda(0);
  }

  @Override
  Backend backend() {
    return cuda;
  }

  @Override
  void streams(boolean late) {
    Emulator.set(Policy.ROUND_ROBIN, 1, false, late);
  }

  @Test
  void large_copies_go_through_in_parts_from_many_threads() throws Exception {
    streams(true);
    try (ExecutorService threads = Executors.newFixedThreadPool(12)) {
      List<Future<?>> copies = new ArrayList<>();
      for (int i = 0; i < 12; i++) {
        byte[] bytes = new byte[(4 << 20) * (i % 4) + 1000 + i];
        new Random(i).nextBytes(bytes);
        copies.add(
            threads.submit(
                () -> {
                  try (Buffer buffer = cuda.memory().adopt(MemorySegment.ofArray(bytes.clone()))) {
                    byte[] back = new byte[bytes.length];
                    Arrays.fill(back, (byte) 1);
                    cuda.memory().read(buffer, 0, MemorySegment.ofArray(back));
                    assertArrayEquals(bytes, back);
                  }
                }));
      }
      for (Future<?> copy : copies) {
        copy.get();
      }
    }
  }

  @Test
  void a_replay_within_what_is_recorded_is_refused_and_empty_writes_record_nothing() {
    byte[] one = {1};
    try (Buffer x = cuda.memory().adopt(MemorySegment.ofArray(one.clone()));
        Replay replay =
            cuda.capture(
                () -> cuda.memory().write(MemorySegment.ofArray(new byte[0]), x, x.byteSize()))) {
      replay.run();
      cuda.memory().read(x, 0, MemorySegment.ofArray(one));
      assertArrayEquals(new byte[] {1}, one);
      assertEquals(
          "replay: this thread is recording",
          assertThrows(IllegalStateException.class, () -> cuda.capture(replay::run)).getMessage());
    }
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "cuStreamCreate",
        "cuStreamBeginCapture",
        "cuMemHostAlloc",
        "cuMemAllocAsync",
        "cuLaunchKernel",
        "cuStreamEndCapture",
        "cuGraphInstantiate",
        "cuStreamDestroy"
      })
  void a_recording_that_the_driver_refuses_leaves_nothing_behind(String function) {
    assumeTrue(Emulator.isEmulated(), "a device has no faults to order");
    try (Buffer y = of(7, 7)) {
      int[] runs = {0};
      Runnable work =
          () -> {
            if (runs[0]++ == 1) {
              arm(function);
            }
            try (Buffer x = of(0, 1000)) {
              softmax(x, y);
            }
          };
      if (function.equals("cuStreamCreate") || function.equals("cuStreamBeginCapture")) {
        arm(function);
        runs[0] = 2;
      }
      String message = assertThrows(RuntimeException.class, () -> cuda.capture(work)).getMessage();
      assertTrue(message.startsWith(function), message);
      assertTrue(message.contains("CUDA_ERROR_NOT_SUPPORTED (801)"), message);
      try (Replay replay = cuda.capture(work)) {
        replay.run();
        assertArrayEquals(new float[] {0, 1}, read(y));
      }
    } finally {
      Emulator.reset();
    }
  }

  private static void arm(String function) {
    Emulator.fail(function, 0, 801);
  }
}
