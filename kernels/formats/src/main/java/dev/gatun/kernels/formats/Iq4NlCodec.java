package dev.gatun.kernels.formats;

import java.lang.foreign.MemorySegment;

/** GGML's IQ4_NL: 32 elements, F16 scale, codes of four bits of {@link UnevenSteps}. */
final class Iq4NlCodec implements BlockCodec {
  @Override
  public void encode(float[] x, int size, MemorySegment out, long at) {
    encode(x, Rounding.ones(size), size, out, at);
  }

  @Override
  public void encode(float[] x, float[] weights, int size, MemorySegment out, long at) {
    float scale = Bytes.setF16(out, at, ScaleSearch.best(x, weights, 0, size, UnevenSteps.CODES));
    UnevenSteps.write(x, 0, scale, out, at + 2);
  }

  @Override
  public void decode(MemorySegment in, long at, Block block) {
    block.scales[0] = Bytes.f16(in, at);
    UnevenSteps.read(in, at + 2, block.codes, 0);
  }
}
