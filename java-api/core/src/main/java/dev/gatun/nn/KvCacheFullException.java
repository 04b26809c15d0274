package dev.gatun.nn;

/**
 * A cache of keys and values has too few free pages for what is to be appended. Nothing was
 * appended; where other sequences end, it can be tried again.
 */
public final class KvCacheFullException extends RuntimeException {
  private static final long serialVersionUID = 1;

  private final int asked;
  private final int free;

  KvCacheFullException(String message, int asked, int free) {
    super(message);
    this.asked = asked;
    this.free = free;
  }

  /** {@return the pages that were asked for} */
  public int askedPages() {
    return asked;
  }

  /** {@return the pages that were free} */
  public int freePages() {
    return free;
  }
}
