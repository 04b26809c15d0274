package dev.gatun.pipelines;

import static org.junit.jupiter.api.Assertions.assertEquals;

import java.util.List;
import java.util.Set;
import org.junit.jupiter.api.Test;

class EntityGroupingTest {
  private static final String TEXT = "Goethals dug Gatun Lake";
  private static final List<String> LABELS = List.of("O", "B-PER", "I-PER", "B-LOC", "I-LOC");
  private static final List<TokenScores> TOKENS =
      List.of(
          token(0, 4, 1, false, 0.1f, 0.6f, 0.3f, 0, 0),
          token(4, 8, 2, true, 0, 0, 0.3f, 0.7f, 0),
          token(9, 12, 3, false, 0.9f, 0.1f, 0, 0, 0),
          token(13, 18, 4, false, 0, 0, 0, 0.8f, 0.2f),
          token(19, 23, 5, false, 0, 0, 0, 0.4f, 0.6f));

  private static TokenScores token(
      int start, int end, int index, boolean continues, float... scores) {
    return new TokenScores(scores, start, end, index, continues);
  }

  private static String run(AggregationStrategy strategy) {
    StringBuilder out = new StringBuilder();
    for (Entity entity : new EntityGrouping(TEXT, LABELS).entities(TOKENS, strategy, Set.of("O"))) {
      out.append("%s %s %.2f; ".formatted(entity.label(), entity.word(), entity.score()));
    }
    return out.toString().strip();
  }

  @Test
  void noneKeepsTokens() {
    assertEquals(
        "B-PER Goet 0.60; B-LOC hals 0.70; B-LOC Gatun 0.80; I-LOC Lake 0.60;",
        run(AggregationStrategy.NONE));
  }

  @Test
  void simpleJoinsNeighbours() {
    assertEquals(
        "PER Goet 0.60; LOC hals 0.70; LOC Gatun Lake 0.70;", run(AggregationStrategy.SIMPLE));
  }

  @Test
  void wordsHaveOneLabel() {
    assertEquals("PER Goethals 0.60; LOC Gatun Lake 0.70;", run(AggregationStrategy.FIRST));
    assertEquals("LOC Goethals 0.35; LOC Gatun Lake 0.70;", run(AggregationStrategy.AVERAGE));
    assertEquals("LOC Goethals 0.70; LOC Gatun Lake 0.70;", run(AggregationStrategy.MAX));
  }

  @Test
  void aBeginningSplitsEqualTags() {
    List<TokenScores> twice =
        List.of(token(0, 4, 1, false, 0, 1, 0, 0, 0), token(4, 8, 2, false, 0, 1, 0, 0, 0));
    assertEquals(
        2,
        new EntityGrouping(TEXT, LABELS)
            .entities(twice, AggregationStrategy.SIMPLE, Set.of())
            .size());
  }

  @Test
  void nothingGivesNothing() {
    for (AggregationStrategy strategy : AggregationStrategy.values()) {
      assertEquals(
          List.of(), new EntityGrouping("", LABELS).entities(List.of(), strategy, Set.of("O")));
    }
  }
}
