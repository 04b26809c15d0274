package dev.gatun.pipelines;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.List;
import org.junit.jupiter.api.Test;

class AnswerSpansTest {
  private static final String CONTEXT = "Gatun Lake is big";

  /** [CLS] question [SEP] and the four words of the context. */
  private static AnswerWindow window(float[] starts, float[] ends) {
    return new AnswerWindow(
        among(starts),
        among(ends),
        new boolean[] {false, false, false, true, true, true, true},
        new int[] {0, 0, 0, 0, 6, 11, 14},
        new int[] {0, 0, 0, 5, 10, 13, 17});
  }

  /** The softmax over the first token and those of the context. */
  private static float[] among(float... logits) {
    double sum = Math.exp(logits[0]);
    for (int i = 3; i < logits.length; i++) {
      sum += Math.exp(logits[i]);
    }
    float[] scores = new float[logits.length];
    for (int i = 0; i < logits.length; i++) {
      scores[i] = i == 0 || i >= 3 ? (float) (Math.exp(logits[i]) / sum) : 0;
    }
    return scores;
  }

  private static List<Answer> run(AnswerSpans spans, AnswerWindow... windows) {
    return spans.answers(CONTEXT, List.of(windows));
  }

  @Test
  void findsTheBestSpan() {
    AnswerWindow window =
        window(new float[] {0, 99, 0, 5, 1, 0, 0}, new float[] {0, 0, 99, 1, 5, 0, 0});
    Answer best = run(new AnswerSpans(1, 15, false), window).getFirst();
    assertEquals("Gatun Lake", best.text());
    assertEquals(0, best.start());
    assertEquals(10, best.end());
    double one = Math.exp(5) / (Math.exp(5) + Math.exp(1) + 3);
    assertEquals(one * one, best.score(), 1e-6);
  }

  @Test
  void answersAreNotTooLongAndNotBackwards() {
    AnswerWindow window =
        window(new float[] {0, 0, 0, 9, 0, 0, 0}, new float[] {0, 0, 0, 0, 0, 0, 9});
    for (Answer answer : run(new AnswerSpans(20, 2, false), window)) {
      assertTrue(answer.start() < answer.end(), answer.toString());
      assertTrue(answer.text().split(" ").length <= 2, answer.toString());
    }
    assertEquals(7, run(new AnswerSpans(20, 2, false), window).size());
  }

  @Test
  void thereMayBeNoAnswer() {
    AnswerWindow window =
        window(new float[] {9, 0, 0, 1, 0, 0, 0}, new float[] {9, 0, 0, 1, 0, 0, 0});
    assertEquals("", run(new AnswerSpans(1, 15, true), window).getFirst().text());
    assertEquals("Gatun", run(new AnswerSpans(1, 15, false), window).getFirst().text());
  }

  @Test
  void windowsShareAnswers() {
    AnswerWindow good =
        window(new float[] {0, 0, 0, 5, 0, 0, 0}, new float[] {0, 0, 0, 5, 0, 0, 0});
    AnswerWindow flat = window(new float[7], new float[7]);
    for (List<AnswerWindow> windows : List.of(List.of(flat, good), List.of(good, flat))) {
      List<Answer> answers =
          run(new AnswerSpans(3, 15, false), windows.toArray(AnswerWindow[]::new));
      assertEquals("Gatun", answers.getFirst().text());
      assertEquals(3, answers.stream().map(a -> a.start() + "-" + a.end()).distinct().count());
      double likely = Math.exp(5) / (Math.exp(5) + 4);
      assertEquals(likely * likely, answers.getFirst().score(), 1e-6);
    }
  }
}
