package dev.gatun.bench.generation;

import static java.lang.foreign.ValueLayout.ADDRESS;
import static java.lang.foreign.ValueLayout.JAVA_BYTE;
import static java.lang.foreign.ValueLayout.JAVA_INT;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;

/** A {@code llama_batch} with room for some tokens, each of one sequence. */
final class LlamaCppBatch {
  private static final int BYTES = 56;

  final MemorySegment segment;
  private final MemorySegment ids;
  private final MemorySegment positions;
  private final MemorySegment sequences;
  private final MemorySegment wanted;
  private int count;

  LlamaCppBatch(Arena arena, int most) {
    ids = arena.allocate(JAVA_INT, most);
    positions = arena.allocate(JAVA_INT, most);
    sequences = arena.allocate(JAVA_INT, most);
    wanted = arena.allocate(JAVA_BYTE, most);
    MemorySegment counts = arena.allocate(JAVA_INT, most);
    MemorySegment places = arena.allocate(ADDRESS, most);
    for (int i = 0; i < most; i++) {
      counts.setAtIndex(JAVA_INT, i, 1);
      places.setAtIndex(ADDRESS, i, sequences.asSlice(4L * i, 4));
    }
    segment = arena.allocate(BYTES, 8);
    segment.setAtIndex(ADDRESS, 1, ids);
    segment.setAtIndex(ADDRESS, 3, positions);
    segment.setAtIndex(ADDRESS, 4, counts);
    segment.setAtIndex(ADDRESS, 5, places);
    segment.setAtIndex(ADDRESS, 6, wanted);
  }

  void clear() {
    count = 0;
    segment.set(JAVA_INT, 0, 0);
  }

  void add(int id, int position, int sequence, boolean scored) {
    ids.setAtIndex(JAVA_INT, count, id);
    positions.setAtIndex(JAVA_INT, count, position);
    sequences.setAtIndex(JAVA_INT, count, sequence);
    wanted.set(JAVA_BYTE, count, (byte) (scored ? 1 : 0));
    segment.set(JAVA_INT, 0, ++count);
  }
}
