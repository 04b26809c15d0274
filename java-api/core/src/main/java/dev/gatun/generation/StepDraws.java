package dev.gatun.generation;

import dev.gatun.generation.StepModel.Next;
import dev.gatun.generation.StepModel.Work;
import dev.gatun.models.Chunk;
import java.util.ArrayList;
import java.util.List;

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
    return draws.stream().map(d -> d == null || d == Draw.NONE ? Draw.GREEDY : d).toList();
  }

  /** What a step gave, a work's each. */
  List<List<Next>> results(List<Work> works, StepRoom room) {
    boolean chosen = draws.stream().anyMatch(d -> d != null && d != Draw.NONE);
    long[] ids = chosen ? room.ids(draws.size()) : new long[0];
    List<List<Next>> results = new ArrayList<>();
    int row = 0;
    for (Work work : works) {
      List<Next> all = new ArrayList<>();
      for (int i = 0; i < work.wanted(); i++, row++) {
        all.add(next(draws.get(row), row, ids, room));
      }
      results.add(all);
    }
    return results;
  }

  private static Next next(Draw draw, int row, long[] ids, StepRoom room) {
    if (draw == Draw.NONE) {
      return new Next(-1, room.logProbabilities(row));
    }
    // Logits that choose none are given, for what is wrong with them to be told.
    return draw != null && ids[row] >= 0
        ? new Next((int) ids[row], null)
        : new Next(-1, room.logits(row));
  }
}
