package dev.gatun.text;

import dev.gatun.text.SentencePieceModel.Type;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.PriorityQueue;

/**
 * The pieces of a text by merging neighbours, those first that make the piece of the highest score,
 * the leftmost among equal ones. User-defined pieces are never merged.
 */
final class SentencePieceBpe implements SentencePieceSegmenter {
  private final SentencePieceModel model;
  private final Map<String, Integer> ids;
  private final SentencePiecePrefixes userDefined;

  /**
   * @param ids those of the pieces that characters may become
   */
  SentencePieceBpe(
      SentencePieceModel model, Map<String, Integer> ids, SentencePiecePrefixes userDefined) {
    this.model = model;
    this.ids = ids;
    this.userDefined = userDefined;
  }

  /** Two neighbours that make a piece, which ends at {@code end}. */
  private record Pair(int left, int right, int end, float score) implements Comparable<Pair> {
    @Override
    public int compareTo(Pair other) {
      int order = Float.compare(other.score, score);
      return order != 0 ? order : Integer.compare(left, other.left);
    }
  }

  /** The state of one text: symbols by where they begin. */
  private final class Run {
    private final String text;
    private final int[] ends;
    private final int[] previous;
    private final boolean[] frozen;
    private final PriorityQueue<Pair> agenda = new PriorityQueue<>();

    /** Of pieces that are no longer used, where the second of their parts begins. */
    private final Map<String, Integer> cuts = new HashMap<>();

    Run(String text) {
      this.text = text;
      this.ends = new int[text.length() + 1];
      this.previous = new int[text.length() + 1];
      this.frozen = new boolean[text.length() + 1];
      int before = -1;
      for (int at = 0; at < text.length(); at = ends[at]) {
        int whole = userDefined.longestAt(text, at);
        frozen[at] = whole > 0;
        ends[at] = at + (whole > 0 ? whole : Character.charCount(text.codePointAt(at)));
        previous[at] = before;
        before = at;
      }
    }

    private void offer(int left, int right) {
      if (left < 0 || right == text.length() || frozen[left] || frozen[right]) {
        return;
      }
      String whole = text.substring(left, ends[right]);
      Integer id = ids.get(whole);
      if (id != null) {
        agenda.add(new Pair(left, right, ends[right], model.piece(id).score()));
        if (model.piece(id).type() == Type.UNUSED) {
          cuts.put(whole, right - left);
        }
      }
    }

    List<Segment> segments() {
      for (int at = 0; at < text.length(); at = ends[at]) {
        offer(at, ends[at]);
      }
      while (!agenda.isEmpty()) {
        Pair pair = agenda.poll();
        // One of the two is a part of something else by now, or has become longer.
        if (ends[pair.left] != pair.right || ends[pair.right] != pair.end) {
          continue;
        }
        ends[pair.left] = pair.end;
        ends[pair.right] = -1;
        if (pair.end < text.length()) {
          previous[pair.end] = pair.left;
        }
        offer(previous[pair.left], pair.left);
        offer(pair.left, pair.end);
      }
      List<Segment> segments = new ArrayList<>();
      for (int at = 0; at < text.length(); at = ends[at]) {
        add(at, ends[at], segments);
      }
      return segments;
    }

    private void add(int begin, int end, List<Segment> to) {
      String piece = text.substring(begin, end);
      Integer id = ids.get(piece);
      boolean unused = id != null && model.piece(id).type() == Type.UNUSED;
      if (unused && cuts.containsKey(piece)) {
        add(begin, begin + cuts.get(piece), to);
        add(begin + cuts.get(piece), end, to);
      } else {
        to.add(new Segment(begin, end, id == null ? model.unkId() : id));
      }
    }
  }

  @Override
  public List<Segment> segments(String text) {
    return new Run(text).segments();
  }
}
