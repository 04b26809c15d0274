package dev.gatun.test.devices;

import dev.gatun.kernels.api.call.attention.ScaledDotProductAttention;
import dev.gatun.kernels.api.device.Backend;
import dev.gatun.kernels.api.device.Devices;
import dev.gatun.kernels.api.memory.Buffer;
import dev.gatun.kernels.api.memory.DType;
import dev.gatun.kernels.api.memory.Operand;
import dev.gatun.test.emulator.Emulator;
import java.lang.foreign.MemorySegment;
import java.util.Arrays;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/** A program: for each emulated device the kernel that one query over many keys takes. */
final class DecodeOnDevices {
  private static final int KEYS = 100;
  private static final int LAUNCH_FAILED = 719;
  private static final short ONE = 0x3f80;
  private static final Pattern KERNEL = Pattern.compile("cuLaunchKernel\\((\\w+)");

  private DecodeOnDevices() {}

  /** Prints a line for each device and head size. */
  public static void main(String[] arguments) {
    Emulator.open();
    for (int ordinal = 0; ordinal < 4; ordinal++) {
      Backend cuda = Devices.open("cuda", ordinal);
      String name = cuda.description().replaceFirst(".* ", "");
      for (int size : new int[] {64, 128, 256}) {
        System.out.println(name + ": " + run(cuda, size));
      }
    }
  }

  private static String run(Backend cuda, int size) {
    // Ones in bfloat16: the mean of the values is 1.
    short[] ones = new short[KEYS * size];
    Arrays.fill(ones, ONE);
    short[] result = new short[size];
    try (Buffer query = of(cuda, Arrays.copyOf(ones, size));
        Buffer keys = of(cuda, ones);
        Buffer values = of(cuda, ones);
        Buffer output = of(cuda, result)) {
      ScaledDotProductAttention call =
          ScaledDotProductAttention.of(
              Operand.of(query, DType.BF16, 1, 1, 1, size),
              Operand.of(keys, DType.BF16, 1, KEYS, 1, size),
              Operand.of(values, DType.BF16, 1, KEYS, 1, size),
              Operand.of(output, DType.BF16, 1, 1, 1, size),
              0.1f);
      Emulator.fail("cuLaunchKernel", 0, LAUNCH_FAILED);
      String kernel = "none";
      try {
        cuda.kernels().run(call);
      } catch (RuntimeException e) {
        Matcher matcher = KERNEL.matcher(e.getMessage());
        kernel = matcher.find() ? matcher.group(1) : e.getMessage();
      }
      Emulator.reset();
      cuda.kernels().run(call);
      cuda.memory().read(output, 0, MemorySegment.ofArray(result));
      boolean right = Arrays.equals(Arrays.copyOf(ones, size), result);
      return kernel + (right ? " right" : " wrong: " + Arrays.toString(result));
    }
  }

  private static Buffer of(Backend cuda, short[] values) {
    return cuda.memory().adopt(MemorySegment.ofArray(values));
  }
}
