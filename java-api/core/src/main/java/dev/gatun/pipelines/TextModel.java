package dev.gatun.pipelines;

import dev.gatun.models.Config;
import dev.gatun.models.EncoderModel;
import dev.gatun.models.EncoderModel.Encoded;
import dev.gatun.tensor.Device;
import dev.gatun.tensor.Tensor;

/** What pipelines ask of an {@link EncoderModel}, whose methods these are. */
interface TextModel extends AutoCloseable {
  Encoded encode(long[][] ids, long[][] typeIds);

  Tensor scores(long[][] ids, long[][] typeIds);

  Tensor scoresAt(long[][] ids, long[][] typeIds, long... tokens);

  Config config();

  Device device();

  int hiddenSize();

  int maxLength();

  int batchTokens();

  @Override
  void close();

  static TextModel of(EncoderModel model) {
    return new Loaded(model);
  }

  /** A model as it is. */
  record Loaded(EncoderModel model) implements TextModel {
    @Override
    public Encoded encode(long[][] ids, long[][] typeIds) {
      return model.encode(ids, typeIds);
    }

    @Override
    public Tensor scores(long[][] ids, long[][] typeIds) {
      return model.scores(ids, typeIds);
    }

    @Override
    public Tensor scoresAt(long[][] ids, long[][] typeIds, long... tokens) {
      return model.scoresAt(ids, typeIds, tokens);
    }

    @Override
    public Config config() {
      return model.config();
    }

    @Override
    public Device device() {
      return model.device();
    }

    @Override
    public int hiddenSize() {
      return model.hiddenSize();
    }

    @Override
    public int maxLength() {
      return model.maxLength();
    }

    @Override
    public int batchTokens() {
      return model.batchTokens();
    }

    @Override
    public void close() {
      model.close();
    }
  }
}
