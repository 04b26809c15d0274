package dev.gatun.text;

import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.Map;
import java.util.function.IntPredicate;

/** The merges of a BPE model whose vocabulary has scores in their place. */
final class Merges {
  private record Merge(double score, int whole, int left, int right) {}

  private Merges() {}

  /**
   * Writes every way to make a piece of two, those of higher scores first.
   *
   * @param model of a tokenizer.json, for its {@code merges}
   * @param tokens the vocabulary
   * @param ids of its tokens
   * @param scores one for each
   * @param isText whether a text's characters may become it
   */
  static void put(
      ObjectNode model,
      List<String> tokens,
      Map<String, Integer> ids,
      double[] scores,
      IntPredicate isText) {
    List<Merge> merges = new ArrayList<>();
    for (int id = 0; id < tokens.size(); id++) {
      String piece = tokens.get(id);
      if (piece.isEmpty() || !isText.test(id)) {
        continue;
      }
      for (int cut = piece.offsetByCodePoints(0, 1);
          cut < piece.length();
          cut = piece.offsetByCodePoints(cut, 1)) {
        Integer left = ids.get(piece.substring(0, cut));
        Integer right = ids.get(piece.substring(cut));
        if (left != null && right != null && isText.test(left) && isText.test(right)) {
          merges.add(new Merge(scores[id], id, left, right));
        }
      }
    }
    merges.sort(
        Comparator.comparingDouble((Merge m) -> -m.score)
            .thenComparingInt(Merge::whole)
            .thenComparingInt(Merge::left));
    ArrayNode written = model.putArray("merges");
    for (Merge merge : merges) {
      written.addArray().add(tokens.get(merge.left)).add(tokens.get(merge.right));
    }
  }
}
