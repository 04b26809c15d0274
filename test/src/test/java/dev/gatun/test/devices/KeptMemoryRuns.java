package dev.gatun.test.devices;

import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.gatun.kernels.api.memory.Buffer;
import dev.gatun.kernels.api.memory.Memory;
import dev.gatun.tensor.Device;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;

/**
 * A program: what the processor's memory keeps of blocks that are given back, as Linux counts it.
 */
public final class KeptMemoryRuns {
  private static final long BLOCK = 192L << 20;
  private static final long SLACK = 64L << 20;

  private final Memory memory = Device.cpu().memory();

  private KeptMemoryRuns() {}

  public static void main(String[] args) throws IOException {
    new KeptMemoryRuns().run();
    System.exit(0);
  }

  private void run() throws IOException {
    long before = resident();
    use(3);
    long unrepeated = resident() - before;
    assertTrue(unrepeated < 2 * BLOCK, "%d bytes stay without".formatted(unrepeated));
    Memory.Repeated repeated = memory.repeat();
    try (repeated) {
      use(3);
      long kept = resident() - before;
      assertTrue(kept > 3 * BLOCK - SLACK, "%d bytes stay, expected three blocks".formatted(kept));
      // Blocks of another size take the place of these.
      touch(memory.allocate(3 * BLOCK + SLACK)).close();
      long instead = resident() - before;
      assertTrue(instead < 4 * BLOCK + 2 * SLACK, "%d bytes stay of both".formatted(instead));
    }
    repeated.close();
    long after = resident() - before;
    assertTrue(after < 2 * BLOCK, "%d bytes stay behind".formatted(after));
  }

  private void use(int count) {
    Buffer[] blocks = new Buffer[count];
    for (int i = 0; i < count; i++) {
      blocks[i] = touch(memory.allocate(BLOCK));
    }
    for (Buffer block : blocks) {
      block.close();
    }
  }

  private Buffer touch(Buffer block) {
    memory.fill(block, 0, block.byteSize(), (byte) 1);
    return block;
  }

  private static long resident() throws IOException {
    return 4096 * Long.parseLong(Files.readString(Path.of("/proc/self/statm")).split(" ")[1]);
  }
}
