package dev.gatun.test.contract;

import dev.gatun.kernels.api.call.attention.AttentionKeys;
import dev.gatun.kernels.api.memory.DType;
import dev.gatun.kernels.api.memory.Offsets;
import dev.gatun.kernels.api.memory.Operand;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collections;
import java.util.List;
import java.util.Random;
import java.util.stream.IntStream;

/**
 * How the keys of a case lie.
 *
 * @param offsets of ragged keys, or null
 * @param lengths in use of a cache, or null
 * @param table the pages of a paged cache, or null
 * @param rows sequences or pages
 * @param room keys in a row
 */
record KeyLayout(Offsets offsets, int[] lengths, Data table, int rows, int room) {

  static KeyLayout random(Random random, int batch, int room) {
    int[] lengths = new int[batch];
    Arrays.setAll(lengths, i -> random.nextInt(room + 1));
    return switch (random.nextInt(4)) {
      case 0 -> new KeyLayout(null, null, null, batch, room);
      case 1 -> new KeyLayout(null, lengths, null, batch, room);
      case 2 -> new KeyLayout(Offsets.ofLengths(lengths), null, null, batch, room);
      default -> paged(random, lengths);
    };
  }

  /** Pages in random order; entries behind a sequence's last page are nonsense. */
  static KeyLayout paged(Random random, int[] lengths) {
    int size = 1 + random.nextInt(20);
    int width = Math.ceilDiv(Arrays.stream(lengths).max().orElse(0), size) + random.nextInt(2);
    int pages = lengths.length * width + 2;
    List<Integer> order = new ArrayList<>(IntStream.range(0, pages).boxed().toList());
    Collections.shuffle(order, random);
    double[] table = new double[lengths.length * width];
    for (int i = 0; i < table.length; i++) {
      boolean used = i % width * size < lengths[i / width];
      table[i] = used ? order.get(i) : -77;
    }
    long[] shape = {lengths.length, width};
    Data data = Data.rows("table", DType.I32, Values.of(table), shape);
    return new KeyLayout(null, lengths, data, pages, size);
  }

  long longest() {
    if (offsets != null) {
      return offsets.longest();
    }
    return table != null ? Arrays.stream(lengths).max().orElse(0) : room;
  }

  long[] shape(long heads, long size) {
    return offsets != null
        ? new long[] {offsets.tokens(), heads, size}
        : new long[] {rows, room, heads, size};
  }

  AttentionKeys keys(Operand blockTable) {
    return new AttentionKeys(offsets, lengths, blockTable);
  }

  @Override
  public String toString() {
    String kind = offsets != null ? "ragged" : table != null ? "paged" : "padded";
    return kind + " keys" + (lengths == null ? "" : Arrays.toString(lengths));
  }
}
