package dev.gatun.test.loading;

import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.junit.jupiter.api.Assertions.fail;

import com.sun.management.ThreadMXBean;
import dev.gatun.weights.WeightsException;
import dev.gatun.weights.gguf.GgufFile;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.lang.management.ManagementFactory;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.channels.FileChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.Arrays;
import java.util.Random;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Files with something wrong in them are refused by a message, or read. */
final class GgufFuzzTest {
  private static final Path GOLDENS = Path.of("goldens");
  private static final long[] NUMBERS = {
    0,
    1,
    -1,
    2,
    31,
    0x7fffffffL,
    0x80000000L,
    0xffffffffL,
    1L << 30,
    1L << 40,
    1L << 62,
    Long.MIN_VALUE,
    Long.MAX_VALUE
  };

  /** A header that is read makes strings and slots of a few times its bytes. */
  private static final long MOST_BYTES_EACH = 64;

  private static final long MOST_BYTES = 4 << 20;

  private static final int CHAINS = 4;

  /** Mutations are before it. */
  private static final int HEADER = 6000;

  private static final long SEED = Long.getLong("gatun.test.seed", 1);

  @TempDir Path folder;

  @Test
  void mutated_files_are_refused_by_a_message() {
    run(400, SEED);
  }

  @Test
  @Tag("full")
  void a_hundred_thousand_mutated_files_are_refused_by_a_message() {
    run(100_000, SEED + 1);
  }

  /** As many chains of mutations side by side, each of its own seed and in a file of its own. */
  private void run(int count, long seed) {
    IntStream.range(0, CHAINS).parallel().forEach(c -> chain(count / CHAINS, CHAINS * seed + c));
  }

  private void chain(int count, long seed) {
    try {
      mutate(count, seed);
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  private void mutate(int count, long seed) throws IOException {
    byte[][] files = {
      Files.readAllBytes(GOLDENS.resolve("gguf").resolve("llama-gqa.gguf")),
      Files.readAllBytes(GOLDENS.resolve("gguf").resolve("mixtral.gguf")),
      Files.readAllBytes(GOLDENS.resolve("tokenizers").resolve("sp-llama.vocab.gguf"))
    };
    Random random = new Random(seed);
    Path[] places = new Path[files.length];
    // What is made once, such as tables, belongs to no file.
    for (int f = 0; f < files.length; f++) {
      places[f] = Files.write(folder.resolve("mutated-%d-%d.gguf".formatted(seed, f)), files[f]);
      open(places[f]);
    }
    int refused = 0;
    for (int i = 0; i < count; i++) {
      int f = random.nextInt(files.length);
      byte[] bytes = mutated(files[f], random);
      write(places[f], bytes);
      String which = "seed %d, file %d".formatted(seed, i);
      refused += read(places[f], bytes.length, which) ? 0 : 1;
    }
    assertTrue(
        refused > count / 4 && refused < count,
        "seed %d: %d of %d were refused".formatted(seed, refused, count));
  }

  /** Changes a file that differs in no more than its header and its length. */
  private static void write(Path file, byte[] bytes) throws IOException {
    try (FileChannel channel = FileChannel.open(file, StandardOpenOption.WRITE)) {
      int kept = (int) Math.min(channel.size(), bytes.length);
      channel.truncate(kept);
      channel.write(ByteBuffer.wrap(bytes, 0, Math.min(bytes.length, HEADER)), 0);
      int from = Math.max(kept, HEADER);
      if (from < bytes.length) {
        channel.write(ByteBuffer.wrap(bytes, from, bytes.length - from), from);
      }
    }
  }

  /** Whether a file is read; fails where it is refused by another error than a file's. */
  private static boolean read(Path file, long size, String which) {
    ThreadMXBean threads = (ThreadMXBean) ManagementFactory.getThreadMXBean();
    long before = threads.getCurrentThreadAllocatedBytes();
    try {
      assertTrue(open(file), which);
      return true;
    } catch (WeightsException e) {
      assertTrue(e.getMessage().contains(file.toString()), which + ": " + e.getMessage());
      return false;
    } catch (IOException | RuntimeException | Error e) {
      return fail(which + ": " + e, e);
    } finally {
      long made = threads.getCurrentThreadAllocatedBytes() - before;
      assertTrue(
          made <= MOST_BYTES + MOST_BYTES_EACH * size,
          "%s: %d bytes of objects for a file of %d".formatted(which, made, size));
    }
  }

  /** Looks at all that a file has; whether each tensor has as many elements as can be. */
  private static boolean open(Path file) throws IOException {
    try (GgufFile opened = GgufFile.open(file)) {
      opened.config();
      boolean right = true;
      for (String name : opened.names()) {
        right &= opened.get(name).elements() >= 0;
        opened.stored(name);
      }
      return right;
    }
  }

  private static byte[] mutated(byte[] file, Random random) {
    byte[] bytes = file.clone();
    ByteBuffer buffer = ByteBuffer.wrap(bytes).order(ByteOrder.LITTLE_ENDIAN);
    int header = Math.min(bytes.length, HEADER);
    for (int changes = 1 + random.nextInt(3); changes > 0; changes--) {
      int at = random.nextInt(header - 8);
      switch (random.nextInt(5)) {
        case 0 -> bytes[at] = (byte) random.nextInt(256);
        case 1 -> bytes[at] ^= (byte) (1 << random.nextInt(8));
        case 2 -> buffer.putLong(at, NUMBERS[random.nextInt(NUMBERS.length)]);
        case 3 -> buffer.putInt(at, (int) NUMBERS[random.nextInt(NUMBERS.length)]);
        default -> {
          int from = random.nextInt(header - 64);
          int length = Math.min(1 + random.nextInt(64), header - at);
          System.arraycopy(file, from, bytes, at, Math.min(length, header - from));
        }
      }
    }
    return random.nextInt(4) == 0 ? Arrays.copyOf(bytes, random.nextInt(bytes.length + 1)) : bytes;
  }
}
