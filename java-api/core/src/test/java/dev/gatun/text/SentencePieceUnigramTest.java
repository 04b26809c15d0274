package dev.gatun.text;

import static org.junit.jupiter.api.Assertions.assertEquals;

import dev.gatun.text.SentencePieceModel.Algorithm;
import dev.gatun.text.SentencePieceModel.Piece;
import dev.gatun.text.SentencePieceModel.Type;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.Test;

/**
 * Sums of scores that differ by less than a float tells are ties, as sentencepiece 0.2.2 has it.
 */
final class SentencePieceUnigramTest {
  @Test
  void of_sums_that_are_equal_as_floats_the_first_counts() {
    List<Piece> pieces =
        List.of(
            new Piece("<unk>", 0, Type.UNKNOWN),
            new Piece("x", -11.594751f, Type.NORMAL),
            new Piece("f", -5.7924933433532715f, Type.NORMAL),
            new Piece("ff", -6.395595550537109f, Type.NORMAL));
    SentencePieceModel model =
        new SentencePieceModel(
            Path.of("model"),
            pieces,
            Algorithm.UNIGRAM,
            0,
            false,
            false,
            "",
            new byte[0],
            false,
            false,
            true);
    List<String> found =
        new SentencePieceProcessor(model)
            .encode("xfff").stream().map(SentencePieceProcessor.Part::piece).toList();
    assertEquals(List.of("x", "f", "ff"), found);
  }
}
