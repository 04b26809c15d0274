package dev.gatun.text;

import java.util.Collection;
import java.util.HashMap;
import java.util.Map;
import java.util.TreeSet;

/** Finds the longest of some texts that a text has at a place. */
final class SentencePiecePrefixes {
  /** By their first character, the longest first. */
  private final Map<Character, String[]> byStart = new HashMap<>();

  SentencePiecePrefixes(Collection<String> texts) {
    Map<Character, TreeSet<String>> sorted = new HashMap<>();
    for (String text : texts) {
      if (!text.isEmpty()) {
        sorted.computeIfAbsent(text.charAt(0), _ -> longestFirst()).add(text);
      }
    }
    sorted.forEach((start, all) -> byStart.put(start, all.toArray(String[]::new)));
  }

  private static TreeSet<String> longestFirst() {
    return new TreeSet<>(
        (a, b) -> a.length() == b.length() ? a.compareTo(b) : b.length() - a.length());
  }

  /** How many characters of {@code text} from {@code at} on are the longest of them; 0 for none. */
  int longestAt(String text, int at) {
    String[] all = byStart.get(text.charAt(at));
    if (all != null) {
      for (String each : all) {
        if (text.startsWith(each, at)) {
          return each.length();
        }
      }
    }
    return 0;
  }
}
