package dev.gatun.bench;

import dev.gatun.text.EncodeOptions;
import dev.gatun.text.Encoding;
import dev.gatun.text.Tokenizer;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Comparator;
import java.util.List;
import java.util.Random;

/** What a contender does in one iteration of a case; it gives the vectors, for comparison. */
interface Work {
  float[][] run(Embedder embedder) throws Exception;

  /** The first job of a user: find the passage of a text that answers a question. */
  String MAIN_JOB = "main-job";

  /** One short text to its vector, tokens included. */
  String ONE_TEXT = "one-text";

  /** The same from the text's tokens on, so that beside it is seen what making them takes. */
  String ONE_TEXT_IDS = "one-text-ids";

  String QUESTION = "how do ships climb over the isthmus?";
  String FILE = "docs/demo/panama-canal.txt";

  /** The most tokens of a text. */
  int MAX_LENGTH = 256;

  EncodeOptions CUT = EncodeOptions.DEFAULT.withMaxLength(MAX_LENGTH);

  /**
   * A case by its name: {@value #MAIN_JOB}, {@value #ONE_TEXT}, {@value #ONE_TEXT_IDS}, {@code
   * BATCHxTOKENS} tokens, or {@code ragged-BATCH} with lengths from 8 to 128.
   */
  static Work of(String name, Path model) throws Exception {
    if (name.equals(MAIN_JOB) || name.equals(ONE_TEXT)) {
      Tokenizer tokenizer = Tokenizer.load(model);
      String text = Files.readString(Path.of(FILE));
      return name.equals(ONE_TEXT)
          ? embedder -> embedder.embed(QUESTION, tokenizer)
          : embedder -> embedder.search(QUESTION, text, tokenizer);
    }
    long[][] ids = name.equals(ONE_TEXT_IDS) ? idsOfText(model) : ids(new Random(2), lengths(name));
    return embedder -> embedder.embed(ids);
  }

  /** The tokens of each sequence of a case that is no job. */
  static int[] lengths(String name) {
    if (name.startsWith("ragged-")) {
      int batch = Integer.parseInt(name.substring("ragged-".length()));
      return new Random(1).ints(batch, 8, 129).toArray();
    }
    int[] sizes = Arrays.stream(name.split("x")).mapToInt(Integer::parseInt).toArray();
    int[] lengths = new int[sizes[0]];
    Arrays.fill(lengths, sizes[1]);
    return lengths;
  }

  private static long[][] idsOfText(Path model) throws Exception {
    try (Tokenizer tokenizer = Tokenizer.load(model)) {
      return new long[][] {tokenizer.encode(QUESTION, CUT).ids()};
    }
  }

  private static long[][] ids(Random random, int[] lengths) {
    long[][] ids = new long[lengths.length][];
    Arrays.setAll(ids, i -> random.longs(lengths[i], 1000, 30_000).toArray());
    return ids;
  }

  /** The main job around a library that makes vectors of tokens. */
  static float[][] search(Embedder embedder, String query, String text, Tokenizer tokenizer)
      throws Exception {
    List<String> texts = new ArrayList<>();
    texts.add(query);
    for (String passage : text.split("\\n\\s*\\n")) {
      if (!passage.isBlank()) {
        texts.add(passage.strip());
      }
    }
    long[][] ids =
        tokenizer.encodeAll(texts, CUT).stream().map(Encoding::ids).toArray(long[][]::new);
    float[][] vectors = batches(embedder, ids);
    Integer[] ranking = new Integer[vectors.length - 1];
    Arrays.setAll(ranking, i -> i + 1);
    Arrays.sort(ranking, Comparator.comparingDouble(i -> -Vectors.dot(vectors[0], vectors[i])));
    return new float[][] {vectors[0], vectors[ranking[0]]};
  }

  /** In batches of 32, the longest texts first, so that padding is little. */
  private static float[][] batches(Embedder embedder, long[][] ids) throws Exception {
    Integer[] order = new Integer[ids.length];
    Arrays.setAll(order, i -> i);
    Arrays.sort(order, Comparator.comparingInt(i -> -ids[i].length));
    float[][] vectors = new float[ids.length][];
    for (int from = 0; from < order.length; from += 32) {
      int first = from;
      long[][] batch = new long[Math.min(32, order.length - from)][];
      Arrays.setAll(batch, i -> ids[order[first + i]]);
      float[][] got = embedder.embed(batch);
      for (int i = 0; i < got.length; i++) {
        vectors[order[first + i]] = got[i];
      }
    }
    return vectors;
  }
}
