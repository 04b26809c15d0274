package dev.gatun.djl;

import ai.djl.ndarray.NDList;
import ai.djl.ndarray.types.Shape;
import ai.djl.util.PairList;
import dev.gatun.models.Seq2SeqInputs;
import dev.gatun.models.Seq2SeqLm;
import dev.gatun.models.Seq2SeqOutput;
import java.util.List;

/** An encoder-decoder: the scores of what follows each token of the targets. */
final class Seq2SeqBody implements ModelBody {
  private final Late<Seq2SeqLm> model;

  Seq2SeqBody(Late.Loading<Seq2SeqLm> loading) {
    this.model = new Late<>(loading);
  }

  @Override
  public Seq2SeqLm model() {
    return model.get();
  }

  @Override
  public List<String> inputs() {
    return List.of("input_ids", "attention_mask", "decoder_input_ids", "decoder_attention_mask");
  }

  @Override
  public PairList<String, Shape> outputs() {
    PairList<String, Shape> described = new PairList<>();
    described.add("logits", new Shape(-1, -1, -1));
    described.add("encoder_last_hidden_state", new Shape(-1, -1, -1));
    return described;
  }

  @Override
  public NDList forward(GatunNDManager target, BlockInputs inputs) {
    return ModelBody.handed(target, record(inputs));
  }

  @Override
  public Outputs record(BlockInputs inputs) {
    inputs.require("decoder_input_ids");
    Seq2SeqOutput output =
        model()
            .forward(
                new Seq2SeqInputs(
                    inputs.rows("input_ids"),
                    inputs.rows("attention_mask"),
                    inputs.rows("decoder_input_ids"),
                    inputs.rows("decoder_attention_mask"),
                    null,
                    false,
                    false,
                    false));
    return new Outputs(
        List.of(output.logits(), output.encoderLastHiddenState()),
        List.of("logits", "encoder_last_hidden_state"));
  }

  @Override
  public void close() {
    model.close();
  }
}
