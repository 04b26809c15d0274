package dev.gatun.test.emulator;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.Arrays;
import java.util.HashMap;
import java.util.Map;

/**
 * What a device's primitives made of the probes' words: a file of little-endian words, and an index
 * with a line for each probe, {@code name first-word words hash-of-input}.
 */
final class RecordedVectors {
  private final Map<String, int[]> outputs = new HashMap<>();
  private final Map<String, Integer> inputs = new HashMap<>();

  static Path index(Path folder, String target) {
    return folder.resolve(target + ".txt");
  }

  /** Appends to {@code target.bin} and {@code target.txt}, which may be there already. */
  static final class Writer {
    private final Path words;
    private final Path index;

    Writer(Path folder, String target) throws IOException {
      Files.createDirectories(folder);
      words = folder.resolve(target + ".bin");
      index = index(folder, target);
    }

    /** The words first, so that whatever the index names is there. */
    void append(Probe probe, int[] output) throws IOException {
      long first = Files.exists(words) ? Files.size(words) / 4 : 0;
      ByteBuffer bytes = ByteBuffer.allocate(4 * output.length).order(ByteOrder.LITTLE_ENDIAN);
      Arrays.stream(output).forEach(bytes::putInt);
      Files.write(words, bytes.array(), StandardOpenOption.CREATE, StandardOpenOption.APPEND);
      String line =
          "%s %d %d %08x\n"
              .formatted(probe.name(), first, output.length, Arrays.hashCode(probe.input()));
      Files.writeString(index, line, StandardOpenOption.CREATE, StandardOpenOption.APPEND);
    }
  }

  static RecordedVectors read(Path folder, String target) throws IOException {
    RecordedVectors recorded = new RecordedVectors();
    ByteBuffer bytes =
        ByteBuffer.wrap(Files.readAllBytes(folder.resolve(target + ".bin")))
            .order(ByteOrder.LITTLE_ENDIAN);
    for (String line : Files.readAllLines(index(folder, target))) {
      String[] part = line.split(" ");
      int[] words = new int[Integer.parseInt(part[2])];
      bytes.position(4 * Integer.parseInt(part[1])).asIntBuffer().get(words);
      recorded.outputs.put(part[0], words);
      recorded.inputs.put(part[0], Integer.parseUnsignedInt(part[3], 16));
    }
    return recorded;
  }

  /** Where an output differs from the recorded one; null where it does not. */
  String difference(Probe probe, int[] output) {
    int[] words = outputs.get(probe.name());
    if (words == null || inputs.get(probe.name()) != Arrays.hashCode(probe.input())) {
      return probe + ": no vector is recorded for these words: record them again";
    }
    for (int i = 0; i < output.length; i++) {
      if (!probe.expected().agree(i, words[i], output[i])) {
        return "%s: word %d is 0x%08x, a device made 0x%08x of the same"
            .formatted(probe, i, output[i], words[i]);
      }
    }
    return null;
  }
}
