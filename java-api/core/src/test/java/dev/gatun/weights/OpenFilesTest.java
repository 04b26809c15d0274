package dev.gatun.weights;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertSame;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.channels.FileChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.Arrays;
import java.util.Random;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

final class OpenFilesTest {
  private static final int SIZE = 10_000;

  @TempDir Path folder;

  private final byte[] bytes = new byte[SIZE];
  private Path path;

  @BeforeEach
  void write() throws IOException {
    new Random(1).nextBytes(bytes);
    path = Files.write(folder.resolve("weights"), bytes);
  }

  private byte[] read(MemorySegment mapped) {
    byte[] read = new byte[(int) mapped.byteSize()];
    try (FileParts parts = new FileParts()) {
      MemorySegment part = parts.read(mapped);
      assertFalse(part.isMapped());
      MemorySegment.copy(part, ValueLayout.JAVA_BYTE, 0, read, 0, read.length);
    }
    return read;
  }

  @Test
  void bytes_of_any_place_are_the_file_s() throws IOException {
    Path other = Files.write(folder.resolve("other"), new byte[SIZE]);
    Random random = new Random(2);
    try (MappedFiles files = new MappedFiles()) {
      MemorySegment zeros = files.map(other);
      MemorySegment mapped = files.map(path);
      for (int round = 0; round < 100; round++) {
        int begin = random.nextInt(SIZE + 1);
        int size = random.nextInt(SIZE - begin + 1);
        byte[] expected = Arrays.copyOfRange(bytes, begin, begin + size);
        assertArrayEquals(expected, read(mapped.asSlice(begin, size)));
        assertArrayEquals(new byte[size], read(zeros.asSlice(begin, size)));
        MemorySegment copy = MemorySegment.ofArray(new byte[size]);
        FileParts.copy(mapped.asSlice(begin, size), copy);
        assertArrayEquals(expected, copy.toArray(ValueLayout.JAVA_BYTE));
      }
    }
  }

  @Test
  void a_file_that_was_cut_short_is_told() throws IOException {
    try (MappedFiles files = new MappedFiles()) {
      MemorySegment mapped = files.map(path);
      try (FileChannel channel = FileChannel.open(path, StandardOpenOption.WRITE)) {
        channel.truncate(SIZE / 2);
      }
      assertEquals(SIZE / 2, read(mapped.asSlice(0, SIZE / 2)).length);
      WeightsException e = assertThrows(WeightsException.class, () -> read(mapped));
      assertEquals(
          path
              + ": it had 10000 bytes when it was opened, and has 5000 while it is read. Write a"
              + " new file beside it and rename it to its name, in place of writing over it",
          e.getMessage());
    }
  }

  /** An interrupt closes the channel of whoever reads by it, now and later. */
  @Test
  void an_interrupted_reader_reads_the_mapping() throws IOException {
    try (MappedFiles files = new MappedFiles();
        FileParts parts = new FileParts()) {
      MemorySegment mapped = files.map(path);
      for (boolean interrupted : new boolean[] {true, false}) {
        if (interrupted) {
          Thread.currentThread().interrupt();
        }
        MemorySegment part;
        try {
          part = parts.read(mapped);
        } finally {
          assertEquals(interrupted, Thread.interrupted());
        }
        assertSame(mapped, part);
        assertArrayEquals(bytes, part.toArray(ValueLayout.JAVA_BYTE));
      }
    }
  }

  @Test
  void what_is_no_mapping_is_left_alone() throws IOException {
    MemorySegment mapped;
    try (MappedFiles files = new MappedFiles();
        FileParts parts = new FileParts()) {
      mapped = files.map(path);
      MemorySegment plain = MemorySegment.ofArray(bytes);
      assertSame(plain, parts.read(plain));
      assertTrue(OpenFiles.read(mapped, MemorySegment.ofArray(new byte[SIZE])));
    }
    assertFalse(OpenFiles.read(mapped, MemorySegment.ofArray(new byte[SIZE])));
  }
}
