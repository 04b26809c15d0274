package dev.gatun.models;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.gatun.tensor.Device;
import dev.gatun.tensor.Tensor;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;
import org.junit.jupiter.params.provider.ValueSource;

/** What models compute on: bad inputs are named, odd ones work. */
final class BadInputsTest {
  private static EncoderModel load(String golden) throws IOException {
    return AutoModel.load(ModelFiles.GOLDENS.resolve(golden));
  }

  private interface Inputs {
    EncoderInputs make();
  }

  private static Arguments bad(String golden, String message, Inputs inputs) {
    return Arguments.of(golden, message, inputs);
  }

  private static long[][] rows(long[]... rows) {
    return rows;
  }

  private static long[] row(long... values) {
    return values;
  }

  private static EncoderInputs labelled(long[][] labels, float[][] values) {
    long[][] ids = {{1, 2, 3}, {4, 5, 6}};
    return new EncoderInputs(ids, null, null, labels, values, null, null, null, false, false);
  }

  private static EncoderInputs spans(long[] starts, long[] ends) {
    long[][] ids = {{1, 2, 3}, {4, 5, 6}};
    return new EncoderInputs(ids, null, null, null, null, null, starts, ends, false, false);
  }

  static Stream<Arguments> bad() {
    String bert = "bert-mlm";
    return Stream.of(
        bad(
            bert,
            "input_ids has the id 101 at token 1 of sequence 1, the vocabulary has 101",
            () -> EncoderInputs.of(rows(row(1, 2, 3), row(4, 101)))),
        bad(
            bert,
            "input_ids has the id -1 at token 0 of sequence 0, the vocabulary has 101",
            () -> EncoderInputs.of(rows(row(-1)))),
        bad(
            bert,
            "input_ids has the id %d at".formatted(Long.MIN_VALUE),
            () -> EncoderInputs.of(rows(row(Long.MIN_VALUE)))),
        bad(
            bert,
            "input_ids has a sequence of 65 tokens, the model takes 64: truncate it or split it",
            () -> EncoderInputs.of(rows(new long[65]))),
        bad(
            bert,
            "token_type_ids has 2 at token 0 of sequence 0, the model has 2 types",
            () -> EncoderInputs.of(rows(row(1)), null, rows(row(2)))),
        bad(
            bert,
            "token_type_ids has -1 at token 0 of sequence 0",
            () -> EncoderInputs.of(rows(row(1)), null, rows(row(-1)))),
        bad(bert, "input_ids is missing", () -> EncoderInputs.of(null)),
        bad(bert, "input_ids: row 1 is missing", () -> EncoderInputs.of(new long[][] {{1}, null})),
        bad(
            bert,
            "attention_mask: row 0 is missing",
            () -> EncoderInputs.of(rows(row(1)), new long[][] {null}, null)),
        bad(
            bert,
            "attention_mask has 2 rows, input_ids 1",
            () -> EncoderInputs.of(rows(row(1)), rows(row(1), row(1)), null)),
        bad(
            bert,
            "attention_mask has 2 tokens in row 0, input_ids 1",
            () -> EncoderInputs.of(rows(row(1)), rows(row(1, 1)), null)),
        bad(bert, "labels has 1 rows, input_ids 2", () -> labelled(rows(row(1, 2, 3)), null)),
        bad(
            bert,
            "labels has 1 tokens in row 0, input_ids 3",
            () -> labelled(rows(row(1), row(1)), null)),
        bad(
            bert,
            "cross_entropy: target 101 at 4 is outside of 0 to 100",
            () -> labelled(rows(row(1, 2, 3), row(1, 101, 3)), null)),
        bad(
            "bert-classify",
            "labels: row 0 has 2, expected 1 for the sequence",
            () -> labelled(rows(row(1, 1), row(1, 1)), null)),
        bad(
            "bert-classify",
            "cross_entropy: target 9 at 1",
            () -> labelled(rows(row(1), row(9)), null)),
        bad(
            "bert-multi-label",
            "labels: row 0 has 0, the model",
            () -> labelled(null, new float[][] {{}, {}})),
        bad(
            "bert-qa",
            "start_positions has 1 rows, input_ids 2",
            () -> spans(new long[1], new long[2])),
        bad(
            "bert-qa",
            "end_positions has 3 rows, input_ids 2",
            () -> spans(new long[2], new long[3])));
  }

  @ParameterizedTest(name = "{0}: {1}")
  @MethodSource("bad")
  void a_bad_input_is_named(String golden, String message, Inputs inputs) throws IOException {
    try (EncoderModel model = load(golden)) {
      long before = Device.cpu().memory().allocatedBytes();
      String said =
          assertThrows(IllegalArgumentException.class, () -> model.forward(inputs.make()).close())
              .getMessage();
      assertTrue(said.contains(message), said);
      assertEquals(before, Device.cpu().memory().allocatedBytes());
    }
  }

  static Stream<String> every() throws IOException {
    try (Stream<Path> folders = Files.list(ModelFiles.GOLDENS)) {
      return folders
          .filter(folder -> Files.exists(folder.resolve("config.json")))
          .filter(folder -> Files.exists(folder.resolve("expected.safetensors")))
          .map(folder -> folder.getFileName().toString())
          .sorted()
          .toList()
          .stream();
    }
  }

  @ParameterizedTest
  @MethodSource("every")
  void no_sequences_no_tokens_and_no_seen_tokens(String golden) throws IOException {
    long before = Device.cpu().memory().allocatedBytes();
    try (EncoderModel model = load(golden)) {
      try (EncoderOutput output = model.forward(outputs(rows(), null))) {
        assertArrayEquals(new long[] {0, 0, model.hiddenSize()}, output.lastHiddenState().shape());
      }
      long[][][] batches = {rows(row()), rows(row(), row(5, 6)), rows(row(5, 6), row(7, 8))};
      for (long[][] ids : batches) {
        boolean mask = ids[0].length > 0;
        EncoderInputs inputs = outputs(ids, mask ? rows(row(0, 0), row(1, 1)) : null);
        if (golden.endsWith("bart-classify")) {
          String said =
              assertThrows(IllegalArgumentException.class, () -> model.forward(inputs).close())
                  .getMessage();
          assertTrue(said.contains("has no 2, the eos_token_id, in sequence 0"), said);
          continue;
        }
        try (EncoderOutput output = model.forward(inputs)) {
          for (Tensor tensor : finite(output)) {
            for (float value : tensor.toFloatArray()) {
              assertTrue(Float.isFinite(value), golden + ": " + tensor);
            }
          }
          long unseen = output.lastHiddenState().size(1) * model.hiddenSize();
          float[] hidden = output.lastHiddenState().toFloatArray();
          for (int i = 0; i < unseen; i++) {
            assertEquals(0, hidden[i], "rows that are not there are 0");
          }
        }
      }
    }
    assertEquals(before, Device.cpu().memory().allocatedBytes());
  }

  /** Spans give padding the lowest score, -infinity. */
  private static List<Tensor> finite(EncoderOutput output) {
    return output.tensors().stream()
        .filter(t -> t != output.startLogits() && t != output.endLogits())
        .toList();
  }

  private static EncoderInputs outputs(long[][] ids, long[][] mask) {
    return new EncoderInputs(ids, mask, null, null, null, null, null, null, true, true);
  }

  @ParameterizedTest
  @ValueSource(strings = {"bert-mlm", "deberta-v2-mlm"})
  void a_sequence_without_tokens_changes_no_other(String golden) throws IOException {
    try (EncoderModel model = load(golden);
        EncoderModel.Encoded alone = model.encode(rows(row(5, 6, 7)), null);
        EncoderModel.Encoded among = model.encode(rows(row(), row(5, 6, 7), row()), null)) {
      assertArrayEquals(alone.hidden().toFloatArray(), among.hidden().toFloatArray());
    }
  }

  @Test
  void a_closed_model_is_refused() throws IOException {
    EncoderModel model = load("bert-mlm");
    model.close();
    model.close();
    String said =
        assertThrows(
                IllegalStateException.class,
                () -> model.forward(EncoderInputs.of(rows(row(1)))).close())
            .getMessage();
    assertEquals("the model is closed", said);
  }
}
