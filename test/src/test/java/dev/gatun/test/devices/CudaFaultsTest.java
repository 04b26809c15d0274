package dev.gatun.test.devices;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import dev.gatun.kernels.api.call.indexing.Embedding;
import dev.gatun.kernels.api.call.norm.Softmax;
import dev.gatun.kernels.api.device.Backend;
import dev.gatun.kernels.api.device.BackendUnavailableException;
import dev.gatun.kernels.api.device.Devices;
import dev.gatun.kernels.api.device.Replay;
import dev.gatun.kernels.api.memory.Buffer;
import dev.gatun.kernels.api.memory.DType;
import dev.gatun.kernels.api.memory.Indices;
import dev.gatun.kernels.api.memory.Operand;
import dev.gatun.kernels.cuda.CudaDeviceProvider;
import dev.gatun.ops.Norm;
import dev.gatun.tensor.Device;
import dev.gatun.tensor.Tensor;
import dev.gatun.test.contract.programs.DeviceContract;
import dev.gatun.test.emulator.Emulator;
import dev.gatun.test.emulator.Emulator.Policy;
import java.lang.foreign.MemorySegment;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

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
        Tensor y = Norm.softmax(x)) {
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
      // Besides tensors the backend keeps what split products share, as large as those of this
      // process were; what the pool has is not free.
      Matcher sizes =
          Pattern.compile(
                  ".* were; the pool has (\\d+) bytes, at most \\d+, (\\d+) of 1048576 bytes are"
                      + " free\\. Close.*")
              .matcher(message);
      assertTrue(sizes.matches(), message);
      long pool = Long.parseLong(sizes.group(1));
      assertTrue(pool >= 1000, message);
      assertEquals(1 << 20, pool + Long.parseLong(sizes.group(2)), message);
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
              "cuLaunchKernel(softmax, grid 2 x 1 x 1, 32 threads, 8 bytes of shared memory):"
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

  @ParameterizedTest
  @ValueSource(booleans = {false, true})
  void an_index_outside_of_a_table_is_named_when_something_is_read(boolean late) {
    Emulator.set(Policy.ROUND_ROBIN, 1, false, late);
    try (Buffer table = cuda.memory().adopt(MemorySegment.ofArray(new float[] {1, 2, 3, 4, 5, 6}));
        Buffer bad = cuda.memory().adopt(MemorySegment.ofArray(new long[] {0, 1, 7, -3}));
        Buffer good = cuda.memory().adopt(MemorySegment.ofArray(new long[] {2, 1, 0, 0}));
        Buffer y = cuda.memory().allocate(4 * 4 * 2)) {
      cuda.kernels().run(embedding(table, 3, bad, y));
      // The first call and its first index are told, and once.
      cuda.kernels().run(embedding(table, 2, good, y));
      assertEquals(
          "embedding: id 7 at 2 is outside of 0 to 2",
          assertThrows(IllegalArgumentException.class, () -> read(y)).getMessage());
      cuda.kernels().run(embedding(table, 3, good, y));
      assertArrayEquals(new float[] {5, 6, 3, 4, 1, 2, 1, 2}, read(y));
    } finally {
      Emulator.set(Policy.ROUND_ROBIN, 1, false, false);
    }
  }

  private static Embedding embedding(Buffer table, long rows, Buffer ids, Buffer y) {
    return new Embedding(
        Operand.of(table, DType.F32, rows, 2),
        Indices.unchecked(Operand.of(ids, DType.I64, 4)),
        false,
        Operand.of(y, DType.F32, 4, 2));
  }

  private float[] read(Buffer buffer) {
    float[] values = new float[(int) buffer.byteSize() / 4];
    cuda.memory().read(buffer, 0, MemorySegment.ofArray(values));
    return values;
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
        "there is no device -1, the driver shows 0 to 1",
        assertThrows(BackendUnavailableException.class, () -> new CudaDeviceProvider().open(-1))
            .getMessage());
    assertEquals(
        "device 'gpu': expected cpu, cuda or cuda:N",
        assertThrows(IllegalArgumentException.class, () -> Device.of("gpu")).getMessage());
  }

  @Test
  void a_device_that_is_lost_stays_lost_and_nothing_else_is() {
    try (Buffer x = cuda.memory().adopt(MemorySegment.ofArray(new float[6]));
        Buffer y = cuda.memory().allocate(24)) {
      Emulator.set(Policy.ROUND_ROBIN, 1, false, true);
      cuda.kernels().run(softmax(x, y));
      // As when a kernel touches what is not its own.
      Emulator.lose(700);
      Emulator.set(Policy.ROUND_ROBIN, 1, false, false);
      String first = assertThrows(RuntimeException.class, () -> read(y)).getMessage();
      assertTrue(first.contains("CUDA_ERROR_ILLEGAL_ADDRESS (700)"), first);
      assertTrue(
          first.endsWith(". The device is lost to this process: only a new one can use it again"),
          first);
      String later =
          assertThrows(RuntimeException.class, () -> cuda.memory().allocate(8)).getMessage();
      assertTrue(later.startsWith("cuMemAllocAsync(8 bytes): CUDA_ERROR_ILLEGAL_ADDRESS"), later);
    }
  }

  @Test
  void a_replay_uses_no_index_that_is_out_of_bounds_and_says_so() {
    try (Buffer table = cuda.memory().adopt(MemorySegment.ofArray(new float[] {1, 2, 3, 4}));
        Buffer ids = cuda.memory().adopt(MemorySegment.ofArray(new long[] {0, 1, 1, 0}));
        Buffer y = cuda.memory().allocate(32);
        Replay replay = cuda.capture(() -> cuda.kernels().run(embedding(table, 2, ids, y)))) {
      cuda.memory().write(MemorySegment.ofArray(new long[] {0, 1 << 20}), ids, 8);
      replay.run();
      assertEquals(
          "embedding: id 1048576 at 2 is outside of 0 to 1",
          assertThrows(IllegalArgumentException.class, () -> read(y)).getMessage());
    }
  }

  private static ChildJvm.Outcome run(Path folder, String devices, Map<String, String> environment)
      throws Exception {
    String count = String.valueOf(devices.split(",").length);
    return run(folder, devices, environment, List.of(), count);
  }

  /** One device with a setting, which may name another driver too. */
  private static String set(Path folder, String property) throws Exception {
    return run(folder, "80", Map.of(), List.of("-D" + property), "1").out();
  }

  private static ChildJvm.Outcome run(
      Path folder,
      String devices,
      Map<String, String> environment,
      List<String> options,
      String count)
      throws Exception {
    Map<String, String> all = new HashMap<>(environment);
    all.put("GATUN_EMULATOR_DEVICES", devices);
    List<String> properties =
        new ArrayList<>(
            List.of(
                "-Dgatun.cuda.driver=" + Emulator.LIBRARY,
                "-Dgatun.cuda.images=" + Emulator.IMAGES,
                "-Dgatun.cuda.cublaslt=off"));
    properties.addAll(options);
    return ChildJvm.run(folder, all, properties, DeviceRuns.class, count);
  }

  @Test
  void attention_where_a_block_has_less_shared_memory(@TempDir Path folder) throws Exception {
    ChildJvm.Outcome outcome =
        ChildJvm.run(
            folder,
            Map.of("GATUN_EMULATOR_DEVICES", "89"),
            List.of("-Dgatun.test.kernel=scaled_dot_product_attention"),
            DeviceContract.class,
            "40",
            "12");
    assertEquals(0, outcome.code(), outcome.out());
    assertTrue(outcome.out().matches("(?s).*cases: [1-9][0-9]+ of .*, failed: 0\n"), outcome.out());
  }

  @Test
  void devices_of_every_compute_capability(@TempDir Path folder) throws Exception {
    assertEquals(
        """
        device cuda:0: device 0, Gatun emulator, has compute capability 7.5, and 8.0 or later is needed
        cuda (Gatun emulator, compute capability 8.0), kernels: code for sm_80
        cuda:1: [0.5, 0.5]
        cuda (Gatun emulator, compute capability 8.9), kernels: code for sm_80
        cuda:2: [0.5, 0.5]
        cuda (Gatun emulator, compute capability 9.0), kernels: code for sm_90
        cuda:3: [0.5, 0.5]
        cuda (Gatun emulator, compute capability 10.0), kernels: PTX of compute_80, compiled by the driver for sm_100
        cuda:4: [0.5, 0.5]
        cuda (Gatun emulator, compute capability 12.0), kernels: PTX of compute_80, compiled by the driver for sm_120
        cuda:5: [0.5, 0.5]
        softmax: input F32[1, 2] is on cuda:1, the output on cuda:2: move one with to(device)
        cuda:2 has [3.0, 4.0]
        softmax: input F32[1, 2] is on cuda:2, the output on cuda:3: move one with to(device)
        cuda:3 has [3.0, 4.0]
        softmax: input F32[1, 2] is on cuda:3, the output on cuda:4: move one with to(device)
        cuda:4 has [3.0, 4.0]
        softmax: input F32[1, 2] is on cuda:4, the output on cuda:5: move one with to(device)
        cuda:5 has [3.0, 4.0]
        cuda:1 holds 0
        cuda:2 holds 0
        cuda:3 holds 0
        cuda:4 holds 0
        cuda:5 holds 0
        cpu: [0.5, 0.5]
        """,
        run(folder, "75,80,89,90,100,120", Map.of()).out());
  }

  @Test
  void a_setting_that_says_nothing(@TempDir Path folder) throws Exception {
    for (String wrong : List.of("8x", "m", "-1")) {
      assertEquals(
          "device cuda:0: -Dgatun.cuda.pool=%s: expected bytes, such as 0, 512m or 8g\ncpu: [0.5, 0.5]\n"
              .formatted(wrong),
          set(folder, "gatun.cuda.pool=" + wrong));
    }
    for (String right : List.of("512m", " 8G", "0", "123456789012345678", "")) {
      String out = set(folder, "gatun.cuda.pool=" + right);
      assertTrue(out.contains("cuda:0: [0.5, 0.5]\n"), right + ": " + out);
    }
    for (String wrong : List.of("0", "-4", "1000000", "")) {
      assertEquals(
          "device cuda:0: -Dgatun.cuda.multiprocessors=%s: a number of multiprocessors, such as 132, is expected\ncpu: [0.5, 0.5]\n"
              .formatted(wrong),
          set(folder, "gatun.cuda.multiprocessors=" + wrong));
    }
    String out = set(folder, "gatun.cuda.multiprocessors=132");
    assertTrue(out.contains("cuda:0: [0.5, 0.5]\n"), out);
  }

  @Test
  void no_driver_and_no_device(@TempDir Path folder) throws Exception {
    assertEquals(
        "device cuda:0: no NVIDIA driver: -Dgatun.cuda.driver=/none.so: no such file\n"
            + "cpu: [0.5, 0.5]\n",
        set(folder, "gatun.cuda.driver=/none.so"));
    assertEquals(
        "device cuda:0: the driver shows no device to this process\ncpu: [0.5, 0.5]\n",
        run(folder, "", Map.of(), List.of(), "1").out());
  }

  @Test
  void memory_of_another_device_and_places_outside_of_a_block() {
    MemorySegment four = MemorySegment.ofArray(new byte[4]);
    try (Buffer host = Device.cpu().memory().allocate(24);
        Buffer x = cuda.memory().allocate(24)) {
      assertEquals(
          "read: a buffer on cpu, expected one on cuda:0",
          assertThrows(IllegalArgumentException.class, () -> cuda.memory().read(host, 0, four))
              .getMessage());
      for (long offset : new long[] {-1, 21, Long.MAX_VALUE}) {
        assertEquals(
            "write: 4 bytes at byte %d of a buffer of 24 bytes".formatted(offset),
            assertThrows(
                    IndexOutOfBoundsException.class, () -> cuda.memory().write(four, x, offset))
                .getMessage());
      }
    }
    assertEquals(
        "allocate: -1 bytes, must not be negative",
        assertThrows(IllegalArgumentException.class, () -> cuda.memory().allocate(-1))
            .getMessage());
  }

  @Test
  void the_driver_is_checked_before_anything_else(@TempDir Path folder) throws Exception {
    assertEquals(
        """
        device cuda:0: the driver is too old: it is of CUDA 12.9, and CUDA 13.0 (driver R580) or later is needed
        cpu: [0.5, 0.5]
        """,
        run(
                folder,
                "80",
                Map.of(
                    "GATUN_EMULATOR_VERSION", "12090", "GATUN_EMULATOR_FAIL", "cuDeviceGetCount:1"))
            .out());
  }

  @ParameterizedTest
  @CsvSource({
    "cuModuleLoadDataEx, 209, 'this build has no kernels for this device:"
        + " cuModuleLoadDataEx(attention_backward.fatbin, compute capability 80):"
        + " CUDA_ERROR_NO_BINARY_FOR_GPU (209), no kernel image is available for execution on the"
        + " device'",
    "cuDevicePrimaryCtxRetain, 46, 'cuDevicePrimaryCtxRetain(0): CUDA_ERROR_DEVICE_UNAVAILABLE"
        + " (46), CUDA-capable device(s) is/are busy or unavailable'",
    "cuDevicePrimaryCtxRetain, 2, 'cuDevicePrimaryCtxRetain(0): CUDA_ERROR_OUT_OF_MEMORY (2), out"
        + " of memory'",
    "cuStreamCreate, 2, 'cuStreamCreate: CUDA_ERROR_OUT_OF_MEMORY (2), out of memory'"
  })
  void a_device_that_does_not_open(
      String function, int status, String message, @TempDir Path folder) throws Exception {
    assertEquals(
        "device cuda:0: " + message + "\ncpu: [0.5, 0.5]\n",
        run(folder, "80", Map.of("GATUN_EMULATOR_FAIL", function + ":" + status)).out());
  }
}
