package dev.gatun.models;

import dev.gatun.nn.Embedding;
import dev.gatun.nn.Linear;
import java.util.Arrays;

/**
 * The table of a vocabulary that both stacks of an encoder-decoder and its output layer share. Each
 * of them for which the file has other numbers has its own, as transformers loads it: files of
 * models whose {@code tie_word_embeddings} is false have one for each.
 */
final class SharedTable {
  private static final String HEAD = "lm_head.weight";
  private static final String[] NAMES = {"shared", "encoder.embed_tokens", "decoder.embed_tokens"};

  private final Weights weights;
  private final long rows;
  private final long features;
  private final String name;
  // Whether a file of tied ones has it as the output layer alone.
  private final boolean isHead;
  private Embedding shared;

  /**
   * @param weights has the tables below the names that they have in both stacks
   */
  SharedTable(Weights weights, long rows, long features) {
    this.weights = weights;
    this.rows = rows;
    this.features = features;
    this.name =
        Arrays.stream(NAMES)
            .filter(each -> weights.has(each + ".weight"))
            .findFirst()
            .orElse(NAMES[0]);
    this.isHead = !weights.has(name + ".weight") && weights.loader().has(HEAD);
  }

  private Embedding shared() {
    if (shared == null) {
      shared =
          isHead
              ? weights.loader().embedding(HEAD, rows, features)
              : weights.embedding(name, rows, features);
    }
    return shared;
  }

  /**
   * The table of a part.
   *
   * @param part its name, such as {@code encoder.embed_tokens}
   */
  Embedding of(String part) {
    boolean own = !part.equals(name) && weights.hasOther(part + ".weight", name(weights));
    return own ? weights.embedding(part, rows, features) : shared();
  }

  /**
   * The output layer.
   *
   * @param all has it below its name
   */
  Linear output(Config config, Weights all) {
    boolean own =
        all.has(HEAD)
            && !isHead
            && (!config.flag("tie_word_embeddings", true) || all.hasOther(HEAD, name(all)));
    return own ? all.lmHead("lm_head", rows, features) : all.tied(shared(), "lm_head.bias");
  }

  /** The shared table's name below that of others. */
  private String name(Weights others) {
    return weights.prefix().substring(others.prefix().length()) + name + ".weight";
  }
}
