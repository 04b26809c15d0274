package dev.gatun.generation;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.Random;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

final class StopStringsTest {
  /** The text before the stop that ends first, found by looking at every place. */
  private static String before(String text, List<String> stops) {
    for (int end = 1; end <= text.length(); end++) {
      String until = text.substring(0, end);
      int longest = stops.stream().filter(until::endsWith).mapToInt(String::length).max().orElse(0);
      if (longest > 0) {
        return text.substring(0, end - longest);
      }
    }
    return text;
  }

  @ParameterizedTest
  @ValueSource(longs = {1, 2, 3, 4})
  void stops_are_found_however_the_text_is_cut(long seed) {
    Random random = new Random(seed);
    for (int round = 0; round < 2000; round++) {
      List<String> stops = new ArrayList<>();
      for (int i = random.nextInt(3); i >= 0; i--) {
        stops.add(text(random, 1 + random.nextInt(4)));
      }
      String text = text(random, random.nextInt(12));
      StopStrings finder = new StopStrings(stops);
      StringBuilder told = new StringBuilder();
      for (int at = 0; at < text.length() && finder.found().isEmpty(); ) {
        int end = Math.min(text.length(), at + 1 + random.nextInt(4));
        told.append(finder.add(text.substring(at, end)));
        assertTrue(before(text, stops).startsWith(told.toString()), text + " " + stops);
        at = end;
      }
      told.append(finder.finish());
      assertEquals(before(text, stops), told.toString(), text + " " + stops);
    }
  }

  private static String text(Random random, int length) {
    StringBuilder text = new StringBuilder();
    for (int i = 0; i < length; i++) {
      text.append((char) ('a' + random.nextInt(2)));
    }
    return text.toString();
  }

  @Test
  void what_may_begin_a_stop_waits_and_nothing_is_lost() {
    StopStrings stops = new StopStrings(List.of("\n\nUser:", "END"));
    assertEquals("ab", stops.add("ab\n"));
    assertEquals("", stops.add("\nUs"));
    assertEquals("\n\nUsage ", stops.add("age E"));
    assertEquals("E", stops.finish());
  }

  @Test
  void the_stop_is_told() {
    StopStrings stops = new StopStrings(List.of("b", "abc"));
    assertEquals("xa", stops.add("xabc"));
    assertEquals(Optional.of("b"), stops.found());
    assertEquals("", stops.finish());
  }

  @Test
  void half_a_character_is_not_told() {
    StopStrings stops = new StopStrings(List.of("\uDF09x"));
    assertEquals("a", stops.add("a\uD83C\uDF09"));
    assertEquals("\uD83C\uDF09", stops.finish());
  }
}
