package dev.gatun.bench.generation;

import ai.djl.engine.Engine;
import ai.djl.inference.Predictor;
import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDList;
import ai.djl.ndarray.NDManager;
import ai.djl.ndarray.types.Shape;
import ai.djl.repository.zoo.Criteria;
import ai.djl.repository.zoo.ZooModel;
import ai.djl.translate.NoopTranslator;
import ai.djl.translate.TranslateException;
import dev.gatun.bench.Subject;
import java.nio.file.Path;
import java.util.Arrays;

/**
 * DJL's PyTorch engine on a TorchScript program that has all of it inside: the encoder, steps with
 * caches of fixed size and PyTorch's fused attention, and the choice of tokens. The beams of a
 * source look at its keys together.
 */
public final class TorchSeq2Seq implements Subject {
  private final ZooModel<NDList, NDList> model;
  private final Predictor<NDList, NDList> predictor;

  /**
   * @param program the TorchScript file
   */
  public TorchSeq2Seq(Path program) throws Exception {
    model =
        Criteria.builder()
            .setTypes(NDList.class, NDList.class)
            .optModelPath(program)
            .optEngine("PyTorch")
            .optTranslator(new NoopTranslator())
            .build()
            .loadModel();
    predictor = model.newPredictor();
  }

  @Override
  public Task task(String name) {
    Seq2SeqCase c = Seq2SeqCase.of(name);
    return () -> computed(c);
  }

  private float[] computed(Seq2SeqCase c) throws TranslateException {
    long[][] sources = c.sources();
    try (NDManager scope = model.getNDManager().newSubManager()) {
      long[] ids = Arrays.stream(sources).flatMapToLong(Arrays::stream).toArray();
      long[] settings = {c.ofEncoder() ? 0 : Seq2SeqCase.TOKENS, Math.max(1, c.beams())};
      NDList outputs =
          predictor.predict(
              new NDList(
                  scope.create(ids, new Shape(sources.length, sources[0].length)),
                  scope.create(settings)));
      outputs.attach(scope);
      NDArray output = outputs.singletonOrThrow();
      if (c.ofEncoder()) {
        return output.toFloatArray();
      }
      long[] all = output.toLongArray();
      long[][] texts = new long[sources.length][];
      Arrays.setAll(
          texts,
          i -> Arrays.copyOfRange(all, i * Seq2SeqCase.TOKENS, (i + 1) * Seq2SeqCase.TOKENS));
      return Seq2SeqCase.numbers(texts);
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
