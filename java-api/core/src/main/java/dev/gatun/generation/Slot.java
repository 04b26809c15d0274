package dev.gatun.generation;

import dev.gatun.nn.KvSequence;

/** A sequence that is generated, and what of it is in the cache. */
final class Slot {
  private final TokenHistory history;
  private KvSequence cached;

  Slot(TokenHistory history, KvSequence cached) {
    this.history = history;
    this.cached = cached;
  }

  TokenHistory history() {
    return history;
  }

  /** Its part in the cache; null while it has none. */
  KvSequence cached() {
    return cached;
  }

  void open(KvSequence sequence) {
    cached = sequence;
  }

  /** Tokens that are not in the cache. */
  int pending() {
    return history.length() - (cached == null ? 0 : cached.length());
  }

  /** Takes guesses that were wrong out of the cache, and what stands for the last token. */
  void cut() {
    if (cached != null && cached.length() >= history.length()) {
      cached.truncate(history.length() - 1);
    }
  }

  /** Takes its part of the cache out of it, for somebody else to close. */
  KvSequence release() {
    KvSequence released = cached;
    cached = null;
    return released;
  }
}
