package dev.gatun.pipelines;

import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;

/** Scores of windows to answers, with the meaning of Hugging Face's pipeline. */
final class AnswerSpans {
  private record Span(double score, int start, int end) {}

  private final int topK;
  private final int maxAnswerLength;
  private final boolean impossible;

  /**
   * How answers are chosen.
   *
   * @param topK how many there are at most
   * @param maxAnswerLength the most tokens of an answer
   * @param impossible whether "there is no answer" competes with the others
   */
  AnswerSpans(int topK, int maxAnswerLength, boolean impossible) {
    this.topK = topK;
    this.maxAnswerLength = maxAnswerLength;
    this.impossible = impossible;
  }

  /** The best answers over all windows of a context, the best first. */
  List<Answer> answers(String context, List<AnswerWindow> windows) {
    List<Answer> answers = new ArrayList<>();
    double leastNull = 1_000_000;
    for (AnswerWindow window : windows) {
      float[] starts = window.startScores();
      float[] ends = window.endScores();
      leastNull = Math.min(leastNull, (double) starts[0] * ends[0]);
      for (Span span : spans(starts, ends, window.inContext())) {
        int from = window.starts()[span.start];
        int to = window.ends()[span.end];
        merge(answers, new Answer(context.substring(from, to), (float) span.score, from, to));
      }
    }
    if (impossible) {
      answers.add(new Answer("", (float) leastNull, 0, 0));
    }
    return answers.stream()
        .sorted(Comparator.comparingDouble(Answer::score).reversed())
        .limit(topK)
        .toList();
  }

  /** Windows share tokens: the same place found twice is one answer. */
  private static void merge(List<Answer> answers, Answer answer) {
    for (int i = 0; i < answers.size(); i++) {
      Answer other = answers.get(i);
      if (other.start() == answer.start() && other.end() == answer.end()) {
        if (answer.score() > other.score()) {
          answers.set(i, answer);
        }
        return;
      }
    }
    answers.add(answer);
  }

  private List<Span> spans(float[] starts, float[] ends, boolean[] inContext) {
    List<Span> spans = new ArrayList<>();
    for (int start = 1; start < starts.length; start++) {
      int limit = (int) Math.min(ends.length, (long) start + maxAnswerLength);
      for (int end = start; inContext[start] && end < limit; end++) {
        if (inContext[end]) {
          spans.add(new Span((double) starts[start] * ends[end], start, end));
        }
      }
    }
    spans.sort(Comparator.comparingDouble(Span::score).reversed());
    return spans.subList(0, Math.min(topK, spans.size()));
  }
}
