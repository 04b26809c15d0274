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

  KvSequence(KvCache cache) {
    this.cache = cache;
  }

  public KvCache cache() {
    return cache;
  }

  /** The tokens whose keys and values are in the cache. */
  public int length() {
    synchronized (cache) {
      return length;
    }
  }

  /**
   * Another sequence of the same tokens, which shares all pages until one of the two writes.
   *
   * @throws IllegalStateException when this one is closed
   */
  public KvSequence fork() {
    synchronized (cache) {
      requireOpen();
      KvSequence other = new KvSequence(cache);
      other.pages = Arrays.copyOf(pages, pages.length);
      other.pageCount = pageCount;
      other.length = length;
      for (int i = 0; i < pageCount; i++) {
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
      while (pageCount > kept) {
        cache.pool().release(pages[--pageCount]);
      }
      length = tokens;
    }
  }

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

  int page(int i) {
    return pages[i];
  }

  /** Puts a page in the place of the last one. */
  void replaceLast(int page) {
    pages[pageCount - 1] = page;
  }

  void addPage(int page) {
    if (pageCount == pages.length) {
      pages = Arrays.copyOf(pages, 2 * pageCount);
    }
    pages[pageCount++] = page;
  }

  void grow(int tokens) {
    length += tokens;
  }

  /** The place of a token in the cache. */
  long slot(int token) {
    int size = cache.pageSize();
    return (long) pages[token / size] * size + token % size;
  }
}
