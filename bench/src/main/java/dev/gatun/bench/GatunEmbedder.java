package dev.gatun.bench;

import dev.gatun.kernels.api.call.reduction.PoolingMode;
import dev.gatun.kernels.api.memory.DType;
import dev.gatun.models.AutoModel;
import dev.gatun.models.EncoderModel;
import dev.gatun.models.EncoderModel.Encoded;
import dev.gatun.ops.Ops;
import dev.gatun.tensor.Tensor;
import java.nio.file.Path;

/** Gatun's own encoder; a batch is packed, so padding does not exist. */
final class GatunEmbedder implements Embedder {
  private final EncoderModel model;
  private final DType dtype;

  GatunEmbedder(Path directory, DType dtype) throws Exception {
    this.dtype = dtype;
    this.model = AutoModel.load(directory, dtype);
  }

  @Override
  public float[][] embed(long[][] ids) {
    long[][] types = new long[ids.length][];
    for (int i = 0; i < ids.length; i++) {
      types[i] = new long[ids[i].length];
    }
    try (Encoded encoded = model.encode(ids, types);
        Tensor pooled = Ops.pool(encoded.hidden(), encoded.offsets(), PoolingMode.MEAN);
        Tensor unit = Ops.l2Normalize(pooled)) {
      return Vectors.rows(unit.toFloatArray(), ids.length);
    }
  }

  @Override
  public String version() {
    return "gatun " + dtype + " " + model.device().description();
  }

  @Override
  public void close() {
    model.close();
  }
}
