package dev.gatun.nn;

import java.util.Arrays;

/**
 * A sequence whose keys and values a {@link KvCache} holds: a list of pages, of which the first
 * ones may be shared with sequences that begin alike. Closing it gives back the pages that nobody
 * shares.
 */
public final class KvSequence implements AutoCloseable {
  private final KvCache cache;
  private int[] pages = new int[4];
  private int pageCount;
  private int length;
  private boolean closed;
  // Pages before the window, which were given back.
  private int dropped;
  // Pages, all of them full, whose tokens were told, and the last of them.
  private int remembered;
  private PageTree.Node last;
  private boolean isLong;

  KvSequence(KvCache cache, boolean isLong) {
    this.cache = cache;
    this.isLong = isLong;
  }

  /** {@return the cache that it belongs to} */
  public KvCache cache() {
    return cache;
  }

  /**
   * {@return the number of tokens that it has, those included that were given back for being before
   * the window}
   */
  public int length() {
    synchronized (cache) {
      return length;
    }
  }

  /**
   * {@return another sequence of the same tokens, which shares all pages until one of the two
   * writes; to be closed by the caller}
   *
   * @throws IllegalStateException when this one is closed
   */
  public KvSequence fork() {
    synchronized (cache) {
      requireOpen();
      KvSequence other = new KvSequence(cache, isLong);
      other.pages = Arrays.copyOf(pages, pages.length);
      other.pageCount = pageCount;
      other.length = length;
      other.dropped = dropped;
      other.remembered = remembered;
      other.last = last;
      for (int i = dropped; i < pageCount; i++) {
        cache.pool().share(pages[i]);
      }
      return other;
    }
  }

  /**
   * Forgets the last tokens.
   *
   * @param tokens how many stay
   * @throws IllegalArgumentException for a negative number, and for more than there are
   */
  public void truncate(int tokens) {
    synchronized (cache) {
      requireOpen();
      if (tokens < 0 || tokens > length) {
        throw new IllegalArgumentException(
            "key/value cache: a sequence of %d tokens cannot be cut to %d"
                .formatted(length, tokens));
      }
      int kept = Math.ceilDiv(tokens, cache.pageSize());
      if (tokens > 0 && tokens < length && begin() > Math.max(0, tokens + 1 - window())) {
        throw new IllegalArgumentException(
            "key/value cache: a sequence of %d tokens cannot be cut to %d, whose window of %d is gone: it has those from %d on"
                .formatted(length, tokens, window(), begin()));
      }
      while (pageCount > Math.max(kept, dropped)) {
        cache.pool().release(pages[--pageCount]);
      }
      if (tokens == 0) {
        dropped = 0;
        pageCount = 0;
        isLong = false;
      }
      while (remembered > tokens / cache.pageSize()) {
        last = last.before();
        remembered--;
      }
      length = tokens;
    }
  }

  /**
   * Says what the tokens are, so that {@link KvCache#open(int[], int)} finds them, now and, as long
   * as their pages are not needed, after this sequence was closed.
   *
   * @param ids of the whole sequence, and perhaps of what is to come
   */
  public void remember(int... ids) {
    synchronized (cache) {
      requireOpen();
      int size = cache.pageSize();
      while (remembered * size < length && remembered >= dropped) {
        int begin = remembered * size;
        int end = Math.min(begin + size, Math.min(length, ids.length));
        if (end <= begin) {
          return;
        }
        PageTree.Node node =
            cache.pool().put(last, isLong, pages[remembered], Arrays.copyOfRange(ids, begin, end));
        if (node == null || end < begin + size) {
          return;
        }
        last = node;
        remembered++;
      }
    }
  }

  /** {@return whether it has full pages whose tokens nobody told} */
  public boolean hasUnknownPages() {
    synchronized (cache) {
      return remembered < length / cache.pageSize();
    }
  }

  /**
   * {@return whether its keys are those of a sequence of more than {@link
   * KvCache.Shape#switchLength()} tokens; it may have fewer still}
   */
  public boolean isLong() {
    synchronized (cache) {
      return isLong;
    }
  }

  /**
   * {@return whether it may come to have so many tokens} One that becomes a long one is computed
   * again: in a sequence that {@link KvCache#open(int[], int)} gives for all of its tokens.
   *
   * @param tokens in all, those that it has included
   */
  public boolean canBecome(int tokens) {
    synchronized (cache) {
      return isLong || length == 0 || !cache.shape().isLong(tokens);
    }
  }

  /**
   * {@return whether it is a long one once it has so many tokens more}
   *
   * @param more tokens that would be appended
   */
  public boolean isLongWith(int more) {
    synchronized (cache) {
      return isLong || length == 0 && cache.shape().isLong(more);
    }
  }

  /** {@return whether it was closed} */
  public boolean isClosed() {
    synchronized (cache) {
      return closed;
    }
  }

  @Override
  public void close() {
    synchronized (cache) {
      if (!closed) {
        truncate(0);
        closed = true;
      }
    }
  }

  @Override
  public String toString() {
    synchronized (cache) {
      return closed ? "a closed sequence" : length + " tokens in " + pageCount + " pages";
    }
  }

  void requireOpen() {
    if (closed) {
      throw new IllegalStateException("key/value cache: the sequence is closed");
    }
  }

  int pageCount() {
    return pageCount;
  }

  /** A page; of those that were given back the first one that was not, any where none is left. */
  int page(int i) {
    int there = Math.max(i, dropped);
    return there < pageCount ? pages[there] : 0;
  }

  /** Puts a page in the place of another one. */
  void replace(int i, int page) {
    pages[i] = page;
  }

  private long window() {
    return cache.shape().window();
  }

  /** The first token that is there still. */
  private int begin() {
    return dropped * cache.pageSize();
  }

  /** Gives back the pages of the tokens before one that nobody will see again. */
  void drop(long first) {
    for (; (dropped + 1L) * cache.pageSize() <= first; dropped++) {
      cache.pool().release(pages[dropped]);
      pages[dropped] = -1;
    }
  }

  void addPage(int page) {
    if (pageCount == pages.length) {
      pages = Arrays.copyOf(pages, 2 * pageCount);
    }
    pages[pageCount++] = page;
  }

  void grow(int tokens) {
    isLong = isLongWith(tokens);
    length += tokens;
  }

  /** The place of a token in the cache. */
  long slot(int token) {
    int size = cache.pageSize();
    return (long) pages[token / size] * size + token % size;
  }
}
