package dev.gatun.models;

import dev.gatun.nn.KvStep;
import dev.gatun.tensor.Device;
import dev.gatun.tensor.Ids;
import dev.gatun.tensor.Scope;
import dev.gatun.tensor.Segments;
import dev.gatun.tensor.Tensor;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.function.Function;

/**
 * What a model's step computes on, where it computes: packed tokens of sequences of any lengths
 * with their ids, types and positions, and where each sequence begins. All of it was checked and
 * crossed to the device when the batch was made; a forward pass reads it there and asks the host
 * for nothing.
 *
 * <p>{@link #write} puts another batch in its place, for work that was captured: a replay computes
 * on what is there by then. Rows of tokens behind the last sequence hold numbers that nothing
 * reads. Made by {@link EncoderModel#batch} or {@link CausalLm#batch(List)}; not for use by two
 * threads at once.
 */
public final class TokenBatch implements AutoCloseable {
  /** A fact that follows from the others, and is made again with them. */
  private record Derived(Object key, Ids ids, Function<BatchLayout, long[]> of) {}

  private final TokenRules model;
  private final Device device;
  private final int sequences;
  private final int tokens;
  private final int length;
  private final boolean withoutGaps;
  private final Segments segments;
  private final Ids ids;
  private final Ids types;
  private final Ids positions;
  private final KvStep cache;
  private final Ids wanted;
  private final Source source;
  private final List<Derived> derived = new ArrayList<>();
  private final List<Tensor> constants;
  private BatchLayout layout;
  private Tensor paddingBias;
  private Tensor lowest;

  /** Whole sequences. */
  TokenBatch(TokenRules model, Device device, BatchLayout layout) {
    this(model, device, layout, null, 0, null);
  }

  /**
   * The next tokens of sequences in a cache.
   *
   * @param cache their places in it, owned from now on; null for whole sequences
   * @param wanted the tokens whose scores are wanted
   * @param source what a decoder's tokens see of an encoder's; a cache's step is owned from now on;
   *     null where there is no encoder
   */
  TokenBatch(
      TokenRules model,
      Device device,
      BatchLayout layout,
      KvStep cache,
      int wanted,
      Source source) {
    this.source = source;
    this.model = model;
    this.device = device;
    this.layout = layout;
    this.sequences = layout.sequences();
    this.tokens = layout.tokens();
    this.length = layout.length();
    this.cache = cache;
    this.withoutGaps = layout.isWithoutGaps();
    this.constants = new ArrayList<>();
    Limits limits = model.limits();
    try (Scope scope = Scope.open()) {
      segments = Segments.of(device, layout.lengths());
      ids = Ids.of(device, "input_ids", limits.vocabulary(), layout.ids());
      types = Ids.of(device, "token_type_ids", Math.max(1, limits.types()), types(layout));
      positions = Ids.of(device, "positions", limits.positions(), model.positions(layout));
      paddingBias();
      model.prepare(this);
      this.wanted = Ids.of(device, "wanted", Math.max(1, tokens), new long[wanted]);
      for (Ids each : List.of(ids, types, positions, this.wanted)) {
        scope.keep(each.values());
      }
      scope.keep(segments.values());
    } catch (RuntimeException | Error e) {
      constants.forEach(Tensor::close);
      closeSteps();
      throw e;
    }
  }

  /** The same tokens for a decoder that sees an encoder's, with other ids; no padding to it. */
  private TokenBatch(TokenBatch whole, Ids ids, Source source) {
    this.source = source;
    this.model = whole.model;
    this.device = whole.device;
    this.layout = whole.layout.withAllSeen();
    this.sequences = whole.sequences;
    this.tokens = whole.tokens;
    this.length = whole.length;
    this.cache = whole.cache;
    this.withoutGaps = whole.withoutGaps;
    this.segments = whole.segments;
    this.ids = ids;
    this.types = whole.types;
    this.positions = whole.positions;
    this.wanted = whole.wanted;
    this.constants = whole.constants;
  }

  /**
   * What a decoder computes on that has an id for each of these tokens. It is a part of this batch:
   * closed with it, and to be used while a pass runs.
   */
  TokenBatch toDecode(Ids others, Source seen) {
    return new TokenBatch(this, others, seen);
  }

  private void closeSteps() {
    if (cache != null) {
      cache.close();
    }
    if (source instanceof Source.Cached(KvStep step)) {
      step.close();
    }
  }

  /** Types of a model without any do not matter. */
  private long[] types(BatchLayout of) {
    return model.limits().types() == 0 ? new long[of.tokens()] : of.types();
  }

  /**
   * Puts other sequences in the place of those that are there.
   *
   * @param inputIds token ids, a row a sequence: no more sequences, tokens in all, or tokens of the
   *     longest sequence than this batch was made of
   * @param attentionMask 1 for tokens, 0 for padding, shaped as inputIds; or null
   * @param tokenTypeIds the segment of each token, shaped as inputIds; or null
   * @throws IllegalArgumentException when they do not fit, or the model cannot take them
   */
  public void write(long[][] inputIds, long[][] attentionMask, long[][] tokenTypeIds) {
    EncoderInputs inputs = EncoderInputs.of(inputIds, attentionMask, tokenTypeIds);
    BatchLayout next = BatchLayout.of(inputs, false);
    next.check(model.limits());
    if (next.length() > length) {
      throw new IllegalArgumentException(
          "input_ids has a sequence of %d tokens, the batch has room for %d"
              .formatted(next.length(), length));
    }
    if (cache != null) {
      throw new IllegalStateException("a batch of sequences in a cache takes chunks of them");
    }
    if (layout.hasPadding()) {
      throw new IllegalStateException("a batch with packed padding takes no others in its place");
    }
    if (withoutGaps && model.readsDistances() && !next.isWithoutGaps()) {
      throw new IllegalArgumentException(
          "attention_mask has gaps between tokens, the batch was made of sequences without");
    }
    put(next);
  }

  /**
   * Puts the next tokens of sequences in a cache in the place of those that are there, and gives
   * them their places in it. They count as appended: where the step is not run, or fails, {@link
   * dev.gatun.nn.KvSequence#truncate} takes them back.
   *
   * @param chunks of distinct sequences: no more of them, tokens in all, tokens of one, tokens of a
   *     whole sequence or wanted ones than there is room for
   * @throws IllegalArgumentException when they do not fit, or the model cannot take them
   * @throws dev.gatun.nn.KvCacheFullException when the cache has too few free pages; nothing has
   *     changed then
   */
  public void write(List<Chunk> chunks) {
    if (cache == null) {
      throw new IllegalStateException("a batch of whole sequences takes no chunks");
    }
    BatchLayout next = BatchLayout.ofChunks(chunks);
    next.check(model.limits());
    long[] rows = wantedRows(chunks);
    segments.requireRoom(next.lengths());
    if (rows.length > wanted.count()) {
      throw new IllegalArgumentException(
          "the scores of %d tokens are wanted, the batch has room for %d"
              .formatted(rows.length, wanted.count()));
    }
    if (source instanceof Source.Cached(KvStep step)) {
      step.write(chunks.stream().map(Chunk::requireSource).toList(), new int[chunks.size()]);
    }
    cache.write(chunks.stream().map(Chunk::sequence).toList(), next.lengths());
    put(next);
    wanted.write(rows);
  }

  private static long[] wantedRows(List<Chunk> chunks) {
    long[] rows = new long[chunks.stream().mapToInt(Chunk::wanted).sum()];
    int at = 0;
    long end = 0;
    for (Chunk chunk : chunks) {
      end += chunk.ids().length;
      for (int i = chunk.wanted(); i > 0; i--) {
        rows[at++] = end - i;
      }
    }
    return rows;
  }

  private void put(BatchLayout next) {
    segments.write(next.lengths());
    layout = next.withLength(length);
    ids.write(layout.ids());
    types.write(types(layout));
    positions.write(model.positions(layout));
    derived.forEach(each -> each.ids.write(each.of.apply(layout)));
  }

  /** {@return the packed tokens' ids, [tokens]} */
  public Ids ids() {
    return ids;
  }

  /** {@return the packed tokens' types, [tokens]} */
  public Ids types() {
    return types;
  }

  /** {@return the packed tokens' rows in the model's table of positions, [tokens]} */
  public Ids positions() {
    return positions;
  }

  /** The places of sequences in a cache; null where whole sequences need none. */
  KvStep cache() {
    return cache;
  }

  /** What a decoder's tokens see of an encoder's; null where there is no encoder. */
  Source source() {
    return source;
  }

  /**
   * {@return the places among the packed tokens of those whose scores are wanted, in the order of
   * their chunks} Rows behind those are the first token's.
   */
  public Ids wanted() {
    return wanted;
  }

  /** {@return where each sequence begins among the packed tokens} */
  public Segments segments() {
    return segments;
  }

  /**
   * {@return the number of rows of tensors that hold all packed tokens: those that there is room
   * for}
   */
  public int tokens() {
    return tokens;
  }

  /** {@return the number of sequences that there is room for} */
  public int sequences() {
    return sequences;
  }

  /** {@return the number of tokens of a padded sequence: the most that there is room for} */
  public int length() {
    return length;
  }

  /** Whether it was made of sequences whose tokens follow each other. */
  boolean isWithoutGaps() {
    return withoutGaps;
  }

  /** {@return the device that it is on} */
  public Device device() {
    return device;
  }

  /** The batch as the host knows it. */
  BatchLayout layout() {
    return layout;
  }

  /** Whether tokens of causal attention see those after them too. */
  boolean seesBothWays() {
    return model.seesBothWays();
  }

  /**
   * Indices that follow from the batch, made when first asked for and again by {@link #write}.
   *
   * @param key what they are, the same for the same function
   * @param count how many there is room for
   * @param below what all are less than; -1 stands for none
   * @param of gives no more than there is room for
   */
  Ids derived(Object key, int count, long below, Function<BatchLayout, long[]> of) {
    for (Derived each : derived) {
      if (each.key.equals(key)) {
        return each.ids;
      }
    }
    Ids made = keep(Ids.orNone(device, key.toString(), below, filled(of.apply(layout), count)));
    derived.add(new Derived(key, made, l -> filled(of.apply(l), count)));
    return made;
  }

  private static long[] filled(long[] some, int count) {
    long[] all = Arrays.copyOf(some, count);
    Arrays.fill(all, some.length, count, Ids.NONE);
    return all;
  }

  /** Each packed token's row in [sequences * length], none for those of no sequence. */
  Ids places() {
    return derived(
        "places",
        tokens,
        (long) sequences * length,
        l -> {
          long[] places = new long[l.tokens()];
          Arrays.setAll(places, l::place);
          return places;
        });
  }

  /**
   * What is added to the scores [sequences, heads, query, key] where padding was packed; null where
   * it was not.
   */
  Tensor paddingBias() {
    if (paddingBias == null && layout.hasPadding()) {
      paddingBias = keep(model.paddingBias(device, layout));
    }
    return paddingBias;
  }

  /** -infinity [sequences, length]. */
  Tensor lowest() {
    if (lowest == null) {
      float[] values = new float[Math.multiplyExact(sequences, length)];
      Arrays.fill(values, Float.NEGATIVE_INFINITY);
      lowest = keep(Tensor.of(device, values, sequences, length));
    }
    return lowest;
  }

  /** 0 [sequences, length] where a packed token is, -infinity elsewhere. */
  Tensor lowestOutside() {
    float[] values = new float[Math.multiplyExact(sequences, length)];
    Arrays.fill(values, Float.NEGATIVE_INFINITY);
    for (int token = 0; token < layout.tokens(); token++) {
      values[(int) layout.place(token)] = 0;
    }
    return Tensor.of(device, values, sequences, length);
  }

  private Ids keep(Ids made) {
    keep(made.values());
    return made;
  }

  /** Takes a tensor out of the scope that a pass runs in. */
  private Tensor keep(Tensor made) {
    constants.add(made.detach());
    return made;
  }

  /** Takes the segments out of a scope that would close them. */
  Segments keepSegments(Scope scope) {
    scope.keep(segments.values());
    return segments;
  }

  @Override
  public void close() {
    segments.close();
    closeFacts();
  }

  /** Closes all but the segments. */
  void closeFacts() {
    ids.close();
    types.close();
    positions.close();
    wanted.close();
    closeSteps();
    constants.forEach(Tensor::close);
  }
}
