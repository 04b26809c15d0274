package dev.gatun.cli;

/**
 * A passage found.
 *
 * @param score how near its vector and the query's are
 * @param place where it stands
 * @param kept the passage with its vector
 */
record Hit(float score, Place place, EmbeddedPassage kept) {
  /**
   * Where a passage stands among all.
   *
   * @param text the number of its text, from 0
   * @param file that text as the user would name it
   * @param passage its number in the text, from 0
   */
  record Place(int text, String file, int passage) {}

  String file() {
    return place.file;
  }

  Passage passage() {
    return kept.passage();
  }
}
