package dev.gatun.djl;

import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDArrays;
import ai.djl.ndarray.NDList;
import ai.djl.ndarray.types.Shape;
import ai.djl.util.PairList;
import dev.gatun.models.EncoderInputs;
import dev.gatun.models.EncoderModel;
import dev.gatun.models.EncoderOutput;
import dev.gatun.models.Head;
import dev.gatun.tensor.Tensor;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;

/** An encoder with its head: hidden states, or the scores that Hugging Face's class gives. */
final class EncoderBody implements ModelBody {
  private final EncoderModel encoder;
  private final int batchSize;

  /**
   * @param batchSize the most sequences that are computed together
   */
  EncoderBody(EncoderModel encoder, int batchSize) {
    this.encoder = encoder;
    this.batchSize = batchSize;
  }

  @Override
  public EncoderModel model() {
    return encoder;
  }

  @Override
  public List<String> inputs() {
    return List.of("input_ids", "attention_mask", "token_type_ids");
  }

  @Override
  public PairList<String, Shape> outputs() {
    PairList<String, Shape> described = new PairList<>();
    switch (encoder.head()) {
      case QUESTION_ANSWERING -> {
        described.add("start_logits", new Shape(-1, -1));
        described.add("end_logits", new Shape(-1, -1));
      }
      case BASE -> described.add("last_hidden_state", new Shape(-1, -1, encoder.hiddenSize()));
      case SEQUENCE_CLASSIFICATION, NEXT_SENTENCE_PREDICTION ->
          described.add("logits", new Shape(-1, -1));
      case PRE_TRAINING -> {
        if (isDiscriminator()) {
          described.add("logits", new Shape(-1, -1));
        } else {
          described.add("prediction_logits", new Shape(-1, -1, encoder.vocabSize()));
          described.add(pairLogits(), new Shape(-1, 2));
        }
      }
      default -> described.add("logits", new Shape(-1, -1, -1));
    }
    return described;
  }

  @Override
  public NDList forward(GatunNDManager target, BlockInputs inputs) {
    long[][] ids = inputs.rows("input_ids");
    long[][] mask = inputs.rows("attention_mask");
    long[][] types = inputs.rows("token_type_ids");
    if (ids.length <= batchSize) {
      return ModelBody.handed(target, run(ids, mask, types));
    }
    EncoderInputs.of(ids, mask, types);
    List<NDList> parts = new ArrayList<>();
    try {
      for (int begin = 0; begin < ids.length; begin += batchSize) {
        int end = Math.min(ids.length, begin + batchSize);
        Outputs outputs =
            run(part(ids, begin, end), part(mask, begin, end), part(types, begin, end));
        parts.add(ModelBody.handed(target, outputs));
      }
      return joined(parts);
    } finally {
      parts.forEach(NDList::close);
    }
  }

  /** A batch is not cut, whatever its size: its gradients are those of one pass. */
  @Override
  public Outputs record(BlockInputs inputs) {
    return run(
        inputs.rows("input_ids"), inputs.rows("attention_mask"), inputs.rows("token_type_ids"));
  }

  private static long[][] part(long[][] rows, int begin, int end) {
    return rows == null ? null : Arrays.copyOfRange(rows, begin, end);
  }

  private static NDList joined(List<NDList> parts) {
    NDList all = new NDList();
    for (int i = 0; i < parts.getFirst().size(); i++) {
      int output = i;
      NDList pieces = new NDList(parts.stream().map(part -> part.get(output)).toList());
      NDArray whole = NDArrays.concat(pieces, 0);
      whole.setName(pieces.head().getName());
      all.add(whole);
    }
    return all;
  }

  private Outputs run(long[][] ids, long[][] mask, long[][] types) {
    EncoderOutput output = encoder.forward(EncoderInputs.of(ids, mask, types));
    List<Tensor> given = new ArrayList<>();
    List<String> names = new ArrayList<>();
    switch (encoder.head()) {
      case QUESTION_ANSWERING -> {
        add(given, names, output.startLogits(), "start_logits");
        add(given, names, output.endLogits(), "end_logits");
      }
      case BASE -> {
        add(given, names, output.lastHiddenState(), "last_hidden_state");
        add(given, names, output.poolerOutput(), "pooler_output");
      }
      case PRE_TRAINING -> {
        add(given, names, output.logits(), isDiscriminator() ? "logits" : "prediction_logits");
        add(given, names, output.seqRelationshipLogits(), pairLogits());
      }
      default -> add(given, names, output.logits(), "logits");
    }
    for (Tensor tensor :
        new Tensor[] {output.lastHiddenState(), output.poolerOutput(), output.logits()}) {
      if (tensor != null && !given.contains(tensor)) {
        tensor.close();
      }
    }
    return new Outputs(given, names);
  }

  /** ELECTRA's says of each token whether it was replaced. */
  private boolean isDiscriminator() {
    return encoder.head() == Head.PRE_TRAINING && type().equals("electra");
  }

  /** What the class calls its scores of a pair of texts. */
  private String pairLogits() {
    return type().equals("albert") ? "sop_logits" : "seq_relationship_logits";
  }

  private String type() {
    return encoder.config().text("model_type", "");
  }

  private static void add(List<Tensor> given, List<String> names, Tensor tensor, String name) {
    if (tensor != null) {
      given.add(tensor);
      names.add(name);
    }
  }

  @Override
  public void close() {
    encoder.close();
  }
}
