package dev.gatun.generation;

import dev.gatun.generation.GenerationConfig.EarlyStopping;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.PriorityQueue;
import java.util.function.Predicate;

/**
 * Beams that compete with each other, as in Hugging Face's beam search: of all continuations of the
 * running beams the best few are looked at, those that end the text are kept apart by their score
 * over a power of their length, the others run on. Scores are floats, as there.
 */
final class BeamGroup {
  private final GenerationConfig config;
  private final Sampler sampler;
  private final Predicate<TokenHistory> ends;
  private final int beams;
  private final int maxLength;
  private final long seed;
  private final List<Beam> finished = new ArrayList<>();
  private List<Beam> running;
  private boolean done;

  /**
   * A sequence.
   *
   * @param history its tokens
   * @param score its log-probability; of one that is finished, over a power of its length
   * @param parent which of the beams that ran before it continues
   */
  record Beam(TokenHistory history, float score, int parent) {}

  private record Candidate(int parent, int token, float score, double key) {}

  /** Of equal ones the first is better. */
  private static final Comparator<Candidate> BETTER =
      Comparator.comparingDouble(Candidate::key)
          .thenComparing(Candidate::parent, Comparator.reverseOrder())
          .thenComparing(Candidate::token, Comparator.reverseOrder());

  BeamGroup(
      GenerationConfig config,
      Sampler sampler,
      Predicate<TokenHistory> ends,
      TokenHistory prompt,
      int maxLength,
      long seed) {
    this.config = config;
    this.sampler = sampler;
    this.ends = ends;
    this.beams = config.numBeams() / config.numBeamGroups();
    this.maxLength = maxLength;
    this.seed = seed;
    this.running = List.of(new Beam(prompt, 0, 0));
  }

  /** The beams that go on; none when the search is over. */
  List<Beam> running() {
    return done ? List.of() : running;
  }

  /** The finished beams, the best first. */
  List<Beam> finished() {
    return List.copyOf(finished);
  }

  /**
   * Goes on by a token.
   *
   * @param scores the log-probabilities behind each running beam [vocabulary], changed
   * @param others how many beams of other groups took each token in this step; null for none
   * @param first the place of the first of the beams that run, among those of all groups
   */
  void step(float[][] scores, int[] others, int first) {
    List<Candidate> candidates = best(scores, others);
    int length = running.getFirst().history.length() + 1;
    int generated = length - running.getFirst().history.promptLength();
    List<Beam> next = new ArrayList<>();
    boolean full = finished.size() == beams && config.earlyStopping() == EarlyStopping.TRUE;
    for (int i = 0; i < candidates.size(); i++) {
      Candidate candidate = candidates.get(i);
      TokenHistory history = running.get(candidate.parent).history.with(candidate.token);
      boolean end =
          length >= maxLength
              || config.eosTokenId().contains(candidate.token)
              || ends.test(history);
      if (!end) {
        next.add(new Beam(history, candidate.score, first + candidate.parent));
      } else if (i < beams && !full) {
        float score = candidate.score / (float) Math.pow(generated, config.lengthPenalty());
        finished.add(new Beam(history, score, first + candidate.parent));
      }
    }
    keepBest(finished);
    keepBest(next);
    running = next;
    done = next.isEmpty() || isDecided(generated);
  }

  private void keepBest(List<Beam> some) {
    some.sort(Comparator.comparingDouble(beam -> -beam.score));
    some.subList(Math.min(beams, some.size()), some.size()).clear();
  }

  /** Whether no running beam is to become better than those that are finished. */
  private boolean isDecided(int generated) {
    if (finished.size() < beams) {
      return false;
    }
    EarlyStopping early = config.earlyStopping();
    boolean longest = early == EarlyStopping.NEVER && config.lengthPenalty() > 0;
    int length = longest ? maxLength - running.getFirst().history.promptLength() : generated;
    float best = running.getFirst().score / (float) Math.pow(length, config.lengthPenalty());
    return early == EarlyStopping.TRUE || !(best > finished.getLast().score);
  }

  /**
   * The continuations to look at, the best first: enough that some do not end the text. When
   * sampling they are drawn without putting back, by the highest of their scores with Gumbel noise
   * (Kool et al., 2019).
   */
  private List<Candidate> best(float[][] all, int[] others) {
    int kept = Math.max(2, 1 + config.eosTokenId().size()) * beams;
    boolean draw = config.doSample() && config.temperature() != 0;
    PriorityQueue<Candidate> best = new PriorityQueue<>(kept + 1, BETTER);
    double least = Double.NEGATIVE_INFINITY;
    for (int beam = 0; beam < running.size(); beam++) {
      float[] scores = all[beam];
      TokenHistory history = running.get(beam).history;
      float score = running.get(beam).score;
      sampler.process(scores, history);
      for (int id = 0; id < scores.length; id++) {
        if (others != null) {
          scores[id] -= config.diversityPenalty() * others[id];
        }
        scores[id] += score;
        double noise = draw ? gumbel(history.length(), (long) beam * scores.length + id) : 0;
        if (scores[id] + noise > least) {
          best.add(new Candidate(beam, id, scores[id], scores[id] + noise));
          if (best.size() > kept) {
            best.remove();
          }
          least = best.size() < kept ? Double.NEGATIVE_INFINITY : best.peek().key;
        }
      }
    }
    if (best.isEmpty()) {
      throw Sampler.nothingLeft(running.getFirst().history);
    }
    return best.stream().sorted(BETTER.reversed()).toList();
  }

  private double gumbel(int position, long draw) {
    return -Math.log(-Math.log(Math.max(Philox.uniform(seed, position, draw), 0x1p-54)));
  }
}
