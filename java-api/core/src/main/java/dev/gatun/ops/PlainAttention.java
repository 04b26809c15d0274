package dev.gatun.ops;

import dev.gatun.kernels.api.call.attention.Causal;
import dev.gatun.kernels.api.call.elementwise.Activation;
import dev.gatun.kernels.api.memory.DType;
import dev.gatun.tensor.Device;
import dev.gatun.tensor.Segments;
import dev.gatun.tensor.Tensor;
import java.util.List;

/** Attention of all pairs of queries and keys, as {@link Attention}'s plain form. */
final class PlainAttention {
  private final Device device;
  private final Tensor query;
  private final Segments queries;
  private final Attention.Keys keys;
  private final DType dtype;

  private final long batch;
  private final long heads;
  private final long queryLength;
  private final long keyLength;

  // F32 [batch or 1, 1], of sequences of their own lengths and of padded ones alike.
  private final Tensor queryCounts;
  private final Tensor keyCounts;

  PlainAttention(Tensor query, Segments queries, Attention.Keys keys) {
    this.device = query.device();
    this.query = query;
    this.queries = queries;
    this.keys = keys;
    this.dtype = query.dtype();
    this.batch = queries == null ? query.size(0) : queries.sequences();
    this.heads = query.size(-2);
    this.queryLength = queries == null ? query.size(1) : queries.longest();
    this.keyLength = keys.length();
    this.queryCounts = queries == null ? all(queryLength) : Plain.lengths(queries);
    this.keyCounts =
        keys.segments() != null
            ? Plain.lengths(keys.segments())
            : keys.lengths() != null
                ? Plain.wide(keys.lengths()).reshape(batch, 1)
                : all(keyLength);
  }

  private Tensor all(long length) {
    return Plain.number(device, length).reshape(1, 1);
  }

  Attention.Result run(
      Attention.Scores scores, Attention.Mask mask, boolean withLse, boolean withWeights) {
    Tensor q = byHead(inRows(query, queries), queryLength);
    Attention.Scales scales = keys.scales();
    Tensor k = repeated(seen(keys.key(), scales == null ? null : scales.keys()));
    Tensor v = repeated(seen(keys.value(), scales == null ? null : scales.values()));
    Tensor places = Elementwise.less(count(keyLength), keyCounts);
    Tensor distance = distance(mask.causal());
    Tensor open = open(distance, mask, places.reshape(keyCounts.size(0), 1, 1, keyLength));
    Tensor score = Plain.product(q, k).reshape(batch, heads, queryLength, keyLength);
    Tensor hidden = Plain.number(device, Double.NEGATIVE_INFINITY);
    score = Plain.where(open, scored(score, distance, scores), hidden);

    // A column behind the keys: the sink, or what a query that sees nothing gives its weight to.
    Tensor none = Tensor.zeros(device, batch, heads, queryLength, 1);
    Tensor sees = keyLength == 0 ? none : Elementwise.less(hidden, Plain.maxOfRows(score));
    Tensor nan = keyLength == 0 ? none : nan(score);
    sees = Elementwise.maximum(sees, nan);
    Tensor column =
        scores.sinks() == null
            ? Plain.where(sees, hidden, none)
            : Elementwise.add(none, scores.sinks().reshape(1, heads, 1, 1));
    Tensor full = Layouts.concat(3, List.of(score, column));
    // A score of -inf gives a weight of 0 even where others of its row are NaN.
    Tensor scored = both(open, Plain.not(Elementwise.equal(score, hidden)));
    Tensor weights = Elementwise.keepWhere(Norm.softmax(full).slice(3, 0, keyLength), scored);
    Tensor mine =
        Elementwise.less(count(queryLength), queryCounts)
            .reshape(queryCounts.size(0), 1, queryLength, 1);

    Tensor flat = Layouts.contiguous(weights).reshape(batch * heads, queryLength, keyLength);
    Tensor output = Plain.product(flat, Layouts.transpose(v, 1, 2));
    return new Attention.Result(
        ordered(output),
        withLse ? lse(full, scores.sinks() == null ? sees : null, mine) : null,
        withWeights ? Elementwise.keepWhere(weights, mine) : null);
  }

  /** 1 for rows with a NaN, [.., 1]. */
  private static Tensor nan(Tensor score) {
    return Plain.maxOfRows(Plain.not(Elementwise.equal(score, score)));
  }

  private Tensor count(long length) {
    return Plain.count(device, length).reshape(1, length);
  }

  /** [tokens or batch, ...] as [batch, length, ...]. */
  private static Tensor inRows(Tensor x, Segments segments) {
    Tensor whole = x.operand().isContiguous() ? x : Layouts.contiguous(x);
    return segments == null ? whole : Plain.padded(whole, segments);
  }

  /**
   * Keys or values in use, F32 [batch, key_length, kv_heads, size]; others are 0.
   *
   * @param scales of signed bytes, or null
   */
  private Tensor seen(Tensor x, Tensor scales) {
    if (scales != null) {
      long[] rows = Calls.withLast(x, 1);
      Tensor meant = Elementwise.multiply(Plain.wide(x), scales.reshape(rows));
      return seen(meant, null);
    }
    Tensor rows = inRows(x, keys.segments());
    if (keys.pages() != null) {
      rows = paged(rows);
    } else if (rows.size(1) != keyLength) {
      rows = Layouts.contiguous(rows.slice(1, 0, keyLength));
    }
    Tensor used = Elementwise.less(count(keyLength), keyCounts);
    return Elementwise.keepWhere(
        Plain.wide(rows), used.reshape(keyCounts.size(0), keyLength, 1, 1));
  }

  /** The rows of pages [pages, page_size, ...] that each sequence has. */
  private Tensor paged(Tensor rows) {
    long size = rows.size(1);
    long[] pageOf = new long[Math.toIntExact(keyLength)];
    float[] within = new float[pageOf.length];
    for (int j = 0; j < pageOf.length; j++) {
      pageOf[j] = j / size;
      within[j] = j % size;
    }
    long[] shape = rows.shape();
    shape[0] = batch;
    shape[1] = keyLength;
    if (batch * keyLength * rows.count() == 0) {
      return Tensor.zeros(device, rows.dtype(), shape);
    }
    Tensor table = Plain.wide(keys.pages());
    Tensor page =
        Indexing.indexSelect(
            table, 1, dev.gatun.tensor.Ids.of(device, "page", table.size(1), pageOf));
    page = Elementwise.keepWhere(page, Elementwise.less(count(keyLength), keyCounts));
    Tensor at = Elementwise.add(Plain.times(page, size), Tensor.of(device, within, 1, keyLength));
    long slots = rows.size(0) * size;
    Tensor flat = rows.reshape(slots, rows.size(2) * rows.size(3));
    return Indexing.indexSelect(flat, 0, Plain.ids(at, slots)).reshape(shape);
  }

  /** [batch, length, heads, size] as F32 [batch heads, length, size]. */
  private Tensor byHead(Tensor x, long length) {
    return Plain.wide(Layouts.permute(x, 0, 2, 1, 3)).reshape(batch * heads, length, x.size(3));
  }

  /** Keys or values, each for all heads that share them: F32 [batch heads, key_length, size]. */
  private Tensor repeated(Tensor x) {
    long kvHeads = x.size(2);
    long size = x.size(3);
    long shared = kvHeads == 0 ? 0 : heads / kvHeads;
    Tensor view =
        Plain.view(
            x,
            new long[] {batch, kvHeads, shared, keyLength, size},
            new long[] {keyLength * kvHeads * size, size, 0, kvHeads * size, 1});
    return Layouts.contiguous(view).reshape(batch * heads, keyLength, size);
  }

  /** How far each key lies ahead of where each query stands: F32 [batch or 1, 1, queries, keys]. */
  private Tensor distance(Causal causal) {
    Tensor stand = count(queryLength);
    if (causal == Causal.BOTTOM_RIGHT) {
      stand = Elementwise.add(stand, Elementwise.subtract(keyCounts, queryCounts));
    }
    return Elementwise.subtract(
        count(keyLength).reshape(1, 1, 1, keyLength),
        stand.reshape(stand.size(0), 1, queryLength, 1));
  }

  /** 1 where a query sees a key. */
  private Tensor open(Tensor distance, Attention.Mask mask, Tensor used) {
    Tensor open = used;
    if (mask.causal() != Causal.NONE) {
      open = both(open, Elementwise.less(distance, Plain.number(device, 1)));
    }
    if (mask.window() > 0) {
      Tensor reach = Plain.number(device, mask.window());
      open = both(open, Elementwise.less(Plain.negated(distance), reach));
      open = both(open, Elementwise.less(distance, reach));
    }
    if (mask.keys() != null) {
      Tensor shown = Plain.not(Plain.not(Plain.wide(mask.keys())));
      open = both(open, shown.reshape(batch, 1, 1, keyLength));
    }
    return open;
  }

  /** Queries, or what is laid out as them, by head: F32 [batch heads, queries, size]. */
  Tensor byHead(Tensor x) {
    Tensor rows = Plain.wide(inRows(x, queries));
    Tensor mine = Elementwise.less(count(queryLength), queryCounts);
    Tensor clean =
        Elementwise.keepWhere(rows, mine.reshape(queryCounts.size(0), queryLength, 1, 1));
    return byHead(clean, queryLength);
  }

  /**
   * Keys that somebody sees, each for all heads that share them, others 0: F32 [batch heads, keys,
   * size].
   *
   * @param shown U8 [batch, keys], or null
   */
  Tensor seenKeys(Tensor shown) {
    return repeated(shown(seen(keys.key(), null), shown));
  }

  /** The same of values. */
  Tensor seenValues(Tensor shown) {
    return repeated(shown(seen(keys.value(), null), shown));
  }

  private Tensor shown(Tensor x, Tensor shown) {
    return shown == null
        ? x
        : Elementwise.keepWhere(x, Plain.wide(shown).reshape(batch, keyLength, 1, 1));
  }

  /** Pairs [batch, heads, queries, keys] as [batch heads, queries, keys]. */
  Tensor pairs(Tensor x) {
    return x.reshape(batch * heads, queryLength, keyLength);
  }

  /** The other way. */
  Tensor scores(Tensor x) {
    return x.reshape(batch, heads, queryLength, keyLength);
  }

  /** A number a row [batch, heads, queries] as [batch heads, queries, 1]. */
  Tensor column(Tensor x) {
    return x.reshape(batch * heads, queryLength, 1);
  }

  /** The sum of each head's numbers [batch heads, queries, 1], of the queries that there are. */
  Tensor sumOfQueries(Tensor x) {
    Tensor mine = Elementwise.less(count(queryLength), queryCounts);
    Tensor rows = x.reshape(batch, heads, queryLength);
    return Reductions.sum(
        Elementwise.keepWhere(rows, mine.reshape(queryCounts.size(0), 1, queryLength)), 0, 2);
  }

  /** [batch heads, queries, size] as the queries lie, F32. */
  Tensor likeQueries(Tensor x) {
    Tensor rows = Layouts.permute(x.reshape(batch, heads, queryLength, x.size(2)), 0, 2, 1, 3);
    return queries == null ? rows : Plain.packed(rows, queries);
  }

  /** [batch heads, keys, size] as the keys lie, those of heads that share one added up, F32. */
  Tensor likeKeys(Tensor x, long size) {
    long kvHeads = keys.key().size(-2);
    long shared = kvHeads == 0 ? 0 : heads / kvHeads;
    Tensor sum = Reductions.sum(x.reshape(batch, kvHeads, shared, keyLength, size), 2);
    Tensor rows = Layouts.permute(sum, 0, 2, 1, 3);
    return keys.segments() == null ? rows : Plain.packed(rows, keys.segments());
  }

  private static Tensor both(Tensor a, Tensor b) {
    return Elementwise.multiply(a, b);
  }

  private Tensor scored(Tensor product, Tensor distance, Attention.Scores scores) {
    Tensor score = Plain.times(product, scores.scale());
    if (scores.softcap() > 0) {
      Tensor part = Elementwise.divide(score, Plain.number(device, scores.softcap()));
      score = Plain.times(Elementwise.activation(part, Activation.TANH), scores.softcap());
    }
    if (scores.bias() != null) {
      score = Elementwise.add(score, scores.bias());
    }
    if (scores.slopes() != null) {
      Tensor slope = scores.slopes().reshape(1, heads, 1, 1);
      score = Elementwise.subtract(score, Elementwise.multiply(slope, Plain.absolute(distance)));
    }
    return score;
  }

  /** [batch heads, queries, size] as the queries lie, in their dtype. */
  private Tensor ordered(Tensor output) {
    long size = output.size(2);
    Tensor rows = Layouts.permute(output.reshape(batch, heads, queryLength, size), 0, 2, 1, 3);
    Tensor narrow = Elementwise.cast(rows, dtype);
    return queries == null ? narrow : Plain.packed(narrow, queries);
  }

  /**
   * The log-sum-exp of rows, -∞ of those that see nothing.
   *
   * @param sees where the column behind the keys is no sink, else null
   */
  private Tensor lse(Tensor full, Tensor sees, Tensor mine) {
    Tensor most = Plain.maxOfRows(full);
    Tensor sum = Elementwise.subtract(most, Plain.maxOfRows(Norm.logSoftmax(full)));
    Tensor nothing = Plain.number(device, Double.NEGATIVE_INFINITY);
    Tensor lse = sees == null ? sum : Plain.where(sees, sum, nothing);
    lse = Elementwise.keepWhere(lse, mine);
    return Layouts.contiguous(lse.reshape(batch, heads, queryLength));
  }
}
