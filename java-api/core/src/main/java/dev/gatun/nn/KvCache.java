package dev.gatun.nn;

import dev.gatun.kernels.api.memory.DType;
import dev.gatun.ops.Attention;
import dev.gatun.ops.Layouts;
import dev.gatun.tensor.Device;
import dev.gatun.tensor.Tensor;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.stream.Stream;

/**
 * The keys and values of tokens that attention will see again, in pages of a fixed number of tokens
 * (Kwon et al., arXiv 2309.06180). All of its memory is taken when it is made. Sequences take pages
 * as they grow; a {@link KvSequence#fork} shares them until one of the two writes to a page, which
 * is copied then.
 *
 * <p>A step appends tokens to some sequences: {@link #step} finds their places, {@link KvStep} then
 * takes each layer's keys and values and shows attention those of the whole sequences.
 *
 * <p>Sequences may be opened, forked and closed by many threads; one thread at a time makes steps.
 */
public final class KvCache implements AutoCloseable {
  private final Device device;
  private final Shape shape;
  private final int pageSize;
  private final PagePool pool;
  private final List<Tensor> keys = new ArrayList<>();
  private final List<Tensor> values = new ArrayList<>();
  // Of a cache of signed bytes, a number for each of a token's rows; else none.
  private final List<Tensor> keyScales = new ArrayList<>();
  private final List<Tensor> valueScales = new ArrayList<>();
  private boolean closed;

  /**
   * What a model keeps of a token.
   *
   * @param layers with attention
   * @param kvHeads heads of keys, and of values
   * @param headSize elements of a head
   * @param dtype of the elements: F32, BF16 or F16; or I8, signed bytes with a scale in F32 for
   *     each head's key and each head's value
   * @param window the tokens that every layer sees at most, the current one included, after which
   *     pages are given back; 0 where some layer sees all
   * @param switchLength the tokens up to which keys of a sequence are turned one way; all keys of a
   *     longer one are turned another way (LongRoPE, arXiv 2402.13753); 0 for one way
   */
  public record Shape(
      int layers, int kvHeads, int headSize, DType dtype, long window, int switchLength) {
    /**
     * Checks the arguments.
     *
     * @throws IllegalArgumentException naming what does not fit, and what would
     */
    public Shape {
      if (layers < 0 || kvHeads < 1 || headSize < 1) {
        throw new IllegalArgumentException(
            "key/value cache: %d layers of %d heads of %d elements, expected numbers from 1"
                .formatted(layers, kvHeads, headSize));
      }
      if (dtype != DType.F32 && dtype != DType.BF16 && dtype != DType.F16 && dtype != DType.I8) {
        throw new IllegalArgumentException(
            "key/value cache: dtype %s, expected F32, BF16, F16 or I8".formatted(dtype));
      }
    }

    /**
     * The same for layers some of which see all tokens, and keys that turn one way.
     *
     * @param layers with attention
     * @param kvHeads heads of keys, and of values
     * @param headSize elements of a head
     * @param dtype of the elements: F32, BF16, F16 or I8
     */
    public Shape(int layers, int kvHeads, int headSize, DType dtype) {
      this(layers, kvHeads, headSize, dtype, 0, 0);
    }

    /** {@return the bytes of a token's keys and values in all layers, their scales included} */
    public long tokenBytes() {
      long scale = dtype == DType.I8 ? Float.BYTES : 0;
      return 2L * layers * kvHeads * ((long) headSize * dtype.bytes() + scale);
    }

    /**
     * {@return the same kept as other numbers}
     *
     * @param other F32, BF16, F16 or I8
     */
    public Shape withDtype(DType other) {
      return new Shape(layers, kvHeads, headSize, other, window, switchLength);
    }

    /**
     * {@return the same where every layer sees so many tokens at most}
     *
     * @param tokens the current one included; 0 for all of them
     */
    public Shape withWindow(long tokens) {
      return new Shape(layers, kvHeads, headSize, dtype, tokens, switchLength);
    }

    /**
     * {@return the same where keys of longer sequences are turned another way}
     *
     * @param tokens of the longest sequence whose keys are turned the first way; 0 for one way
     */
    public Shape withSwitchLength(int tokens) {
      return new Shape(layers, kvHeads, headSize, dtype, window, tokens);
    }

    /** Whether keys of a sequence of so many tokens are those of long ones. */
    boolean isLong(int tokens) {
      return switchLength > 0 && tokens > switchLength;
    }
  }

  private KvCache(Device device, Shape shape, int pageSize, int pages) {
    if (pageSize < 1 || pages < 1) {
      throw new IllegalArgumentException(
          "key/value cache: %d pages of %d tokens, expected numbers from 1"
              .formatted(pages, pageSize));
    }
    this.device = device;
    this.shape = shape;
    this.pageSize = pageSize;
    this.pool = new PagePool(pageSize, pages);
    try {
      for (int layer = 0; layer < shape.layers(); layer++) {
        for (List<Tensor> side : List.of(keys, values)) {
          side.add(
              Tensor.empty(
                      device, shape.dtype(), pages, pageSize, shape.kvHeads(), shape.headSize())
                  .detach());
        }
        for (List<Tensor> side : List.of(keyScales, valueScales)) {
          if (shape.dtype() == DType.I8) {
            side.add(Tensor.empty(device, DType.F32, pages, pageSize, shape.kvHeads()).detach());
          }
        }
      }
    } catch (RuntimeException | Error e) {
      close();
      throw e;
    }
  }

  /**
   * Pages that any sequence may take.
   *
   * @param device where it is
   * @param shape what is kept of a token
   * @param pageSize tokens of a page; a sequence leaves less than one page of room unused
   * @param pages of all sequences
   * @return the cache, without sequences
   * @throws IllegalArgumentException where pageSize or pages is below 1
   * @throws OutOfMemoryError naming the bytes asked and held
   */
  public static KvCache paged(Device device, Shape shape, int pageSize, int pages) {
    return new KvCache(device, shape, pageSize, pages);
  }

  /**
   * As many pages as fit in some bytes.
   *
   * @param device where it is
   * @param shape what is kept of a token
   * @param pageSize tokens of a page
   * @param bytes for keys, values and their scales
   * @return the cache, without sequences
   * @throws IllegalArgumentException where not one page fits
   * @throws OutOfMemoryError naming the bytes asked and held
   */
  public static KvCache ofBytes(Device device, Shape shape, int pageSize, long bytes) {
    long page = Math.multiplyExact(shape.tokenBytes(), (long) pageSize);
    if (bytes < page) {
      throw new IllegalArgumentException(
          "key/value cache: %d bytes, one page of %d tokens has %d"
              .formatted(bytes, pageSize, page));
    }
    return paged(
        device, shape, pageSize, (int) Math.min(bytes / Math.max(1, page), Integer.MAX_VALUE - 8));
  }

  /**
   * A place without gaps for each sequence.
   *
   * @param device where it is
   * @param shape what is kept of a token
   * @param sequences of which there is room for so many
   * @param length the most tokens of a sequence
   * @return the cache, whose pages are these places
   * @throws IllegalArgumentException where sequences or length is below 1
   * @throws OutOfMemoryError naming the bytes asked and held
   */
  public static KvCache contiguous(Device device, Shape shape, int sequences, int length) {
    return new KvCache(device, shape, length, sequences);
  }

  /** {@return the device that it is on} */
  public Device device() {
    return device;
  }

  /** {@return what each token keeps} */
  public Shape shape() {
    return shape;
  }

  /** {@return the tokens of a page} */
  public int pageSize() {
    return pageSize;
  }

  /** {@return the number of all pages, free or not} */
  public int pages() {
    return pool.pages();
  }

  /**
   * {@return the number of pages that no sequence has} What they have had may be found until they
   * are taken.
   */
  public synchronized int freePages() {
    return pool.freePages();
  }

  /** {@return the bytes of all pages, free or not} */
  public long bytes() {
    return shape.tokenBytes() * pageSize * pages();
  }

  /**
   * {@return a new sequence without tokens, to be closed by the caller}
   *
   * @throws IllegalStateException when the cache is closed
   */
  public synchronized KvSequence open() {
    requireOpen();
    return new KvSequence(this, false);
  }

  /**
   * Opens a sequence with as many of some first tokens as pages have that a sequence {@link
   * KvSequence#remember remembered}, of those that have it still and those that were closed. Where
   * keys depend on whether a sequence is long, it is one of as many tokens as there are ids.
   *
   * @param ids of a whole sequence
   * @param most tokens that are wanted
   * @return the sequence, to be closed by the caller; {@link KvSequence#length} says how many
   *     tokens were found, from 0
   * @throws IllegalStateException when the cache is closed
   */
  public synchronized KvSequence open(int[] ids, int most) {
    requireOpen();
    KvSequence sequence = new KvSequence(this, shape.isLong(ids.length));
    List<Integer> pages = new ArrayList<>();
    int found = pool.find(ids, Math.min(most, ids.length), sequence.isLong(), pages);
    pages.forEach(sequence::addPage);
    sequence.grow(found);
    return sequence;
  }

  /**
   * {@return the pages that sequences would take from the free ones if tokens were appended to
   * them}
   *
   * @param sequences distinct and open
   * @param counts the tokens of each sequence
   * @throws IllegalArgumentException when tokens cannot be appended so
   */
  public synchronized int pagesNeeded(List<KvSequence> sequences, int... counts) {
    check(sequences, counts);
    // Each that gives up a shared page leaves one sequence less that has it.
    Map<Integer, Integer> left = new HashMap<>();
    int pages = 0;
    for (int i = 0; i < counts.length; i++) {
      KvSequence sequence = sequences.get(i);
      int after = Math.ceilDiv(Math.addExact(sequence.length(), counts[i]), pageSize);
      pages = Math.addExact(pages, after - sequence.pageCount());
      if (writesShared(sequence, counts[i])) {
        int page = sequence.page(sequence.pageCount() - 1);
        if (left.merge(page, pool.references(page) - 1, (was, _) -> was - 1) > 0) {
          pages++;
        }
      }
    }
    return pages;
  }

  /** Whether the first of some tokens would go to a page that other sequences may have too. */
  private boolean writesShared(KvSequence sequence, int count) {
    return count > 0
        && sequence.length() % pageSize != 0
        && pool.references(sequence.page(sequence.pageCount() - 1)) > 1;
  }

  /**
   * Appends places for tokens to sequences, whose keys and values the step takes.
   *
   * @param sequences distinct and open
   * @param counts the tokens of each sequence
   * @return the step, to be closed by the caller
   * @throws KvCacheFullException when there are too few free pages; nothing has changed then
   */
  public KvStep step(List<KvSequence> sequences, int... counts) {
    check(sequences, counts);
    int tokens = 0;
    int longest = 0;
    for (int i = 0; i < counts.length; i++) {
      tokens = Math.addExact(tokens, counts[i]);
      longest = Math.max(longest, Math.addExact(sequences.get(i).length(), counts[i]));
    }
    KvStep step = step(counts.length, tokens, longest);
    try {
      step.write(sequences, counts);
      return step;
    } catch (RuntimeException | Error e) {
      step.close();
      throw e;
    }
  }

  /**
   * Room for steps that take each other's place, as in work that is captured: see {@link
   * KvStep#write}.
   *
   * @param sequences the most of a step
   * @param tokens the most that a step appends
   * @param longest the most tokens of a sequence, those of the step included
   * @return the step, without tokens yet, to be closed by the caller
   * @throws IllegalStateException when the cache is closed
   */
  public KvStep step(int sequences, int tokens, int longest) {
    requireOpen();
    return new KvStep(this, sequences, tokens, longest);
  }

  private synchronized void requireOpen() {
    if (closed) {
      throw new IllegalStateException("key/value cache: is closed");
    }
  }

  synchronized void check(List<KvSequence> sequences, int... counts) {
    requireOpen();
    if (sequences.size() != counts.length) {
      throw new IllegalArgumentException(
          "key/value cache: %d sequences, and numbers of tokens for %d"
              .formatted(sequences.size(), counts.length));
    }
    Set<KvSequence> seen = new HashSet<>();
    for (int i = 0; i < counts.length; i++) {
      KvSequence sequence = sequences.get(i);
      if (sequence.cache() != this) {
        throw new IllegalArgumentException(
            "key/value cache: sequence %d is of another cache".formatted(i));
      }
      sequence.requireOpen();
      // Whoever only reads may read together.
      if (!seen.add(sequence) && counts[i] > 0) {
        throw new IllegalArgumentException(
            "key/value cache: sequence %d is there twice in one step".formatted(i));
      }
      if (counts[i] < 0) {
        throw new IllegalArgumentException(
            "key/value cache: %d tokens for sequence %d".formatted(counts[i], i));
      }
      int length = Math.addExact(sequence.length(), counts[i]);
      if (!sequence.canBecome(length)) {
        throw new IllegalArgumentException(
            ("key/value cache: sequence %d has %d tokens and would have %d: beyond %d all keys turn"
                 + " another way. Compute all of its tokens again, in a sequence that open(ids, 0)"
                 + " gives for them")
                .formatted(i, sequence.length(), length, shape.switchLength()));
      }
    }
  }

  /** Gives sequences the pages for more tokens, all of them or none. */
  synchronized void reserve(List<KvSequence> sequences, int... counts) {
    int needed = pagesNeeded(sequences, counts);
    if (needed > pool.freePages()) {
      throw full(sequences, needed, counts);
    }
    for (int i = 0; i < counts.length; i++) {
      KvSequence sequence = sequences.get(i);
      if (writesShared(sequence, counts[i])) {
        copyLast(sequence);
      }
      int after = Math.ceilDiv(sequence.length() + counts[i], pageSize);
      while (sequence.pageCount() < after) {
        sequence.addPage(pool.take());
      }
    }
    for (int i = 0; i < counts.length; i++) {
      KvSequence sequence = sequences.get(i);
      keepKnown(sequence, counts[i]);
      if (shape.window() > 0) {
        sequence.drop(Math.max(0, sequence.length() + 1 - shape.window()));
      }
      sequence.grow(counts[i]);
    }
  }

  /**
   * What a page is known to have behind a place that is written is kept by a copy, or forgotten.
   */
  private void keepKnown(KvSequence sequence, int count) {
    int there = sequence.length() % pageSize;
    if (count == 0 || there == 0) {
      return;
    }
    int page = sequence.page(sequence.length() / pageSize);
    if (pool.known(page) <= there) {
      return;
    }
    if (pool.freePages() > 0) {
      int own = pool.take();
      copy(page, own, there);
      sequence.replace(sequence.length() / pageSize, own);
      pool.release(page);
    } else {
      pool.forget(page);
    }
  }

  private void copyLast(KvSequence sequence) {
    int last = sequence.pageCount() - 1;
    int shared = sequence.page(last);
    int own = pool.take();
    copy(shared, own, sequence.length() % pageSize);
    sequence.replace(last, own);
    pool.release(shared);
  }

  /** Copies the first tokens of a page in all layers. */
  private void copy(int from, int to, int tokens) {
    for (Tensor part : memory()) {
      Layouts.copy(
          part.slice(0, from, from + 1).slice(1, 0, tokens),
          part.slice(0, to, to + 1).slice(1, 0, tokens));
    }
  }

  /** All that pages are made of: tensors [pages, page_size, ...]. */
  private List<Tensor> memory() {
    return Stream.of(keys, values, keyScales, valueScales).flatMap(List::stream).toList();
  }

  private KvCacheFullException full(List<KvSequence> sequences, int needed, int... counts) {
    long tokens = 0;
    long before = 0;
    for (int i = 0; i < counts.length; i++) {
      tokens += counts[i];
      before += sequences.get(i).length();
    }
    return new KvCacheFullException(
        ("key/value cache: %d tokens more for %d sequences that have %d need %d pages of %d tokens,"
             + " %d of %d are free. Give the cache more pages (one has %d bytes), append to fewer"
             + " sequences at once, or close some")
            .formatted(
                tokens,
                counts.length,
                before,
                needed,
                pageSize,
                pool.freePages(),
                pages(),
                shape.tokenBytes() * pageSize),
        needed,
        pool.freePages());
  }

  PagePool pool() {
    return pool;
  }

  /** A layer's keys [pages, page_size, kv_heads, head_size]. */
  Tensor keys(int layer) {
    return keys.get(layer);
  }

  /** A layer's values [pages, page_size, kv_heads, head_size]. */
  Tensor values(int layer) {
    return values.get(layer);
  }

  /** What a layer's signed bytes mean, [pages, page_size, kv_heads] each; null of other types. */
  Attention.Scales scales(int layer) {
    return keyScales.isEmpty()
        ? null
        : new Attention.Scales(keyScales.get(layer), valueScales.get(layer));
  }

  /** Gives the memory back; its sequences hold nothing from then on. */
  @Override
  public synchronized void close() {
    closed = true;
    memory().forEach(Tensor::close);
  }

  @Override
  public String toString() {
    return "%d pages of %d tokens, %d free".formatted(pages(), pageSize, freePages());
  }
}
