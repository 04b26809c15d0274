package dev.gatun.training.data;

import dev.gatun.models.ProblemType;
import dev.gatun.text.EncodeOptions;
import dev.gatun.text.Encoding;
import dev.gatun.text.Tokenizer;
import java.util.List;

/** Samples of {@link Collator#sequenceClassification}. */
record SequenceClassification(
    Tokenizer tokenizer, int maxLength, LabelNames labels, ProblemType given) implements Collator {
  private static final String LABEL = "label";
  private static final String PAIR = "text_pair";

  @Override
  public Samples samples(Dataset data) {
    ProblemType type = given == null ? typeOf(data.get(0)) : given;
    for (int i = 0; i < data.size(); i++) {
      Example example = data.get(i);
      example.text("text");
      if (example.has(PAIR)) {
        example.text(PAIR);
      }
      label(example, type);
      if (type == ProblemType.SINGLE_LABEL_CLASSIFICATION) {
        example.weight();
      } else {
        example.requireNoWeight("a " + type);
      }
    }
    return new Samples() {
      @Override
      public int size() {
        return data.size();
      }

      @Override
      public Features get(int index, Draws draws) {
        return features(data.get(index), type);
      }
    };
  }

  private ProblemType typeOf(Example example) {
    if (labels.names().size() == 1) {
      return ProblemType.REGRESSION;
    }
    return example.value(LABEL) instanceof List
        ? ProblemType.MULTI_LABEL_CLASSIFICATION
        : ProblemType.SINGLE_LABEL_CLASSIFICATION;
  }

  private Features features(Example example, ProblemType type) {
    EncodeOptions options = EncodeOptions.DEFAULT.withMaxLength(maxLength);
    String text = example.text("text");
    Encoding encoding =
        example.has(PAIR)
            ? tokenizer.encode(text, example.text(PAIR), options)
            : tokenizer.encode(text, options);
    return switch (label(example, type)) {
      case Long label ->
          Features.ofClass(encoding.ids(), encoding.typeIds(), label).weighing(example.weight());
      case float[] values -> Features.ofValues(encoding.ids(), encoding.typeIds(), values);
      default -> throw new AssertionError();
    };
  }

  /** The number of a class, or a number for each class. */
  private Object label(Example example, ProblemType type) {
    Object label = example.value(LABEL);
    if (type == ProblemType.SINGLE_LABEL_CLASSIFICATION) {
      return labels.number(example, LABEL, label);
    }
    int count = labels.names().size();
    List<?> each = label instanceof List<?> list ? list : List.of(label);
    float[] values = new float[count];
    boolean names = !each.isEmpty() && each.stream().allMatch(String.class::isInstance);
    if (type == ProblemType.MULTI_LABEL_CLASSIFICATION && (names || each.isEmpty())) {
      each.forEach(name -> values[(int) labels.number(example, LABEL, name)] = 1);
      return values;
    }
    if (each.size() != count || !each.stream().allMatch(Number.class::isInstance)) {
      throw example.wrong(LABEL, count == 1 ? "a number" : "a list of " + count + " numbers");
    }
    for (int i = 0; i < count; i++) {
      values[i] = ((Number) each.get(i)).floatValue();
      if (!Float.isFinite(values[i])) {
        throw example.wrong(LABEL, "finite numbers");
      }
    }
    return values;
  }
}
