package dev.gatun.bench;

import ai.djl.engine.Engine;
import ai.djl.inference.Predictor;
import ai.djl.ndarray.NDList;
import ai.djl.ndarray.NDManager;
import ai.djl.ndarray.types.Shape;
import ai.djl.repository.zoo.Criteria;
import ai.djl.repository.zoo.ZooModel;
import ai.djl.translate.NoopTranslator;
import java.nio.file.Path;

/**
 * DJL's PyTorch engine on a TorchScript program with PyTorch's fused attention, pooling and
 * normalisation inside.
 */
final class TorchEmbedder implements Embedder {
  private final ZooModel<NDList, NDList> model;
  private final Predictor<NDList, NDList> predictor;
  private final NDManager manager;

  TorchEmbedder(Path directory) throws Exception {
    Path file = TorchScript.MINILM.write(directory);
    model =
        Criteria.builder()
            .setTypes(NDList.class, NDList.class)
            .optModelPath(file)
            .optEngine("PyTorch")
            .optTranslator(new NoopTranslator())
            .build()
            .loadModel();
    predictor = model.newPredictor();
    manager = model.getNDManager();
  }

  @Override
  public float[][] embed(long[][] ids) throws Exception {
    int length = Vectors.longest(ids);
    Shape shape = new Shape(ids.length, length);
    try (NDManager scope = manager.newSubManager()) {
      NDList inputs =
          new NDList(
              scope.create(Vectors.padded(ids, length), shape),
              scope.create(Vectors.mask(ids, length), shape));
      NDList outputs = predictor.predict(inputs);
      outputs.attach(scope);
      return Vectors.rows(outputs.singletonOrThrow().toFloatArray(), ids.length);
    }
  }

  @Override
  public String version() {
    return "DJL PyTorch engine, libtorch " + Engine.getEngine("PyTorch").getVersion();
  }

  @Override
  public void close() {
    predictor.close();
    model.close();
  }
}
