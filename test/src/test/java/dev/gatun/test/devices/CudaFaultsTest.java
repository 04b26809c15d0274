package dev.gatun.test.devices;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import dev.gatun.kernels.api.Backend;
import dev.gatun.kernels.api.Buffer;
import dev.gatun.kernels.api.DType;
import dev.gatun.kernels.api.Devices;
import dev.gatun.kernels.api.Embedding;
import dev.gatun.kernels.api.Operand;
import dev.gatun.kernels.api.Softmax;
import dev.gatun.ops.Ops;
import dev.gatun.tensor.Device;
import dev.gatun.tensor.Tensor;
import dev.gatun.test.emulator.Emulator;
import java.lang.foreign.MemorySegment;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

/** What the CUDA backend says when the driver refuses, and that nothing is lost. */
final class CudaFaultsTest {
  private static final int OUT_OF_MEMORY = 2;
  private static final int ECC = 214;
  private static final int LAUNCH_FAILED = 719;

  private Backend cuda;

  @BeforeEach
  void open() {
    assumeTrue(Emulator.isEmulated(), "a device has no faults to order");
    cuda = Emulator.open();
  }

  @AfterEach
  void restore() {
    Emulator.reset();
    Emulator.setMemory(8L << 30);
    assertEquals(0, cuda.memory().allocatedBytes(), "memory is given back");
    // The processor goes on.
    try (Tensor x = Tensor.of(Device.cpu(), new float[] {1, 1}, 1, 2);
        Tensor y = Ops.softmax(x)) {
      assertEquals(0.5f, y.toFloatArray()[0]);
    }
  }

  private static Softmax softmax(Buffer x, Buffer y) {
    return new Softmax(Operand.of(x, DType.F32, 2, 3), false, Operand.of(y, DType.F32, 2, 3));
  }

  @Test
  void more_memory_than_there_is() {
    Emulator.setMemory(1 << 20);
    try (Buffer held = cuda.memory().allocate(1000)) {
      String message =
          assertThrows(OutOfMemoryError.class, () -> cuda.memory().allocate(2 << 20)).getMessage();
      assertEquals(1000, held.byteSize());
      assertTrue(
          message.startsWith(
              "allocate: no 2097152 bytes on cuda:0; 1000 bytes are held by tensors, at most "),
          message);
      assertTrue(message.contains(" were; the pool has 1000 bytes, at most "), message);
      assertTrue(message.contains(", 1047576 of 1048576 bytes are free. Close"), message);
      assertTrue(message.contains("-Dgatun.cuda.pool=0"), message);
    }
  }

  @Test
  void memory_that_comes_free_by_waiting_is_not_missed() {
    Emulator.fail("cuMemAllocAsync", 0, OUT_OF_MEMORY);
    try (Buffer buffer = cuda.memory().allocate(64)) {
      assertEquals(64, buffer.byteSize());
    }
  }

  @Test
  void a_launch_that_fails() {
    try (Buffer x = cuda.memory().allocate(24);
        Buffer y = cuda.memory().allocate(24)) {
      Emulator.fail("cuLaunchKernel", 0, LAUNCH_FAILED);
      String message =
          assertThrows(RuntimeException.class, () -> cuda.kernels().run(softmax(x, y)))
              .getMessage();
      assertTrue(
          message.startsWith(
              "cuLaunchKernel(softmax, grid 2 x 1 x 1, 256 threads, 64 bytes of shared memory):"
                  + " CUDA_ERROR_LAUNCH_FAILED (719)"),
          message);
      cuda.kernels().run(softmax(x, y));
    }
  }

  @Test
  void a_device_that_is_lost_while_a_result_is_awaited() {
    try (Buffer x = cuda.memory().allocate(24)) {
      Emulator.fail("cuEventSynchronize", 0, ECC);
      String message =
          assertThrows(
                  RuntimeException.class,
                  () -> cuda.memory().read(x, 0, MemorySegment.ofArray(new byte[24])))
              .getMessage();
      assertTrue(message.contains("CUDA_ERROR_ECC_UNCORRECTABLE (214)"), message);
      assertTrue(message.contains("The device is lost to this process"), message);
    }
  }

  @Test
  void a_copy_that_fails_leaves_no_tensor_behind() {
    Emulator.fail("cuMemcpyHtoDAsync", 0, LAUNCH_FAILED);
    assertThrows(
        RuntimeException.class, () -> cuda.memory().adopt(MemorySegment.ofArray(new byte[100])));
  }

  @Test
  void an_index_outside_of_a_table_is_named_before_it_is_used() {
    long[] ids = {0, 1, 7, -3};
    try (Buffer table = cuda.memory().allocate(4 * 3 * 2);
        Buffer places = cuda.memory().adopt(MemorySegment.ofArray(ids));
        Buffer y = cuda.memory().allocate(4 * 4 * 2)) {
      Embedding call =
          new Embedding(
              Operand.of(table, DType.F32, 3, 2),
              Operand.of(places, DType.I64, 4),
              false,
              Operand.of(y, DType.F32, 4, 2));
      assertEquals(
          "embedding: id 7 at 2 is outside of 0 to 2",
          assertThrows(IllegalArgumentException.class, () -> cuda.kernels().run(call))
              .getMessage());
    }
  }

  @Test
  void tensors_on_two_devices() {
    Device device = Device.cuda(0);
    try (Tensor x = Tensor.of(Device.cpu(), new float[] {1, 2}, 1, 2);
        Tensor there = x.to(device);
        Tensor back = there.to(Device.cpu())) {
      assertEquals(2, back.toFloatArray()[1]);
      try (Buffer host = Device.cpu().memory().allocate(24);
          Buffer y = cuda.memory().allocate(24)) {
        String message =
            assertThrows(IllegalArgumentException.class, () -> cuda.kernels().run(softmax(host, y)))
                .getMessage();
        assertEquals(
            "softmax: input F32[2, 3] is on cpu, the output on cuda:0: move one with to(device)",
            message);
      }
    }
  }

  @Test
  void a_device_that_is_not_there() {
    assertEquals(
        "device cuda:3: there is no device 3, the driver shows 0 to 1",
        assertThrows(IllegalStateException.class, () -> Devices.open("cuda", 3)).getMessage());
    assertEquals(
        "device 'gpu': expected cpu, cuda or cuda:N",
        assertThrows(IllegalArgumentException.class, () -> Device.of("gpu")).getMessage());
  }
}
