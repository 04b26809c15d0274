package dev.gatun.test.cache;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.gatun.kernels.api.memory.DType;
import dev.gatun.nn.KvCache;
import dev.gatun.nn.KvCacheFullException;
import dev.gatun.nn.KvSequence;
import dev.gatun.nn.KvStep;
import dev.gatun.tensor.Device;
import java.util.Arrays;
import java.util.List;
import org.junit.jupiter.api.Test;

/** Caches of keys and values, beside each sequence's own whole history. */
final class KvCacheTest {
  private static final Device CPU = Device.cpu();
  private static final KvCache.Shape SMALL = new KvCache.Shape(1, 1, 4, DType.F32);

  @Test
  void random_scripts_attend_to_each_sequences_own_history() {
    long before = CPU.memory().allocatedBytes();
    int refused = 0;
    long first = Long.getLong("gatun.test.seed", 1);
    for (long seed = first; seed < first + 60; seed++) {
      refused += CacheScript.run(CPU, seed, 50);
    }
    assertTrue(refused > 20, "from seed %d on full only %d times".formatted(first, refused));
    assertEquals(before, CPU.memory().allocatedBytes(), "memory is given back");
  }

  @Test
  void a_full_cache_says_what_is_free_and_loses_nothing() {
    try (KvCache cache = KvCache.paged(CPU, SMALL, 4, 3);
        KvSequence a = cache.open()) {
      try (KvSequence b = cache.open()) {
        cache.step(List.of(a, b), 6, 2).close();
        KvCacheFullException e =
            assertThrows(KvCacheFullException.class, () -> cache.step(List.of(a, b), 1, 3));
        assertEquals(
            "key/value cache: 4 tokens more for 2 sequences that have 8 need 1 pages of 4 tokens,"
                + " 0 of 3 are free. Give the cache more pages (one has 128 bytes), append to fewer"
                + " sequences at once, or close some",
            e.getMessage());
        assertEquals(6, a.length());
        assertEquals(2, b.length());
        cache.step(List.of(a, b), 2, 2).close();
      }
      cache.step(List.of(a), 4).close();
      assertEquals(12, a.length());
    }
  }

  @Test
  void sequences_that_fork_share_pages_until_one_writes() {
    try (KvCache cache = KvCache.paged(CPU, SMALL, 4, 8);
        KvSequence a = cache.open()) {
      cache.step(List.of(a), 6).close();
      assertEquals(6, cache.freePages());
      KvSequence b = a.fork();
      KvSequence c = a.fork();
      assertEquals(6, cache.freePages());
      // Two of the three copy the page that is not full, the last one keeps it.
      assertEquals(2, cache.pagesNeeded(List.of(a, b, c), 1, 1, 1));
      cache.step(List.of(a, b, c), 1, 1, 1).close();
      assertEquals(4, cache.freePages());
      b.close();
      assertEquals(5, cache.freePages());
      c.truncate(4);
      assertEquals(6, cache.freePages());
      c.close();
      assertEquals(6, cache.freePages());
    }
  }

  @Test
  void pages_are_found_by_their_tokens_until_their_memory_is_needed() {
    try (KvCache cache = KvCache.paged(CPU, SMALL, 4, 8)) {
      int[] ids = {1, 2, 3, 4, 5, 6, 7, 8, 9, 10};
      KvSequence a = cache.open();
      cache.step(List.of(a), 10).close();
      a.remember(ids);
      a.close();
      assertEquals(8, cache.freePages(), "what is kept is free");
      int[] longer = {1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12};
      assertFound(cache, 10, longer, 11);
      assertFound(cache, 9, ids, 9);
      assertFound(cache, 6, new int[] {1, 2, 3, 4, 5, 6, 0, 0}, 8);
      assertFound(cache, 0, new int[] {5, 6, 7, 8}, 4);
      // Another end is written to a page of its own.
      try (KvSequence b = cache.open(ids, 9)) {
        cache.step(List.of(b), 3).close();
        b.remember(1, 2, 3, 4, 5, 6, 7, 8, 9, 0, 0, 0);
        assertFound(cache, 10, longer, 11);
        assertFound(cache, 12, new int[] {1, 2, 3, 4, 5, 6, 7, 8, 9, 0, 0, 0, 7}, 12);
        // 3 pages are in use; of the others the one with the tokens 9 and 10 was left first.
        KvSequence c = cache.open();
        cache.step(List.of(c), 20).close();
        assertFound(cache, 9, longer, 11);
        c.close();
      }
      try (KvSequence all = cache.open()) {
        cache.step(List.of(all), 32).close();
        assertFound(cache, 0, longer, 11);
      }
    }
  }

  @Test
  void long_sequences_have_pages_of_their_own_where_their_keys_are_others() {
    try (KvCache cache = KvCache.paged(CPU, SMALL.withSwitchLength(6), 2, 20)) {
      int[] ids = {1, 2, 3, 4, 5, 6, 7, 8};
      try (KvSequence a = cache.open(Arrays.copyOf(ids, 6), 6)) {
        cache.step(List.of(a), 6).close();
        a.remember(Arrays.copyOf(ids, 6));
        assertFound(cache, 4, Arrays.copyOf(ids, 6), 4);
        assertFound(cache, 0, ids, 7);
        assertFalse(a.canBecome(7));
        refused(
            "key/value cache: sequence 0 has 6 tokens and would have 7: beyond 6 all keys turn"
                + " another way. Compute all of its tokens again, in a sequence that open(ids, 0)"
                + " gives for them",
            () -> cache.step(List.of(a), 1));
        assertEquals(6, a.length());
      }
      // In chunks where it is known what it will be, else at once.
      try (KvSequence b = cache.open(ids, 0);
          KvSequence c = cache.open()) {
        cache.step(List.of(b, c), 2, 8).close();
        cache.step(List.of(b), 6).close();
        try (KvSequence d = c.fork()) {
          assertTrue(b.isLong() && c.isLong() && d.isLong());
        }
        b.remember(ids);
        assertFound(cache, 7, ids, 7);
        assertFound(cache, 4, Arrays.copyOf(ids, 6), 4);
        c.truncate(0);
        assertFalse(c.isLong());
      }
    }
  }

  private static void assertFound(KvCache cache, int tokens, int[] ids, int most) {
    try (KvSequence sequence = cache.open(ids, most)) {
      assertEquals(tokens, sequence.length());
      sequence.remember(ids);
    }
  }

  @Test
  void a_full_cache_is_written_where_it_is_known() {
    try (KvCache cache = KvCache.paged(CPU, SMALL, 4, 2)) {
      KvSequence a = cache.open();
      cache.step(List.of(a), 8).close();
      a.remember(1, 2, 3, 4, 5, 6, 7, 8);
      a.truncate(6);
      cache.step(List.of(a), 2).close();
      assertEquals(8, a.length());
      a.close();
      assertFound(cache, 4, new int[] {1, 2, 3, 4, 5, 6, 7, 8}, 8);
    }
  }

  /** A window of one token leaves nothing of a sequence that ends with its page. */
  @Test
  void a_sequence_of_which_no_page_is_left_goes_on() {
    try (KvCache cache = KvCache.paged(CPU, SMALL.withWindow(1), 2, 5);
        KvSequence a = cache.open();
        KvSequence b = cache.open()) {
      cache.step(List.of(a), 8).close();
      cache.step(List.of(a, b), 0, 1).close();
      assertEquals(4, cache.freePages(), "the other one's is taken");
      cache.step(List.of(a, b), 1, 0).close();
      assertEquals(9, a.length());
      assertEquals(3, cache.freePages());
    }
  }

  @Test
  void a_window_keeps_the_pages_that_it_sees() {
    KvCache.Shape windowed = SMALL.withWindow(5);
    try (KvCache cache = KvCache.paged(CPU, windowed, 2, 5);
        KvSequence a = cache.open()) {
      for (int i = 0; i < 100; i++) {
        cache.step(List.of(a), 1).close();
        assertTrue(cache.freePages() >= 1, "after " + i);
      }
      assertEquals(100, a.length());
      try (KvSequence b = a.fork()) {
        b.truncate(99);
        assertEquals(
            "key/value cache: a sequence of 99 tokens cannot be cut to 50, whose window of 5 is"
                + " gone: it has those from 94 on",
            assertThrows(IllegalArgumentException.class, () -> b.truncate(50)).getMessage());
      }
    }
  }

  @Test
  void a_place_for_each_sequence_is_a_page_that_is_long_enough() {
    try (KvCache cache = KvCache.contiguous(CPU, SMALL, 2, 10)) {
      assertEquals(2 * 10 * 32, cache.bytes());
      KvSequence a = cache.open();
      KvSequence b = cache.open();
      cache.step(List.of(a, b), 10, 1).close();
      KvSequence c = cache.open();
      assertThrows(KvCacheFullException.class, () -> cache.step(List.of(c), 1));
      a.close();
      cache.step(List.of(c), 1).close();
    }
  }

  @Test
  void what_makes_no_sense_is_refused() {
    refused(
        "key/value cache: 3 pages of 0 tokens, expected numbers from 1",
        () -> KvCache.paged(CPU, SMALL, 0, 3));
    refused(
        "key/value cache: dtype U8, expected F32, BF16, F16 or I8",
        () -> SMALL.withDtype(DType.U8));
    refused(
        "key/value cache: 100 bytes, one page of 4 tokens has 128",
        () -> KvCache.ofBytes(CPU, SMALL, 4, 100));
    try (KvCache cache = KvCache.ofBytes(CPU, SMALL, 4, 1100);
        KvCache other = KvCache.paged(CPU, SMALL, 4, 1);
        KvStep step = cache.step(2, 3, 8)) {
      assertEquals(8, cache.pages());
      KvSequence a = cache.open();
      KvSequence b = other.open();
      refused(
          "key/value cache: sequence 1 is of another cache", () -> step.write(List.of(a, b), 1, 1));
      refused(
          "key/value cache: sequence 1 is there twice in one step",
          () -> step.write(List.of(a, a), 1, 1));
      refused(
          "key/value cache: 2 sequences, and numbers of tokens for 1",
          () -> step.write(List.of(a, a), 1));
      refused("key/value cache: -1 tokens for sequence 0", () -> step.write(List.of(a), -1));
      refused(
          "key/value cache: 4 tokens more for 1 sequences of up to 4, the step has room for 3 for 2"
              + " of up to 8",
          () -> step.write(List.of(a), 4));
      refused("key/value cache: a sequence of 0 tokens cannot be cut to 1", () -> a.truncate(1));
      a.close();
      a.close();
      assertThrows(IllegalStateException.class, () -> step.write(List.of(a), 1));
      assertThrows(IllegalStateException.class, a::fork);
    }
  }

  private static void refused(String message, Runnable work) {
    assertEquals(message, assertThrows(IllegalArgumentException.class, work::run).getMessage());
  }
}
