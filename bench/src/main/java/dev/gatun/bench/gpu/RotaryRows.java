package dev.gatun.bench.gpu;

import com.fasterxml.jackson.databind.JsonNode;
import dev.gatun.bench.gpu.GpuOperands.Input;
import dev.gatun.kernels.api.call.attention.RotaryCacheUpdate;
import dev.gatun.kernels.api.call.attention.RotaryEmbedding;
import dev.gatun.kernels.api.device.Backend;
import dev.gatun.kernels.api.memory.DType;
import dev.gatun.kernels.api.memory.Indices;
import dev.gatun.kernels.api.memory.Operand;

/** Rotary embeddings, alone and with the write to the key/value cache. */
final class RotaryRows {
  private static final int TOKENS = 6;

  private final GpuOperands operands;
  private final int size;
  private final Input cosine;
  private final Input sine;

  private RotaryRows(GpuOperands operands, long tokens, int size) {
    this.operands = operands;
    this.size = size;
    cosine = operands.input(DType.F32, tokens, size / 2);
    sine = operands.input(DType.F32, tokens, size / 2);
  }

  static GpuCall make(Backend backend, GpuOperands operands, JsonNode row) {
    DType dtype = DType.valueOf(row.get("dtype").asText());
    long tokens = row.get("tokens").asLong();
    int heads = row.get("heads").asInt();
    int size = row.get("head_size").asInt();
    RotaryRows rows = new RotaryRows(operands, tokens, size);
    Operand cosine = rows.cosine.operand();
    Operand sine = rows.sine.operand();
    Indices places = new Indices(operands.numbered(tokens), tokens);
    Operand query = operands.output(dtype, tokens, heads, size);
    if (row.get("kernel").asText().equals("rotary")) {
      Input x = operands.input(dtype, tokens, heads, size);
      RotaryEmbedding rotary = new RotaryEmbedding(x.operand(), cosine, sine, places, false, query);
      return GpuCall.of(
          () -> backend.kernels().run(rotary),
          check -> rows.check(check, "y", x, heads * size, 0, query, heads, true));
    }
    int kvHeads = row.get("kv_heads").asInt();
    int width = (heads + 2 * kvHeads) * size;
    Input qkv = operands.input(dtype, tokens, width);
    Operand keys = operands.output(dtype, 1, tokens, kvHeads, size);
    Operand values = operands.output(dtype, 1, tokens, kvHeads, size);
    RotaryCacheUpdate update =
        new RotaryCacheUpdate(
            qkv.operand(), cosine, sine, places, false, places, query, keys, values, null);
    return GpuCall.of(
        () -> backend.kernels().run(update),
        check -> {
          rows.check(check, "query", qkv, width, 0, query, heads, true);
          rows.check(check, "keys", qkv, width, heads * size, keys, kvHeads, true);
          rows.check(check, "values", qkv, width, (heads + kvHeads) * size, values, kvHeads, false);
        });
  }

  /**
   * @param width of a token in x
   * @param first where in it the heads begin
   * @param output of a token's heads
   */
  private void check(
      Check check,
      String name,
      Input x,
      int width,
      int first,
      Operand output,
      int heads,
      boolean rotated) {
    long tokens = output.count() / ((long) heads * size);
    double epsilon = rotated ? Numbers.epsilon(output.dtype()) : 0;
    int half = size / 2;
    for (long token : Check.places(tokens, TOKENS)) {
      double[] in = x.at(token * width + first, heads * size);
      double[] got = operands.read(output, token * heads * size, heads * size);
      for (int i = 0; i < got.length; i++) {
        int pair = i % size % half;
        boolean isFirst = i % size < half;
        double kept = in[i] * cosine.at(token * half + pair);
        double turned = (isFirst ? -in[i + half] : in[i - half]) * sine.at(token * half + pair);
        double wanted = rotated ? kept + turned : in[i];
        double allowed =
            epsilon * Math.abs(wanted) + 0x1p-21 * (Math.abs(kept) + Math.abs(turned)) + 1e-9;
        check.add(name, token, i, got[i], wanted, allowed);
      }
    }
  }
}
