package dev.gatun.generation;

import dev.gatun.models.CausalLm;
import dev.gatun.models.Chunk;
import dev.gatun.nn.KvCache;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/**
 * Decoding steps that were recorded, by their size: a step with fewer sequences takes the room of a
 * larger one. A size is recorded when it comes back; the one that was not used for longest is
 * forgotten.
 */
final class RecordedSteps implements AutoCloseable {
  /** Tokens of a sequence up to which a step counts as decoding. */
  static final int LONGEST_CHUNK = 8;

  private static final int MOST = 16;
  private static final int SHORTEST = 512;

  /** Times that a size comes before it is recorded. */
  private static final int WORTH = 3;

  private record Size(int sequences, int tokens, int longestChunk, int longest) {}

  private final CausalLm model;
  private final KvCache cache;
  private final Map<Size, StepRoom> rooms = new LinkedHashMap<>(MOST, 1, true);
  private final Map<Size, Integer> seen = new LinkedHashMap<>();
  private boolean records = true;

  RecordedSteps(CausalLm model, KvCache cache) {
    this.model = model;
    this.cache = cache;
  }

  /** Room for a step; null where it is to be run without. */
  StepRoom find(List<Chunk> chunks) {
    int longestChunk = 0;
    int longest = 0;
    int tokens = 0;
    for (Chunk chunk : chunks) {
      int count = chunk.ids().length;
      if (!records || count > LONGEST_CHUNK || chunk.wanted() != count) {
        return null;
      }
      longestChunk = Math.max(longestChunk, count);
      longest = Math.max(longest, chunk.sequence().length() + count);
      tokens += count;
    }
    int most = model.maxLength();
    longest = Math.min(most, Math.max(SHORTEST, Integer.highestOneBit(longest - 1 | 1) << 1));
    int sequences = size(chunks.size());
    Size size =
        longestChunk == 1
            ? new Size(sequences, sequences, 1, longest)
            : new Size(
                sequences,
                Math.min(size(Math.max(tokens, LONGEST_CHUNK)), sequences * LONGEST_CHUNK),
                Math.min(LONGEST_CHUNK, most),
                longest);
    StepRoom room = rooms.get(size);
    if (room == null && seen.merge(size, 1, Integer::sum) >= WORTH) {
      room = record(size);
    }
    return room;
  }

  /** 1, 2, 3, 4, 6, 8, 12, 16: the next of them. */
  private static int size(int count) {
    int power = Integer.highestOneBit(count);
    return count == power ? power : count <= power + power / 2 ? power + power / 2 : 2 * power;
  }

  private StepRoom record(Size size) {
    try {
      if (rooms.size() == MOST) {
        Size oldest = rooms.keySet().iterator().next();
        rooms.remove(oldest).close();
      }
      StepRoom room =
          StepRoom.recorded(
              model, cache, size.sequences, size.tokens, size.longestChunk, size.longest);
      rooms.put(size, room);
      return room;
    } catch (UnsupportedOperationException | OutOfMemoryError e) {
      // Steps are run one by one then, with the same results.
      records = false;
      return null;
    }
  }

  @Override
  public void close() {
    rooms.values().forEach(StepRoom::close);
    rooms.clear();
  }
}
