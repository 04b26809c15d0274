package dev.gatun.generation;

import dev.gatun.generation.StepModel.Next;
import dev.gatun.generation.StepModel.Work;
import dev.gatun.models.Chunk;
import java.util.ArrayList;
import java.util.List;
import java.util.Objects;

/**
 * A step's work as a model takes it.
 *
 * @param chunks a work's each
 * @param draws of each token that something is wanted of; null where its logits are
 */
record StepDraws(List<Chunk> chunks, List<Draw> draws) {
  static StepDraws of(List<Work> works) {
    List<Chunk> chunks = new ArrayList<>();
    List<Draw> draws = new ArrayList<>();
    for (Work work : works) {
      chunks.add(new Chunk(work.sequence(), work.ids(), work.wanted(), work.source()));
      for (int i = 0; i < work.wanted(); i++) {
        draws.add(work.draws() == null ? null : work.draws().get(i));
      }
    }
    return new StepDraws(chunks, draws);
  }

  /** What is drawn of each, of those too whose logits are wanted. */
  List<Draw> all() {
    return draws.stream().map(d -> d == null ? Draw.GREEDY : d).toList();
  }

  /** What a step gave, a work's each. */
  List<List<Next>> results(List<Work> works, StepRoom room) {
    boolean chosen = draws.stream().anyMatch(Objects::nonNull);
    long[] ids = chosen ? room.ids(draws.size()) : new long[0];
    List<List<Next>> results = new ArrayList<>();
    int row = 0;
    for (Work work : works) {
      List<Next> all = new ArrayList<>();
      for (int i = 0; i < work.wanted(); i++, row++) {
        // Logits that choose none are given, for what is wrong with them to be told.
        boolean given = draws.get(row) != null && ids[row] >= 0;
        all.add(given ? new Next((int) ids[row], null) : new Next(-1, room.logits(row)));
      }
      results.add(all);
    }
    return results;
  }
}
