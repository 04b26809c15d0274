package dev.gatun.test.contract.frame;

import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.gatun.kernels.api.call.norm.Softmax;
import dev.gatun.kernels.api.device.Backend;
import dev.gatun.kernels.api.memory.Buffer;
import dev.gatun.kernels.api.memory.DType;
import dev.gatun.kernels.api.memory.Operand;

/** A kernel and a close() of its operand at the same time. */
public final class Races {
  private static final long SIZE = 64;

  private Races() {}

  /** Either the kernel runs to its end, or it says that the buffer is closed. */
  public static void closeWhileRunning(Backend backend) {
    try (Buffer x = backend.memory().allocate(4 * SIZE * SIZE);
        Buffer y = backend.memory().allocate(4 * SIZE * SIZE)) {
      Softmax call =
          new Softmax(
              Operand.of(x, DType.F32, SIZE, SIZE), false, Operand.of(y, DType.F32, SIZE, SIZE));
      Thread closer = Thread.startVirtualThread(x::close);
      try {
        backend.kernels().run(call);
      } catch (IllegalStateException e) {
        assertTrue(e.getMessage().startsWith("softmax: buffer of 16384 bytes is closed"));
      }
      closer.join();
    } catch (InterruptedException e) {
      throw new IllegalStateException(e);
    }
  }
}
