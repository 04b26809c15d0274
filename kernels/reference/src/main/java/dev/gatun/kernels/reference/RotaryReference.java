package dev.gatun.kernels.reference;

import dev.gatun.kernels.api.call.attention.RotaryCacheUpdate;
import dev.gatun.kernels.api.call.attention.RotaryEmbedding;
import dev.gatun.kernels.api.device.Execution;
import dev.gatun.kernels.api.memory.Operand;

/** Rotary position embedding, and its cache of keys and values. */
final class RotaryReference {
  private final Precision p;

  RotaryReference(Precision precision) {
    this.p = precision;
  }

  void run(RotaryEmbedding c) {
    View.inRange(c, "position", c.positions(), c.cosine().size(0), null);
    View x = View.of(c.x());
    View y = View.of(c.y());
    View positions = View.of(c.positions().values());
    long size = c.x().size(2);
    for (long t = 0; t < c.x().size(0); t++) {
      for (long h = 0; h < c.x().size(1); h++) {
        double[] head = x.row(t * c.x().stride(0) + h * size, size);
        turn(head, c.cosine(), c.sine(), positions.getLong(t), c.interleaved());
        y.setRow(t * c.y().stride(0) + h * size, head);
      }
    }
  }

  void run(RotaryCacheUpdate c) {
    long tokens = c.qkv().size(0);
    View.inRange(c, "position", c.positions(), c.cosine().size(0), null);
    View.inRange(c, "slot", c.slots(), c.slotCount(), -1L);
    if (c.slots().isUnknown()) {
      Execution.distinct(c, "slot", View.ids(c.slots().values()), tokens, -1L);
    }
    View qkv = View.of(c.qkv());
    View query = View.of(c.query());
    View positions = View.of(c.positions().values());
    View slots = View.of(c.slots().values());
    long size = c.query().size(2);
    long heads = c.query().size(1);
    long kvHeads = c.keyCache().size(2);
    for (long t = 0; t < tokens; t++) {
      for (long h = 0; h < heads + 2 * kvHeads; h++) {
        double[] head = qkv.row(t * c.qkv().stride(0) + h * size, size);
        if (h < heads + kvHeads) {
          turn(head, c.cosine(), c.sine(), positions.getLong(t), c.interleaved());
        }
        if (h < heads) {
          query.setRow(t * c.query().stride(0) + h * size, head);
        } else if (slots.getLong(t) >= 0) {
          boolean isKey = h < heads + kvHeads;
          Operand cache = isKey ? c.keyCache() : c.valueCache();
          long row = slots.getLong(t) * kvHeads + (h - heads) % kvHeads;
          if (c.scales() != null) {
            float scale = Codes.of(head, false).scale();
            View.of(isKey ? c.scales().keys() : c.scales().values()).set(row, scale);
          }
          long place = row * size;
          for (int i = 0; i < size; i++) {
            View.of(cache).setRounded(View.place(cache, place + i), head[i]);
          }
        }
      }
    }
  }

  /** Rotates a head by the angles of a position. */
  private void turn(
      double[] head, Operand cosines, Operand sines, long position, boolean interleaved) {
    View cosine = View.of(cosines);
    View sine = View.of(sines);
    long half = cosines.size(1);
    for (int i = 0; i < half; i++) {
      int first = interleaved ? 2 * i : i;
      int second = interleaved ? 2 * i + 1 : i + (int) half;
      double cos = cosine.get(position * half + i);
      double sin = sine.get(position * half + i);
      double a = head[first];
      double b = head[second];
      head[first] = p.round(p.round(a * cos) - p.round(b * sin));
      head[second] = p.round(p.round(b * cos) + p.round(a * sin));
    }
  }
}
