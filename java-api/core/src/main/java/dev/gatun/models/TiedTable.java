package dev.gatun.models;

import dev.gatun.nn.Embedding;
import dev.gatun.nn.Linear;

/**
 * The table of a decoder's vocabulary and its output layer, which is the same one where the
 * configuration says so, and the file does not have other numbers for each, as transformers loads
 * them. A file may have the one of both under either name.
 *
 * @param all has the output layer below its name
 * @param body has the table below its name
 * @param byDefault whether they are the same one where the configuration says nothing
 */
record TiedTable(
    Config config, Weights all, Weights body, String table, String head, boolean byDefault) {

  private boolean isTied() {
    return config.flag("tie_word_embeddings", byDefault);
  }

  /** [rows, features]. */
  Embedding embedding(long rows, long features) {
    boolean asHead = isTied() && !body.has(table + ".weight") && all.has(head + ".weight");
    return asHead ? all.embedding(head, rows, features) : body.embedding(table, rows, features);
  }

  /**
   * The output layer, with a bias where the file has one.
   *
   * @param embedding the table
   */
  Linear output(Embedding embedding) {
    String layer = head + ".weight";
    String below = body.prefix().substring(all.prefix().length()) + table + ".weight";
    boolean own = !isTied() || body.has(table + ".weight") && all.hasOther(layer, below);
    return own
        ? all.lmHead(head, embedding.rows(), embedding.features())
        : all.tied(embedding, head + ".bias");
  }
}
