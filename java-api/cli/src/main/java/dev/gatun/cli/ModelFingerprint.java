package dev.gatun.cli;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.SeekableByteChannel;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.MessageDigest;
import java.util.List;
import java.util.stream.Stream;

/**
 * Tells models apart by what lies in their directories: the names and sizes of all files, the bytes
 * of small ones, and samples all over large ones (training changes a weights file everywhere).
 */
final class ModelFingerprint {
  private static final int SAMPLE = 1 << 14;
  private static final int SAMPLES = 64;

  private ModelFingerprint() {}

  static String of(Path directory) {
    MessageDigest digest = Digests.sha256();
    try (Stream<Path> tree = Files.walk(directory)) {
      List<Path> files = tree.filter(Files::isRegularFile).sorted().toList();
      for (Path file : files) {
        String name = directory.relativize(file).toString();
        digest.update((name + "\n" + Files.size(file) + "\n").getBytes(StandardCharsets.UTF_8));
        sample(file, digest);
      }
    } catch (IOException e) {
      throw new CliException(directory + ": cannot be read: " + e.getMessage(), e);
    }
    return Digests.hex(digest.digest());
  }

  private static void sample(Path file, MessageDigest digest) throws IOException {
    long size = Files.size(file);
    if (size <= (long) SAMPLE * SAMPLES) {
      digest.update(Files.readAllBytes(file));
      return;
    }
    ByteBuffer buffer = ByteBuffer.allocate(SAMPLE);
    try (SeekableByteChannel channel = Files.newByteChannel(file)) {
      for (int i = 0; i < SAMPLES; i++) {
        buffer.clear();
        channel.position((size - SAMPLE) / (SAMPLES - 1) * i);
        while (buffer.hasRemaining() && channel.read(buffer) >= 0) {
          // reads until the sample is full
        }
        digest.update(buffer.flip());
      }
    }
  }
}
