package dev.gatun.models;

import dev.gatun.kernels.api.memory.Offsets;
import dev.gatun.ops.Ops;
import dev.gatun.tensor.Device;
import dev.gatun.tensor.Tensor;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;

/**
 * A batch with its padding taken out: the tokens whose mask is 1, one sequence after another.
 *
 * @param ids token ids of the packed tokens
 * @param typeIds token type ids of the packed tokens
 * @param positions each packed token's place in its padded sequence
 * @param offsets where each sequence begins
 * @param places each packed token's row in the padded batch
 * @param real the packed tokens that are not padding, or null when all are
 * @param sequences sequences in the batch
 * @param length tokens of a padded sequence
 */
record PackedBatch(
    long[] ids,
    long[] typeIds,
    long[] positions,
    Offsets offsets,
    long[] places,
    long[] real,
    int sequences,
    int length) {

  /**
   * @param withPadding whether padding is packed too, for what is defined over padded sequences
   */
  static PackedBatch of(EncoderInputs inputs, boolean withPadding) {
    long[][] ids = inputs.inputIds();
    int sequences = ids.length;
    int length = 0;
    for (long[] row : ids) {
      length = Math.max(length, row.length);
    }
    int count = 0;
    int[] lengths = new int[sequences];
    for (int s = 0; s < sequences; s++) {
      for (int t = 0; t < ids[s].length; t++) {
        lengths[s] += withPadding || inputs.isToken(s, t) ? 1 : 0;
      }
      count += lengths[s];
    }
    long[] packed = new long[count];
    long[] types = new long[count];
    long[] positions = new long[count];
    long[] places = new long[count];
    long[] real = new long[count];
    int reals = 0;
    int at = 0;
    for (int s = 0; s < sequences; s++) {
      for (int t = 0; t < ids[s].length; t++) {
        if (withPadding || inputs.isToken(s, t)) {
          if (inputs.isToken(s, t)) {
            real[reals++] = at;
          }
          packed[at] = ids[s][t];
          types[at] = inputs.tokenTypeIds() == null ? 0 : inputs.tokenTypeIds()[s][t];
          positions[at] = t;
          places[at++] = (long) s * length + t;
        }
      }
    }
    return new PackedBatch(
        packed,
        types,
        positions,
        Offsets.ofLengths(lengths),
        places,
        reals == count ? null : Arrays.copyOf(real, reals),
        sequences,
        length);
  }

  int tokens() {
    return ids.length;
  }

  /**
   * The batch in parts of whole sequences with no more tokens than these each, or of one sequence.
   */
  List<PackedBatch> parts(int most) {
    List<PackedBatch> parts = new ArrayList<>();
    int begin = 0;
    for (int end = 1; end <= sequences; end++) {
      if (end == sequences
          || offsets.start(end) + offsets.length(end) - offsets.start(begin) > most) {
        parts.add(part(begin, end));
        begin = end;
      }
    }
    return parts;
  }

  private PackedBatch part(int begin, int end) {
    int from = offsets.start(begin);
    int to = offsets.start(end - 1) + offsets.length(end - 1);
    int[] lengths = new int[end - begin];
    Arrays.setAll(lengths, i -> offsets.length(begin + i));
    return new PackedBatch(
        Arrays.copyOfRange(ids, from, to),
        Arrays.copyOfRange(typeIds, from, to),
        Arrays.copyOfRange(positions, from, to),
        Offsets.ofLengths(lengths),
        Arrays.stream(places, from, to).map(place -> place - (long) begin * length).toArray(),
        real == null
            ? null
            : Arrays.stream(real).filter(i -> i >= from && i < to).map(i -> i - from).toArray(),
        end - begin,
        length);
  }

  /** The labels of the packed tokens. */
  long[] pickLabels(EncoderInputs inputs) {
    long[][] padded = inputs.labels();
    EncoderInputs.shaped("labels", inputs.inputIds(), padded);
    long[] values = new long[places.length];
    for (int i = 0; i < values.length; i++) {
      values[i] = padded[(int) (places[i] / length)][(int) (places[i] % length)];
    }
    return values;
  }

  /** Packed rows [tokens, columns] at their places in [sequences, length, columns], 0 elsewhere. */
  Tensor unpack(Tensor packed, Device device) {
    return Ops.scatterRows(packed, rows(device), sequences, length, packed.size(1));
  }

  /** Packed scores [tokens, 1] at their places in [sequences, length], 0 elsewhere. */
  Tensor unpackColumn(Tensor packed, Device device) {
    return Ops.scatterRows(packed, rows(device), sequences, length);
  }

  /** x [tokens, columns] with zeros where padding was packed. */
  Tensor withoutPadding(Tensor x) {
    if (real == null) {
      return x;
    }
    Tensor rows = Tensor.of(x.device(), real, real.length);
    return Ops.scatterRows(Ops.embedding(x, rows), rows, x.shape());
  }

  private Tensor rows(Device device) {
    return Tensor.of(device, places, places.length);
  }

  /** The probabilities [sequences, heads, longest, longest] at the places of the padded batch. */
  Tensor unpackAttention(Tensor weights, Device device) {
    if (tokens() == sequences * length) {
      return weights;
    }
    int heads = (int) weights.size(1);
    int longest = offsets.longest();
    float[] source = weights.toFloatArray();
    float[] target = new float[sequences * heads * length * length];
    for (int s = 0; s < sequences; s++) {
      int start = offsets.start(s);
      int count = offsets.length(s);
      for (int h = 0; h < heads; h++) {
        for (int i = 0; i < count; i++) {
          for (int j = 0; j < count; j++) {
            int row = (s * heads + h) * length + (int) positions[start + i];
            target[row * length + (int) positions[start + j]] =
                source[((s * heads + h) * longest + i) * longest + j];
          }
        }
      }
    }
    return Tensor.of(device, target, sequences, heads, length, length);
  }
}
