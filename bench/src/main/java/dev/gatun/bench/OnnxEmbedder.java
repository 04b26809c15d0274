package dev.gatun.bench;

import ai.onnxruntime.OnnxTensor;
import ai.onnxruntime.OrtEnvironment;
import ai.onnxruntime.OrtException;
import ai.onnxruntime.OrtSession;
import java.nio.LongBuffer;
import java.nio.file.Path;
import java.util.HashMap;
import java.util.Map;

/** ONNX Runtime with all of its graph optimisations; pooling in Java, as its Java users do. */
final class OnnxEmbedder implements Embedder {
  private final OrtEnvironment environment = OrtEnvironment.getEnvironment();
  private final OrtSession session;

  OnnxEmbedder(Path graph, int threads) throws Exception {
    session = OnnxSession.open(graph, threads);
  }

  @Override
  public float[][] embed(long[][] ids) throws Exception {
    int length = Vectors.longest(ids);
    long[] shape = {ids.length, length};
    Map<String, OnnxTensor> inputs = new HashMap<>();
    try {
      put(inputs, "input_ids", Vectors.padded(ids, length), shape);
      put(inputs, "attention_mask", Vectors.mask(ids, length), shape);
      put(inputs, "token_type_ids", new long[ids.length * length], shape);
      try (OrtSession.Result result = session.run(inputs)) {
        return Vectors.pool(OnnxSession.floats((OnnxTensor) result.get(0)), ids, length);
      }
    } finally {
      inputs.values().forEach(OnnxTensor::close);
    }
  }

  private void put(Map<String, OnnxTensor> inputs, String name, long[] values, long[] shape)
      throws Exception {
    inputs.put(name, OnnxTensor.createTensor(environment, LongBuffer.wrap(values), shape));
  }

  @Override
  public String version() {
    return "onnxruntime " + environment.getVersion();
  }

  @Override
  public void close() {
    try {
      session.close();
    } catch (OrtException e) {
      throw new IllegalStateException(e);
    }
  }
}
