package dev.gatun.text;

import java.util.List;

/** Cuts a normalised text into pieces. */
interface SentencePieceSegmenter {
  /**
   * A piece of a text.
   *
   * @param begin where it begins
   * @param end where it ends
   * @param id its id, that of the unknown piece for what the vocabulary lacks
   */
  record Segment(int begin, int end, int id) {}

  /** Its pieces, one behind the other. */
  List<Segment> segments(String text);
}
