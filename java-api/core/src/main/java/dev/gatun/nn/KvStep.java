package dev.gatun.nn;

import dev.gatun.ops.Attention;
import dev.gatun.ops.Rotary;
import dev.gatun.tensor.Device;
import dev.gatun.tensor.Ids;
import dev.gatun.tensor.Tensor;
import java.util.Arrays;
import java.util.List;

/**
 * The places of a step's tokens in a {@link KvCache}, and of all tokens of their sequences, in the
 * device's memory. Each layer hands it the tokens' keys and values, and gives what it shows to
 * attention.
 *
 * <p>Work that was captured reads what is in it when it is replayed: {@link #write} puts the next
 * step there.
 */
public final class KvStep implements AutoCloseable {
  private final KvCache cache;
  private final int sequences;
  private final int tokens;
  private final int longest;
  private final int width;
  private final Ids slots;
  private final Tensor table;
  private final Tensor lengths;

  KvStep(KvCache cache, int sequences, int tokens, int longest) {
    this.cache = cache;
    this.sequences = sequences;
    this.tokens = tokens;
    this.longest = longest;
    this.width = Math.ceilDiv(longest, cache.pageSize());
    Device device = cache.device();
    long[] none = new long[tokens];
    Arrays.fill(none, Ids.NONE);
    long below = (long) cache.pages() * cache.pageSize();
    slots = Ids.orNone(device, "slots", below, none);
    table = Tensor.of(device, new int[Math.multiplyExact(sequences, width)], sequences, width);
    lengths = Tensor.of(device, new int[sequences], sequences);
    for (Tensor part : new Tensor[] {slots.values(), table, lengths}) {
      part.detach();
    }
  }

  /**
   * Appends places for tokens to sequences, in the place of those that were there, ahead of all
   * that is asked of the device later. Rows of tokens and of sequences behind these are those of
   * none.
   *
   * @param some distinct and open, no more than there is room for
   * @param counts the tokens of each sequence, no more in all than there is room for
   * @throws IllegalArgumentException when they exceed a bound
   * @throws KvCacheFullException when there are too few free pages; nothing has changed then
   */
  public void write(List<KvSequence> some, int... counts) {
    synchronized (cache) {
      locked(some, counts);
    }
  }

  private void locked(List<KvSequence> some, int... counts) {
    cache.check(some, counts);
    int count = 0;
    int most = 0;
    for (int i = 0; i < counts.length; i++) {
      count = Math.addExact(count, counts[i]);
      most = Math.max(most, Math.addExact(some.get(i).length(), counts[i]));
    }
    if (counts.length > sequences || count > tokens || most > longest) {
      throw new IllegalArgumentException(
          "key/value cache: %d tokens more for %d sequences of up to %d, the step has room for %d for %d of up to %d"
              .formatted(count, counts.length, most, tokens, sequences, longest));
    }
    cache.reserve(some, counts);
    long[] places = new long[tokens];
    int[] pages = new int[sequences * width];
    int[] all = new int[sequences];
    int at = 0;
    for (int i = 0; i < counts.length; i++) {
      KvSequence sequence = some.get(i);
      all[i] = sequence.length();
      for (int token = all[i] - counts[i]; token < all[i]; token++) {
        places[at++] = sequence.slot(token);
      }
      for (int page = 0; page < sequence.pageCount(); page++) {
        pages[i * width + page] = sequence.page(page);
      }
    }
    Arrays.fill(places, at, tokens, Ids.NONE);
    slots.write(places);
    table.write(pages);
    lengths.write(all);
  }

  /** {@return the cache that it belongs to} */
  public KvCache cache() {
    return cache;
  }

  /** {@return the most sequences that it has room for} */
  public int sequences() {
    return sequences;
  }

  /** {@return the rows of tensors that hold the step's tokens: the most that it appends} */
  public int tokens() {
    return tokens;
  }

  /** {@return the most tokens of a sequence, those of the step included} */
  public int longest() {
    return longest;
  }

  /**
   * Takes a layer's queries, keys and values: turns queries and keys by their positions and keeps
   * keys and values.
   *
   * @param layer whose they are, from 0
   * @param qkv of the cache's dtype, any float of a cache of signed bytes [tokens, (heads + 2
   *     kv_heads) head_size]: the queries' heads, then the keys', then the values'
   * @param rotary how queries and keys turn
   * @param positions of the tokens, in the tables of rotary
   * @return the queries [tokens, heads, head_size]
   */
  public Tensor append(int layer, Tensor qkv, RotaryPositionalEmbedding rotary, Ids positions) {
    return Rotary.rotaryCacheUpdate(
        qkv,
        rotary.cosine(),
        rotary.sine(),
        positions,
        rotary.isInterleaved(),
        slots,
        cache.keys(layer),
        cache.values(layer),
        cache.scales(layer));
  }

  /**
   * {@return a layer's keys and values of all tokens of the step's sequences, those appended
   * included: the cache's own memory}
   *
   * @param layer from 0
   */
  public Attention.Keys view(int layer) {
    return Attention.Keys.paged(
            cache.keys(layer), cache.values(layer), table, cache.pages(), lengths, longest)
        .withScales(cache.scales(layer));
  }

  @Override
  public void close() {
    slots.close();
    table.close();
    lengths.close();
  }
}
