package dev.gatun.bench.gpu;

import com.fasterxml.jackson.databind.JsonNode;
import dev.gatun.bench.gpu.GpuOperands.Input;
import dev.gatun.kernels.api.call.attention.AttentionKeys;
import dev.gatun.kernels.api.call.attention.AttentionMask;
import dev.gatun.kernels.api.call.attention.AttentionScores;
import dev.gatun.kernels.api.call.attention.Causal;
import dev.gatun.kernels.api.call.attention.Dropout;
import dev.gatun.kernels.api.call.attention.ScaledDotProductAttention;
import dev.gatun.kernels.api.device.Backend;
import dev.gatun.kernels.api.memory.DType;
import dev.gatun.kernels.api.memory.Operand;

/** Attention: prefill, causal or not, and decode. */
final class AttentionRow {
  private static final int QUERIES = 12;

  private final GpuOperands operands;
  private final DType dtype;
  private final int heads;
  private final int kvHeads;
  private final int size;
  private final int queries;
  private final int keys;
  private final boolean causal;
  private final Input query;
  private final Input key;
  private final Input value;
  private final Operand output;

  private AttentionRow(GpuOperands operands, JsonNode row) {
    this.operands = operands;
    dtype = DType.valueOf(row.get("dtype").asText());
    heads = row.get("heads").asInt();
    kvHeads = row.get("kv_heads").asInt();
    size = row.get("head_size").asInt();
    queries = row.get("queries").asInt();
    keys = row.get("keys").asInt();
    causal = row.get("causal").asBoolean();
    long batch = row.get("batch").asLong();
    query = operands.input(dtype, batch, queries, heads, size);
    key = operands.input(dtype, batch, keys, kvHeads, size);
    value = operands.input(dtype, batch, keys, kvHeads, size);
    output = operands.output(dtype, batch, queries, heads, size);
  }

  static GpuCall make(Backend backend, GpuOperands operands, JsonNode json) {
    AttentionRow row = new AttentionRow(operands, json);
    ScaledDotProductAttention attention =
        new ScaledDotProductAttention(
            row.query.operand(),
            row.key.operand(),
            row.value.operand(),
            row.output,
            null,
            AttentionKeys.PADDED,
            AttentionScores.scaled((float) (1 / Math.sqrt(row.size))),
            AttentionMask.of(row.causal ? Causal.BOTTOM_RIGHT : Causal.NONE),
            Dropout.NONE,
            null,
            null);
    return GpuCall.of(() -> backend.kernels().run(attention), row::check);
  }

  private void check(Check check) {
    long rows = output.count() / size;
    for (long row : Check.places(rows, QUERIES)) {
      check(check, row);
    }
  }

  /** A row is a query of a head. */
  private void check(Check check, long row) {
    long head = row % heads;
    long token = row / heads % queries;
    long batch = row / heads / queries;
    long kvHead = head / (heads / kvHeads);
    int seen = causal ? (int) Math.min(keys, token + keys - queries + 1) : keys;
    double[] q = query.at(row * size, size);
    double[] scores = new double[seen];
    double most = Double.NEGATIVE_INFINITY;
    for (int k = 0; k < seen; k++) {
      long place = ((batch * keys + k) * kvHeads + kvHead) * size;
      double score = 0;
      for (int i = 0; i < size; i++) {
        score += q[i] * key.at(place + i);
      }
      scores[k] = score / Math.sqrt(size);
      most = Math.max(most, scores[k]);
    }
    double total = 0;
    for (int k = 0; k < seen; k++) {
      scores[k] = Math.exp(scores[k] - most);
      total += scores[k];
    }
    double[] wanted = new double[size];
    double[] squares = new double[size];
    for (int k = 0; k < seen; k++) {
      long place = ((batch * keys + k) * kvHeads + kvHead) * size;
      for (int i = 0; i < size; i++) {
        double term = scores[k] / total * value.at(place + i);
        wanted[i] += term;
        squares[i] += term * term;
      }
    }
    double[] got = operands.read(output, row * size, size);
    double epsilon = Numbers.epsilon(dtype);
    for (int i = 0; i < size; i++) {
      // Weights are rounded to the operands' dtype one by one, the sum to the output's.
      double allowed = epsilon * Math.abs(wanted[i]) + 2 * epsilon * Math.sqrt(squares[i]) + 1e-6;
      check.add("output", row, i, got[i], wanted[i], allowed);
    }
  }
}
