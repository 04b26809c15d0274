package dev.gatun.generation;

import dev.gatun.nn.KvCache;
import dev.gatun.nn.KvSequence;
import java.util.ArrayDeque;
import java.util.Arrays;
import java.util.Deque;
import java.util.Iterator;

/**
 * Sequences that have ended, kept in the cache for those that begin alike: their pages are shared
 * until somebody writes to them. The one that was not used for longest goes first. Used by the
 * engine's thread.
 */
final class PrefixCache {
  private record Entry(int[] ids, KvSequence sequence) {}

  private final KvCache cache;
  private final int most;
  private final Deque<Entry> entries = new ArrayDeque<>();

  PrefixCache(KvCache cache, int most) {
    this.cache = cache;
    this.most = most;
  }

  /** Takes a sequence that nobody needs any more. */
  void add(TokenHistory history, KvSequence sequence) {
    int[] ids = Arrays.copyOf(history.toArray(), sequence.length());
    for (Iterator<Entry> i = entries.iterator(); i.hasNext(); ) {
      Entry entry = i.next();
      int same = same(entry.ids, ids);
      if (same == ids.length) {
        sequence.close();
        return;
      }
      if (same == entry.ids.length) {
        entry.sequence.close();
        i.remove();
      }
    }
    entries.addFirst(new Entry(ids, sequence));
    if (entries.size() > most) {
      evict();
    }
  }

  /**
   * A sequence of the cache with as many of the history's first tokens as there are, but the last,
   * whose logits are wanted.
   *
   * @param running sequences that are still computed, which may have more of them
   */
  KvSequence open(TokenHistory history, Iterable<Slot> running) {
    int[] ids = history.toArray();
    KvSequence best = null;
    Entry used = null;
    int longest = 0;
    for (Entry entry : entries) {
      int same = Math.min(same(entry.ids, ids), ids.length - 1);
      if (same > longest) {
        longest = same;
        best = entry.sequence;
        used = entry;
      }
    }
    for (Slot slot : running) {
      if (slot.cached() != null && slot.cached().length() > longest) {
        int[] there = Arrays.copyOf(slot.history().toArray(), slot.cached().length());
        int same = Math.min(same(there, ids), ids.length - 1);
        if (same > longest) {
          longest = same;
          best = slot.cached();
          used = null;
        }
      }
    }
    if (best == null) {
      return cache.open();
    }
    if (used != null) {
      entries.remove(used);
      entries.addFirst(used);
    }
    KvSequence fork = best.fork();
    fork.truncate(longest);
    return fork;
  }

  private static int same(int[] a, int[] b) {
    int at = Arrays.mismatch(a, b);
    return at < 0 ? a.length : at;
  }

  /** Gives up the sequence that was not used for longest; false where there is none. */
  boolean evict() {
    Entry oldest = entries.pollLast();
    if (oldest == null) {
      return false;
    }
    oldest.sequence.close();
    return true;
  }

  void clear() {
    while (evict()) {
      // One after the other.
    }
  }
}
