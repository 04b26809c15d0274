package dev.gatun.pipelines;

import dev.gatun.text.Encoding;
import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;

/** Guesses what stands where a text has the mask token. */
public final class FillMaskPipeline implements AutoCloseable {
  private final Parts parts;
  private final int maskId;

  FillMaskPipeline(Parts parts) {
    this.parts = parts;
    this.maskId =
        parts
            .tokenizer()
            .specialTokens()
            .mask()
            .orElseThrow(() -> new IllegalArgumentException("the tokenizer has no mask token"));
  }

  /** Opens the directory of a masked language model. */
  public static FillMaskPipeline load(Path directory) throws IOException {
    Parts parts = Parts.load(directory, TextModels.Head.MASKED_LM);
    try {
      return new FillMaskPipeline(parts);
    } catch (RuntimeException e) {
      parts.close();
      throw e;
    }
  }

  /**
   * The best tokens for each masked place, in the order of the text.
   *
   * @param targets tokens to choose among; none for the whole vocabulary
   * @throws IllegalArgumentException when the text has no mask token, or a target is no token
   */
  public List<List<Filling>> fill(String text, int topK, String... targets) {
    Encoding encoding = parts.tokenizer().encode(text, parts.whole());
    int[] places = MaskFilling.masks(encoding.ids(), maskId);
    int[] ids = new int[targets.length];
    for (int i = 0; i < ids.length; i++) {
      String target = targets[i];
      ids[i] =
          parts
              .tokenizer()
              .tokenToId(target)
              .orElseThrow(
                  () -> new IllegalArgumentException("'" + target + "' is not a single token"));
    }
    float[][] rows = parts.rows(encoding);
    List<List<Filling>> all = new ArrayList<>();
    for (int place : places) {
      all.add(MaskFilling.candidates(rows[place], topK, ids).stream().map(this::named).toList());
    }
    return all;
  }

  private Filling named(MaskFilling.Candidate candidate) {
    String token = parts.tokenizer().idToToken(candidate.id()).orElse("");
    return new Filling(token, candidate.id(), candidate.score());
  }

  @Override
  public void close() {
    parts.close();
  }
}
