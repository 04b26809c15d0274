package dev.gatun.bench;

import dev.gatun.kernels.api.call.reduction.PoolingMode;
import dev.gatun.kernels.api.memory.Storage;
import dev.gatun.models.AutoModel;
import dev.gatun.models.EncoderModel;
import dev.gatun.models.EncoderModel.Encoded;
import dev.gatun.nn.Compute;
import dev.gatun.ops.Norm;
import dev.gatun.ops.Reductions;
import dev.gatun.tensor.Device;
import dev.gatun.tensor.Tensor;
import java.nio.file.Path;

/** Gatun's own encoder; a batch is packed, so padding does not exist. */
final class GatunEmbedder implements Embedder {
  private final EncoderModel model;
  private final Storage weights;

  GatunEmbedder(Path directory, Storage weights, Compute compute) throws Exception {
    this.weights = weights;
    this.model = AutoModel.load(directory, Device.cpu(), weights, compute);
  }

  @Override
  public float[][] embed(long[][] ids) {
    long[][] types = new long[ids.length][];
    for (int i = 0; i < ids.length; i++) {
      types[i] = new long[ids[i].length];
    }
    try (Encoded encoded = model.encode(ids, types);
        Tensor pooled = Reductions.pool(encoded.hidden(), encoded.segments(), PoolingMode.MEAN);
        Tensor unit = Norm.l2Normalize(pooled)) {
      return Vectors.rows(unit.toFloatArray(), ids.length);
    }
  }

  @Override
  public String version() {
    return "gatun " + weights + " " + model.device().description();
  }

  @Override
  public void close() {
    model.close();
  }
}
