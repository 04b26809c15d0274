package dev.gatun.test.contract.cases;

import dev.gatun.kernels.api.call.attention.AttentionKeys;
import dev.gatun.kernels.api.memory.DType;
import dev.gatun.kernels.api.memory.Indices;
import dev.gatun.kernels.api.memory.Lengths;
import dev.gatun.kernels.api.memory.Operand;
import dev.gatun.test.contract.frame.Data;
import dev.gatun.test.contract.frame.Ragged;
import dev.gatun.test.contract.frame.Values;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collections;
import java.util.List;
import java.util.Random;
import java.util.function.Function;
import java.util.stream.IntStream;

/**
 * How the keys of a case lie.
 *
 * @param ragged the sequences of ragged keys, or null
 * @param lengths in use of a cache, or null
 * @param table the pages of a paged cache, or null
 * @param rows sequences or pages
 * @param room keys in a row
 * @param slack how much longer than the longest length a cache says that one might be
 */
record KeyLayout(Ragged ragged, int[] lengths, Data table, int rows, int room, int slack) {

  static KeyLayout random(Random random, int batch, int room) {
    int[] lengths = new int[batch];
    Arrays.setAll(lengths, i -> random.nextInt(room + 1));
    return switch (random.nextInt(4)) {
      case 0 -> new KeyLayout(null, null, null, batch, room, 0);
      case 1 -> new KeyLayout(null, lengths, null, batch, room, slack(random, lengths, room));
      case 2 ->
          new KeyLayout(Ragged.random(random, "key offsets", lengths), null, null, batch, room, 0);
      default -> paged(random, lengths);
    };
  }

  private static int slack(Random random, int[] lengths, int room) {
    return random.nextInt(room - Arrays.stream(lengths).max().orElse(0) + 1);
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
    return new KeyLayout(null, lengths, data, pages, size, slack(random, lengths, width * size));
  }

  long longest() {
    if (ragged != null) {
      return ragged.longest();
    }
    return table != null ? Arrays.stream(lengths).max().orElse(0) + slack : room;
  }

  long[] shape(long heads, long size) {
    return ragged != null
        ? new long[] {ragged.tokens(), heads, size}
        : new long[] {rows, room, heads, size};
  }

  /** What says where the keys are. */
  List<Data> data() {
    List<Data> data = new ArrayList<>();
    if (ragged != null) {
      data.add(ragged.data());
    }
    if (lengths != null) {
      data.add(Data.ints("key lengths", lengths));
    }
    if (table != null) {
      data.add(table);
    }
    return data;
  }

  AttentionKeys keys(Function<String, Operand> of) {
    int longest = lengths == null ? 0 : Arrays.stream(lengths).max().orElse(0) + slack;
    return new AttentionKeys(
        ragged == null ? null : ragged.offsets(of),
        lengths == null ? null : new Lengths(of.apply("key lengths"), longest),
        Indices.unchecked(of.apply("table")));
  }

  @Override
  public String toString() {
    String kind = ragged != null ? "ragged" : table != null ? "paged" : "padded";
    return kind + " keys" + (lengths == null ? "" : Arrays.toString(lengths));
  }
}
