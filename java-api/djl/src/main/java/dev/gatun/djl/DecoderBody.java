package dev.gatun.djl;

import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDList;
import ai.djl.ndarray.types.Shape;
import ai.djl.util.PairList;
import dev.gatun.models.CausalLm;
import dev.gatun.models.CausalLmInputs;
import java.util.List;

/**
 * A decoder: the scores of what follows each token; with {@code past_key_values} also the last
 * hidden states and the past of the next call.
 */
final class DecoderBody implements ModelBody {
  /** The input, and the output, by which a call goes on where another one ended. */
  static final String PAST = "past_key_values";

  private final Late<CausalLm> model;
  private final Late<DecoderSteps> steps;

  DecoderBody(Late.Loading<CausalLm> loading) {
    this.model = new Late<>(loading);
    this.steps = new Late<>(() -> new DecoderSteps(model.get()));
  }

  @Override
  public CausalLm model() {
    return model.get();
  }

  @Override
  public List<String> inputs() {
    return List.of("input_ids", "attention_mask", PAST);
  }

  @Override
  public PairList<String, Shape> outputs() {
    PairList<String, Shape> described = new PairList<>();
    described.add("logits", new Shape(-1, -1, -1));
    return described;
  }

  @Override
  public NDList forward(GatunNDManager target, BlockInputs inputs) {
    long[][] ids = inputs.rows("input_ids");
    long[][] mask = inputs.rows("attention_mask");
    NDArray past = inputs.array(PAST);
    if (past == null) {
      return ModelBody.handed(target, record(inputs));
    }
    Shape shape = past.getShape();
    if (shape.dimension() != 4 || shape.get(1) != 1 || shape.get(3) != 1) {
      throw new IllegalArgumentException(
          "forward: %s is %s, expected what an earlier call gave, [batch, 1, length, 1]"
              .formatted(PAST, shape));
    }
    int length = Math.toIntExact(shape.get(2));
    long[][] before = BlockInputs.split(past, Math.toIntExact(shape.get(0)), length);
    return steps.get().forward(target, before, ids, mask);
  }

  @Override
  public Outputs record(BlockInputs inputs) {
    if (inputs.array(PAST) != null) {
      throw new IllegalArgumentException(
          "forward: %s is for writing text, expected none in training".formatted(PAST));
    }
    var output =
        model()
            .forward(
                new CausalLmInputs(
                    inputs.rows("input_ids"),
                    inputs.rows("attention_mask"),
                    null,
                    false,
                    false,
                    false));
    return new Outputs(List.of(output.logits()), List.of("logits"));
  }

  @Override
  public void close() {
    steps.close();
    model.close();
  }
}
