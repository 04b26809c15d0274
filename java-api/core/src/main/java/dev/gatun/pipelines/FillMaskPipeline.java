package dev.gatun.pipelines;

import dev.gatun.models.Head;
import dev.gatun.ops.Indexing;
import dev.gatun.ops.Norm;
import dev.gatun.ops.Reductions;
import dev.gatun.tensor.Device;
import dev.gatun.tensor.Ids;
import dev.gatun.tensor.Scope;
import dev.gatun.tensor.Tensor;
import dev.gatun.text.Encoding;
import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.stream.LongStream;

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

  /**
   * Opens the directory of a masked language model, on the processor.
   *
   * @param directory of the model with its tokenizer
   * @return the pipeline, which the caller closes
   * @throws IOException when a file is missing or cannot be read
   * @throws IllegalArgumentException when one is not as expected, the weights lack the head, or the
   *     tokenizer has no mask token
   */
  public static FillMaskPipeline load(Path directory) throws IOException {
    Parts parts = Parts.load(directory, Head.MASKED_LM);
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
   * @param text with the mask token at least once, such as {@code [MASK]} of BERT
   * @param topK how many tokens a place, from 1; all where there are fewer
   * @param targets tokens to choose among, as the vocabulary spells them; none for all of it
   * @return those of each place, the best first; scores are probabilities among the whole
   *     vocabulary, with targets too
   * @throws IllegalArgumentException when the text has no mask token, or more tokens than the model
   *     takes, or a target is no token
   */
  public List<List<Filling>> fill(String text, int topK, String... targets) {
    Encoding encoding = parts.tokenizer().encode(text, parts.whole());
    long[] places =
        LongStream.range(0, encoding.length())
            .filter(i -> encoding.ids()[(int) i] == maskId)
            .toArray();
    if (places.length == 0) {
      throw new IllegalArgumentException("the text has no mask token");
    }
    long[] ids = Arrays.stream(targets).mapToLong(this::id).toArray();
    try (Scope _ = Scope.open()) {
      Tensor scores =
          Norm.softmax(
              parts
                  .model()
                  .scoresAt(
                      new long[][] {encoding.ids()}, new long[][] {encoding.typeIds()}, places));
      if (ids.length > 0) {
        Device device = parts.model().device();
        scores = Indexing.indexSelect(scores, 1, Ids.of(device, "targets", scores.size(1), ids));
      }
      return best(Reductions.topk(scores, Math.min(topK, scores.size(1))), places.length, ids);
    }
  }

  private long id(String target) {
    return parts
        .tokenizer()
        .tokenToId(target)
        .orElseThrow(() -> new IllegalArgumentException("'" + target + "' is not a single token"));
  }

  /**
   * @param top of each place [places, k], as indices of ids
   * @param ids the tokens chosen among; none for the whole vocabulary
   */
  private List<List<Filling>> best(Reductions.TopK top, int places, long... ids) {
    float[] scores = top.values().toFloatArray();
    long[] indices = top.indices().toLongArray();
    int each = scores.length / places;
    List<List<Filling>> all = new ArrayList<>();
    for (int place = 0; place < places; place++) {
      List<Filling> fillings = new ArrayList<>();
      for (int i = place * each; i < (place + 1) * each; i++) {
        long id = ids.length == 0 ? indices[i] : ids[(int) indices[i]];
        String token = parts.tokenizer().idToToken(id).orElse("");
        fillings.add(new Filling(token, (int) id, scores[i]));
      }
      all.add(fillings);
    }
    return all;
  }

  @Override
  public void close() {
    parts.close();
  }
}
