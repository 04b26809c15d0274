package dev.gatun.models;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.gatun.tensor.Device;
import java.io.IOException;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** Files of encoder-decoders with one table, with copies of it, and with a table for each use. */
final class SharedTableTest {
  private static final long[][] SOURCES = {{16, 76, 36, 79, 80}, {83, 31, 89}};
  private static final long[][] TARGETS = {{2, 41, 97, 8}, {2, 67, 30}};

  @TempDir private Path folder;

  private static String body(String golden) {
    return golden.equals("bart") ? "model." : "";
  }

  private static float[] logits(Path directory, int sourceShift, int targetShift)
      throws IOException {
    try (Seq2SeqLm model = AutoModel.loadSeq2SeqLm(directory)) {
      int rows = model.vocabSize();
      long[][] sources = shifted(SOURCES, sourceShift, rows);
      long[][] targets = shifted(TARGETS, targetShift, rows);
      try (Seq2SeqOutput output = model.forward(Seq2SeqInputs.of(sources, null, targets))) {
        return output.logits().toFloatArray();
      }
    }
  }

  private static long[][] shifted(long[][] ids, int shift, int rows) {
    return Arrays.stream(ids)
        .map(row -> Arrays.stream(row).map(id -> (id + shift) % rows).toArray())
        .toArray(long[][]::new);
  }

  @ParameterizedTest
  @ValueSource(strings = {"bart", "t5"})
  void each_use_has_the_table_that_the_file_has_for_it(String golden) throws IOException {
    Path original = ModelFiles.GOLDENS.resolve("encoder-decoders/" + golden);
    ModelFiles files = ModelFiles.read("encoder-decoders/" + golden);
    ModelFiles.Stored table = files.tensors.get(body(golden) + "shared.weight");
    files.config.put("tie_word_embeddings", false);
    if (golden.equals("t5")) {
      // Which the other key says else.
      files.config.put("scale_decoder_outputs", true);
    }
    files.tensors.put(body(golden) + "encoder.embed_tokens.weight", table.moved(3));
    files.tensors.put(body(golden) + "decoder.embed_tokens.weight", table.moved(11));
    files.tensors.put("lm_head.weight", table.moved(29));
    files.write(folder);
    float[] want = logits(original, 0, 0);
    float[] got = logits(folder, 3, 11);
    int rows = (int) table.shape()[0];
    float[] back = new float[got.length];
    for (int i = 0; i < got.length; i++) {
      back[i] = got[i / rows * rows + (i % rows + 29) % rows];
    }
    assertArrayEquals(want, back, 1e-5f);
    assertTrue(Cosine.of(want, logits(original, 3, 11)) < 0.99, "tables make a difference");
  }

  @ParameterizedTest
  @ValueSource(strings = {"bart", "t5"})
  void copies_are_one_table(String golden) throws IOException {
    Path original = ModelFiles.GOLDENS.resolve("encoder-decoders/" + golden);
    ModelFiles files = ModelFiles.read("encoder-decoders/" + golden);
    ModelFiles.Stored table = files.tensors.get(body(golden) + "shared.weight");
    for (String name :
        List.of(
            body(golden) + "encoder.embed_tokens.weight",
            body(golden) + "decoder.embed_tokens.weight",
            "lm_head.weight")) {
      files.tensors.put(name, table);
    }
    files.write(folder);
    assertArrayEquals(logits(original, 0, 0), logits(folder, 0, 0));
    assertEquals(bytes(original), bytes(folder));
  }

  /** Files of tied weights that were written without transformers have the first name of all. */
  @ParameterizedTest
  @ValueSource(strings = {"bart", "t5"})
  void the_table_may_be_the_output_layer(String golden) throws IOException {
    Path original = ModelFiles.GOLDENS.resolve("encoder-decoders/" + golden);
    ModelFiles files = ModelFiles.read("encoder-decoders/" + golden);
    files.tensors.put("lm_head.weight", files.tensors.remove(body(golden) + "shared.weight"));
    files.write(folder);
    assertArrayEquals(logits(original, 0, 0), logits(folder, 0, 0));
    assertEquals(bytes(original), bytes(folder));
  }

  private static long bytes(Path directory) throws IOException {
    long before = Device.cpu().memory().allocatedBytes();
    try (Seq2SeqLm _ = AutoModel.loadSeq2SeqLm(directory)) {
      return Device.cpu().memory().allocatedBytes() - before;
    }
  }
}
