package dev.gatun.models;

import dev.gatun.kernels.api.call.elementwise.Activation;
import dev.gatun.nn.Embedding;
import dev.gatun.nn.Linear;

/**
 * The table of a vocabulary and the output layer, which is the same one where the configuration
 * says so, and the file does not have other numbers for each, as transformers loads them. A file
 * may have the one of both under either name.
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
   * The output layer, with a bias where the file has one; null where there are no scores.
   *
   * @param embedding the table
   */
  Linear output(Embedding embedding) {
    if (!all.scored()) {
      return null;
    }
    return isOwn()
        ? all.lmHead(head, embedding.rows(), embedding.features())
        : all.tied(embedding, head + ".bias");
  }

  /**
   * The output layer of a masked-LM head, whose bias has two names too: the layer's goes before the
   * other.
   *
   * @param embedding the table
   * @param bias where the bias is if it is not with the layer; or null for a layer without
   */
  Linear output(Embedding embedding, String bias) {
    String layers = head + ".bias";
    boolean own = isOwn();
    boolean elsewhere = bias != null && !bias.equals(layers) && all.has(bias);
    boolean withLayer = bias != null && all.has(layers);
    if (withLayer && elsewhere && !own && !all.hasOther(layers, bias)) {
      withLayer = false;
    }
    if (withLayer && elsewhere && all.areParameters()) {
      // Another one, which transformers' class has too and does not add.
      all.constant(bias, embedding.rows());
    }
    if (!own) {
      return all.tied(embedding, withLayer ? layers : bias);
    }
    long rows = embedding.rows();
    long features = embedding.features();
    return withLayer || !elsewhere
        ? all.linear(head, rows, features, withLayer, Activation.NONE)
        : all.output(head, rows, features, bias);
  }

  /** Whether the output layer is another one than the table. */
  private boolean isOwn() {
    String below = body.prefix().substring(all.prefix().length()) + table + ".weight";
    return !isTied() || body.has(table + ".weight") && all.hasOther(head + ".weight", below);
  }
}
