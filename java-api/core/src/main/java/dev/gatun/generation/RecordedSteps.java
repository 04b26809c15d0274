package dev.gatun.generation;

import dev.gatun.generation.StepModel.Next;
import dev.gatun.generation.StepModel.Work;
import dev.gatun.models.Chunk;
import dev.gatun.models.LanguageModel;
import dev.gatun.models.TokenBatch;
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

  /**
   * The most of a step.
   *
   * @param tokens all of whose scores are wanted
   * @param longestChunk the most tokens of a sequence in the step
   * @param longest the most tokens of a whole sequence
   * @param longestSource the most tokens of a source; 0 for a model without an encoder
   */
  record Size(int sequences, int tokens, int longestChunk, int longest, int longestSource) {}

  /** Makes a batch of a size, whose steps are written in each other's place. */
  interface Rooms {
    TokenBatch room(Size size);
  }

  private final LanguageModel model;
  private final boolean exact;
  private final Rooms batches;
  private final Map<Size, StepRoom> rooms = new LinkedHashMap<>(MOST, 1, true);
  private final Map<Size, Integer> seen = new LinkedHashMap<>();
  private boolean records = true;

  /**
   * @param exact whether a step takes no room of a larger one
   */
  RecordedSteps(LanguageModel model, boolean exact, Rooms batches) {
    this.model = model;
    this.exact = exact;
    this.batches = batches;
  }

  /** Runs a step, as {@link StepModel#step} has it. */
  List<List<Next>> step(List<Work> works) {
    StepDraws draws = StepDraws.of(works);
    StepRoom room = find(draws.chunks());
    if (room != null) {
      room.run(draws.chunks(), draws.all());
      return draws.results(works, room);
    }
    try (StepRoom once = StepRoom.of(model, draws.chunks(), draws.all())) {
      return draws.results(works, once);
    }
  }

  /** Room for a step; null where it is to be run without. */
  private StepRoom find(List<Chunk> chunks) {
    int longestChunk = 0;
    int longest = 0;
    int longestSource = 0;
    int tokens = 0;
    for (Chunk chunk : chunks) {
      int count = chunk.ids().length;
      if (!records || count > LONGEST_CHUNK || chunk.wanted() != count) {
        return null;
      }
      longestChunk = Math.max(longestChunk, count);
      longest = Math.max(longest, chunk.sequence().length() + count);
      if (chunk.source() != null) {
        longestSource = Math.max(longestSource, chunk.source().length());
      }
      tokens += count;
    }
    int most = model.maxLength();
    longest = Math.min(most, bound(longest));
    longestSource = longestSource == 0 ? 0 : bound(longestSource);
    if (exact && longestChunk > 1) {
      return null;
    }
    int sequences = exact ? chunks.size() : size(chunks.size());
    Size size =
        longestChunk == 1
            ? new Size(sequences, sequences, 1, longest, longestSource)
            : new Size(
                sequences,
                Math.min(size(Math.max(tokens, LONGEST_CHUNK)), sequences * LONGEST_CHUNK),
                Math.min(LONGEST_CHUNK, most),
                longest,
                longestSource);
    StepRoom room = rooms.get(size);
    if (room == null && seen.merge(size, 1, Integer::sum) >= WORTH) {
      room = record(size);
    }
    return room;
  }

  /** The next power of two, from the least on that is worth a size of its own. */
  private static int bound(int length) {
    return Math.max(SHORTEST, Integer.highestOneBit(length - 1 | 1) << 1);
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
      StepRoom room = StepRoom.recorded(model, batches.room(size), size.tokens);
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
