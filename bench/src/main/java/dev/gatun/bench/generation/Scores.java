package dev.gatun.bench.generation;

/** Scores of a vocabulary's tokens. */
final class Scores {
  private Scores() {}

  /** The same less their mean, so that logits and log-probabilities compare. */
  static float[] centred(float[] scores) {
    double sum = 0;
    for (float score : scores) {
      sum += score;
    }
    float mean = (float) (sum / scores.length);
    float[] centred = scores.clone();
    for (int i = 0; i < centred.length; i++) {
      centred[i] -= mean;
    }
    return centred;
  }
}
