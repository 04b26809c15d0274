package dev.gatun.ops;

import dev.gatun.kernels.api.call.experts.ExpertCapacity;
import dev.gatun.kernels.api.memory.DType;
import dev.gatun.kernels.api.memory.Offsets;
import dev.gatun.tensor.Device;
import dev.gatun.tensor.Ids;
import dev.gatun.tensor.Tensor;

/** The choice and order of experts by counting, as the plain form of {@link Experts#route}. */
final class PlainRouting {
  private final Device device;
  private final Tensor logits;
  private final long tokens;
  private final long experts;
  private final long k;

  PlainRouting(Tensor logits, long k) {
    this.device = logits.device();
    this.logits = Plain.wide(logits);
    this.tokens = logits.size(0);
    this.experts = logits.size(1);
    this.k = k;
  }

  Experts.Routing run(boolean renormalize, float scale, ExpertCapacity capacity) {
    Reductions.TopK top = Reductions.topk(logits, k);
    Tensor chosen = Plain.wide(top.indices());
    // [tokens, k, experts]: 1 for a slot's expert.
    Tensor slots = Elementwise.equal(chosen.reshape(tokens, k, 1), Plain.count(device, experts));
    Tensor weights =
        renormalize
            ? Norm.softmax(top.values())
            : Reductions.sum(
                Elementwise.keepWhere(Norm.softmax(logits).reshape(tokens, 1, experts), slots), 2);
    Tensor wants = Reductions.sum(slots, 1);
    Tensor kept = wants;
    if (capacity != null) {
      Tensor sequence = sequences(capacity.sequences());
      Tensor same =
          Elementwise.multiply(
              earlier(tokens),
              Elementwise.equal(sequence.reshape(tokens, 1), sequence.reshape(1, tokens)));
      Tensor room = Elementwise.less(before(same, wants), Plain.number(device, capacity.tokens()));
      kept = Elementwise.multiply(wants, room);
    }
    Tensor counts = Reductions.sum(kept, 0).reshape(experts, 1);
    Tensor begins = before(earlier(experts), counts);
    Tensor place = Elementwise.add(before(earlier(tokens), kept), begins.reshape(1, experts));
    Tensor nowhere = Plain.number(device, Ids.NONE);
    // A token's place with each expert, of which a slot has one.
    Tensor placed = Plain.where(kept, place, nowhere).reshape(tokens, 1, experts);
    Tensor places = Reductions.sum(Elementwise.multiply(placed, slots), 2);
    Tensor offsets =
        Layouts.concat(0, java.util.List.of(begins, Plain.sumOfRows(counts.reshape(1, experts))));
    return new Experts.Routing(
        Elementwise.cast(chosen, DType.I32),
        Plain.times(weights, scale),
        rows(places),
        Elementwise.cast(places, DType.I32),
        Layouts.contiguous(Elementwise.cast(offsets, DType.I32).reshape(experts + 1)));
  }

  /** The token at each place, -1 where there is none: I32 [tokens k]. */
  private Tensor rows(Tensor places) {
    Tensor none = Tensor.zeros(device, tokens * k, 1);
    Tensor rows = Elementwise.cast(Plain.plus(none, -1), DType.I32);
    Tensor token =
        Elementwise.add(
            Tensor.zeros(device, tokens, k), Plain.count(device, tokens).reshape(tokens, 1));
    Ids ids = Plain.ids(places, tokens * k);
    Indexing.scatterRowsInto(rows, Elementwise.cast(token, DType.I32).reshape(tokens * k, 1), ids);
    return Layouts.contiguous(rows.reshape(tokens * k));
  }

  /** [count, count]: 1 where the column's number is less than the row's. */
  private Tensor earlier(long count) {
    Tensor numbers = Plain.count(device, count);
    return Elementwise.less(numbers.reshape(1, count), numbers.reshape(count, 1));
  }

  /** What the rows before each, that the mask names, sum up to. */
  private static Tensor before(Tensor mask, Tensor x) {
    return Plain.rowsBy(mask, Layouts.transpose(x, 0, 1));
  }

  /** The number of each token's sequence. */
  private Tensor sequences(Offsets sequences) {
    long count = sequences.sequences();
    Tensor ends = Elementwise.cast(copy(sequences), DType.F32).slice(0, 1, count + 1);
    Tensor at = Plain.count(device, tokens).reshape(tokens, 1);
    return Plain.sumOfRows(Plain.not(Elementwise.less(at, ends.reshape(1, count))));
  }

  private Tensor copy(Offsets sequences) {
    Tensor copy = Tensor.empty(device, DType.I32, sequences.values().size(0));
    device
        .kernels()
        .run(new dev.gatun.kernels.api.call.indexing.Copy(sequences.values(), copy.operand()));
    return copy;
  }
}
