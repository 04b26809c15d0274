package dev.gatun.pipelines;

import java.util.ArrayList;
import java.util.List;
import java.util.Set;

/** Scores of tokens to entities, with the meaning of Hugging Face's aggregation strategies. */
final class EntityGrouping {
  private final String text;
  private final List<String> labels;

  EntityGrouping(String text, List<String> labels) {
    this.text = text;
    this.labels = labels;
  }

  /** The entities in the order of the text, less those with an ignored label. */
  List<Entity> entities(
      List<TokenScores> tokens, AggregationStrategy strategy, Set<String> ignored) {
    List<Entity> entities =
        switch (strategy) {
          case NONE -> tokens.stream().map(this::entity).toList();
          case SIMPLE -> group(tokens.stream().map(this::entity).toList());
          case FIRST, AVERAGE, MAX ->
              group(words(tokens).stream().map(word -> word(word, strategy)).toList());
        };
    return entities.stream().filter(entity -> !ignored.contains(entity.label())).toList();
  }

  private Entity entity(TokenScores token) {
    return entity(token.scores(), token.start(), token.end(), token.index());
  }

  private Entity entity(float[] scores, int start, int end, int index) {
    int best = argmax(scores);
    return new Entity(
        labels.get(best), scores[best], text.substring(start, end), start, end, index);
  }

  private static int argmax(float[] values) {
    int best = 0;
    for (int i = 1; i < values.length; i++) {
      if (values[i] > values[best]) {
        best = i;
      }
    }
    return best;
  }

  private static List<List<TokenScores>> words(List<TokenScores> tokens) {
    List<List<TokenScores>> words = new ArrayList<>();
    for (TokenScores token : tokens) {
      if (words.isEmpty() || !token.continues()) {
        words.add(new ArrayList<>());
      }
      words.getLast().add(token);
    }
    return words;
  }

  private Entity word(List<TokenScores> word, AggregationStrategy strategy) {
    float[] scores =
        switch (strategy) {
          case AVERAGE -> mean(word);
          case MAX -> mostCertain(word);
          default -> word.getFirst().scores();
        };
    return entity(scores, word.getFirst().start(), word.getLast().end(), -1);
  }

  private static float[] mean(List<TokenScores> word) {
    float[] mean = new float[word.getFirst().scores().length];
    for (int i = 0; i < mean.length; i++) {
      double sum = 0;
      for (TokenScores token : word) {
        sum += token.scores()[i];
      }
      mean[i] = (float) (sum / word.size());
    }
    return mean;
  }

  private static float[] mostCertain(List<TokenScores> word) {
    float[] best = word.getFirst().scores();
    for (TokenScores token : word) {
      float[] scores = token.scores();
      if (scores[argmax(scores)] > best[argmax(best)]) {
        best = scores;
      }
    }
    return best;
  }

  /** Joins neighbours with the same tag; a {@code B-} begins a new group. */
  private List<Entity> group(List<Entity> entities) {
    List<Entity> groups = new ArrayList<>();
    List<Entity> open = new ArrayList<>();
    for (Entity entity : entities) {
      if (!open.isEmpty()
          && (entity.label().startsWith("B-")
              || !tag(entity.label()).equals(tag(open.getLast().label())))) {
        groups.add(joined(open));
        open.clear();
      }
      open.add(entity);
    }
    if (!open.isEmpty()) {
      groups.add(joined(open));
    }
    return groups;
  }

  private Entity joined(List<Entity> entities) {
    int start = entities.getFirst().start();
    int end = entities.getLast().end();
    double score = entities.stream().mapToDouble(Entity::score).average().orElseThrow();
    return new Entity(
        tag(entities.getFirst().label()),
        (float) score,
        text.substring(start, end),
        start,
        end,
        -1);
  }

  private static String tag(String label) {
    return label.startsWith("B-") || label.startsWith("I-") ? label.substring(2) : label;
  }
}
