package dev.gatun.text;

import dev.gatun.text.SentencePieceModel.Piece;
import dev.gatun.text.SentencePieceModel.Type;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collections;
import java.util.List;
import java.util.Map;

/**
 * The pieces of a text whose scores have the highest sum (Kudo, "Subword Regularization", 2018),
 * found from its beginning to its end. Sums are made and compared in 32 bits, as SentencePiece
 * does, so that ties end the same way.
 */
final class SentencePieceUnigram implements SentencePieceSegmenter {
  /** What a character that the vocabulary lacks scores below the least piece. */
  private static final float UNKNOWN_PENALTY = 10;

  private final SentencePieceModel model;
  private final Map<String, Integer> ids;
  private final int longest;
  private final float unknownScore;
  private final float most;

  /**
   * @param ids those of the pieces that characters may become
   */
  SentencePieceUnigram(SentencePieceModel model, Map<String, Integer> ids) {
    this.model = model;
    this.ids = ids;
    this.longest = ids.keySet().stream().mapToInt(String::length).max().orElse(1);
    float least = Float.MAX_VALUE;
    float highest = -Float.MAX_VALUE;
    for (Piece piece : model.pieces()) {
      if (piece.type() == Type.NORMAL) {
        least = Math.min(least, piece.score());
        highest = Math.max(highest, piece.score());
      }
    }
    this.unknownScore = least - UNKNOWN_PENALTY;
    this.most = highest;
  }

  @Override
  public List<Segment> segments(String text) {
    int size = text.length();
    int[] begins = new int[size + 1];
    int[] best = new int[size + 1];
    float[] scores = new float[size + 1];
    Arrays.fill(begins, -1);
    for (int from = 0; from < size; ) {
      int one = Character.charCount(text.codePointAt(from));
      boolean single = false;
      int last = Math.min(size, from + longest);
      for (int end = from + one; end <= last; end += width(text, end)) {
        Integer id = ids.get(text.substring(from, end));
        if (id == null || model.piece(id).type() == Type.UNUSED) {
          continue;
        }
        float score = score(id, text, from, end) + scores[from];
        if (begins[end] < 0 || score > scores[end]) {
          begins[end] = from;
          best[end] = id;
          scores[end] = score;
        }
        single |= end == from + one;
      }
      int next = from + one;
      if (!single) {
        float score = unknownScore + scores[from];
        if (begins[next] < 0 || score > scores[next]) {
          begins[next] = from;
          best[next] = model.unkId();
          scores[next] = score;
        }
      }
      from = next;
    }
    List<Segment> segments = new ArrayList<>();
    for (int end = size; end > 0; end = begins[end]) {
      segments.add(new Segment(begins[end], end, best[end]));
    }
    Collections.reverse(segments);
    return segments;
  }

  private static int width(String text, int at) {
    return at < text.length() ? Character.charCount(text.codePointAt(at)) : 1;
  }

  /** A user-defined piece goes before any pieces of the same characters. */
  private float score(int id, String text, int from, int end) {
    Piece piece = model.piece(id);
    if (piece.type() != Type.USER_DEFINED) {
      return piece.score();
    }
    int bytes = text.substring(from, end).getBytes(StandardCharsets.UTF_8).length;
    return (float) (bytes * most - 0.1);
  }
}
