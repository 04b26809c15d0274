package dev.gatun.models;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.nio.file.Path;
import java.util.Arrays;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/**
 * Padding in front of texts, of models in which it changes what comes behind. What is expected is
 * what transformers 5.18 computes of the goldens' weights in float32.
 */
final class PaddingInFrontTest {
  private static final long[][] IDS = {{83, 31, 89, 7, 2}, {0, 0, 16, 76, 2}};
  private static final long[][] MASK = {{1, 1, 1, 1, 1}, {0, 0, 1, 1, 1}};
  private static final long[][] SOURCES = {
    {16, 76, 36, 79, 80, 12, 9, 33}, {0, 0, 0, 0, 0, 83, 31, 89}
  };
  private static final long[][] SOURCE_MASK = {{1, 1, 1, 1, 1, 1, 1, 1}, {0, 0, 0, 0, 0, 1, 1, 1}};
  private static final long[][] TARGETS = {{0, 41, 97, 8, 5}, {0, 67, 67, 30, 0}};
  private static final long[][] TARGET_MASK = {{1, 1, 1, 1, 1}, {1, 1, 1, 1, 0}};

  @ParameterizedTest
  @CsvSource({
    "bart-classify, -0.03384693 0.12908269 0.60105747 -0.05597685 0.06055645 0.52378470",
    "mbart-classify, 0.00093563 -0.63077688 -0.32822806 -0.58129865"
  })
  void a_decoder_of_the_text_reads_it(String golden, String want) throws IOException {
    try (EncoderModel model = AutoModel.load(ModelFiles.GOLDENS.resolve(golden));
        EncoderOutput output = model.forward(EncoderInputs.of(IDS, MASK, null))) {
      assertArrayEquals(numbers(want), output.logits().toFloatArray(), 1e-5f);
    }
  }

  @Test
  void spans_are_the_same_with_their_labels_and_without() throws IOException {
    float[] starts =
        numbers(
            "-0.21348451 -0.43654484 -0.66909570 -1.40483868 -1.34921670"
                + " -0.17870469 -0.63709539 -0.52045929 -0.28483713 -0.52800101");
    long[] at = {1, 2};
    EncoderInputs labelled =
        new EncoderInputs(IDS, MASK, null, null, null, null, at, at, false, false);
    try (EncoderModel model = AutoModel.load(ModelFiles.GOLDENS.resolve("bart-qa"));
        EncoderOutput alone = model.forward(EncoderInputs.of(IDS, MASK, null));
        EncoderOutput output = model.forward(labelled)) {
      assertArrayEquals(starts, alone.startLogits().toFloatArray(), 1e-5f);
      assertArrayEquals(starts, output.startLogits().toFloatArray(), 1e-5f);
    }
  }

  /** Five tokens of padding that want one expert leave the text behind them no room there. */
  @Test
  void it_takes_room_of_experts() throws IOException {
    float[] want =
        numbers(
            "0.66208804 -0.42572328 0.37456495 0.52305615 -0.39764160 -0.05028661"
                + " 0.53702450 -0.47252923 -0.02095124 0.53897375 -0.32699871 0.01904897");
    long[][] text = {Arrays.copyOfRange(SOURCES[1], 5, 8)};
    try (Seq2SeqLm model = AutoModel.loadSeq2SeqLm(switchDropped());
        Seq2SeqOutput output = model.forward(inputs(SOURCE_MASK, false));
        Seq2SeqOutput bare =
            model.forward(Seq2SeqInputs.of(text, null, new long[][] {TARGETS[1]}))) {
      assertArrayEquals(want, firstThree(output.logits().toFloatArray(), 5, 9), 1e-5f);
      float[] without = firstThree(bare.logits().toFloatArray(), 0, 4);
      assertTrue(Math.abs(without[0] - want[0]) > 0.01f, "room makes a difference");
    }
  }

  /** Behind a target too it counts for the losses of routers, as any token. */
  @Test
  void losses_of_routers_count_it_on_both_sides() throws IOException {
    try (Seq2SeqLm model = AutoModel.loadSeq2SeqLm(switchDropped());
        Seq2SeqOutput output = model.forward(inputs(SOURCE_MASK, true))) {
      RouterLosses losses = output.routerLosses();
      assertEquals(0.67125303, losses.encoderZ(), 1e-5);
      assertEquals(2.03135371, losses.decoderZ(), 1e-5);
      assertEquals(1.50170445, losses.encoderAux(), 1e-5);
      assertEquals(1.50520885, losses.decoderAux(), 1e-5);
    }
  }

  @ParameterizedTest
  @CsvSource({"false", "true"})
  void a_source_of_padding_alone_is_refused(boolean withRouters) throws IOException {
    long[][] mask = {SOURCE_MASK[1], new long[8]};
    try (Seq2SeqLm model = AutoModel.loadSeq2SeqLm(switchDropped())) {
      String message =
          assertThrows(
                  IllegalArgumentException.class, () -> model.forward(inputs(mask, withRouters)))
              .getMessage();
      assertEquals("input_ids has no tokens in row 1: a target needs a source", message);
    }
  }

  /** What is hidden between tokens keeps these apart also where the batch is one text. */
  @ParameterizedTest
  @CsvSource({
    "mpnet-mlm, 0.43490595 -1.71768284 2.28122830 -0.36720723",
    "modernbert-mlm, 0.05916293 -0.26891974 -0.83166260 -0.23276909"
  })
  void a_gap_in_a_text_alone(String golden, String want) throws IOException {
    long[][] ids = {{83, 31, 89, 7, 2, 16, 76, 36, 79, 80}};
    long[][] mask = {{1, 1, 1, 1, 1, 0, 0, 1, 1, 1}};
    try (EncoderModel model = AutoModel.load(ModelFiles.GOLDENS.resolve(golden));
        EncoderOutput output = model.forward(EncoderInputs.of(ids, mask, null))) {
      int last = 9 * model.hiddenSize();
      float[] states = output.lastHiddenState().toFloatArray();
      assertArrayEquals(numbers(want), Arrays.copyOfRange(states, last, last + 4), 1e-5f);
    }
  }

  private static Path switchDropped() {
    return ModelFiles.GOLDENS.resolve("encoder-decoders/switch-dropped");
  }

  private static Seq2SeqInputs inputs(long[][] mask, boolean withRouters) {
    return new Seq2SeqInputs(
        SOURCES, mask, TARGETS, TARGET_MASK, null, false, false, withRouters, null);
  }

  /** Of some rows of scores of 101 tokens. */
  private static float[] firstThree(float[] logits, int from, int to) {
    float[] some = new float[3 * (to - from)];
    for (int row = from; row < to; row++) {
      System.arraycopy(logits, row * 101, some, 3 * (row - from), 3);
    }
    return some;
  }

  private static float[] numbers(String words) {
    String[] each = words.strip().split(" ");
    float[] values = new float[each.length];
    for (int i = 0; i < values.length; i++) {
      values[i] = Float.parseFloat(each[i]);
    }
    return values;
  }
}
