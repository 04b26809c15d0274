package dev.gatun.generation;

import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;

/**
 * Chooses a sequence's next token by its settings. Has no state: what it draws follows from the
 * seed, the draw's number and the position.
 */
final class Sampler {
  private final List<LogitsProcessor> processors;
  private final List<CandidateFilter> filters;
  private final boolean sample;
  private final boolean removeInvalid;
  private final boolean renormalize;
  private final int logprobs;
  private final Draw onDevice;

  /**
   * A token that was chosen.
   *
   * @param id the token
   * @param logprob its log-probability by the model; NaN where none was asked for
   * @param top the most likely tokens, as many as were asked for
   */
  record Choice(int id, float logprob, List<TokenScore> top) {}

  /** A sampler without a constraint. */
  Sampler(GenerationConfig config, int maxLength, int[] source) {
    this(config, maxLength, source, null);
  }

  /**
   * A sampler.
   *
   * @param maxLength the length, with the prompt, at which the sequence ends
   * @param source the ids that the model's encoder read; null for a model without one
   * @param constrained holds the text to a constraint; null for none
   */
  Sampler(GenerationConfig config, int maxLength, int[] source, ConstrainedOutput constrained) {
    this.sample = config.doSample() && config.temperature() != 0;
    this.removeInvalid = config.removeInvalidValues();
    this.renormalize = config.renormalizeLogits();
    this.logprobs = config.logprobs().orElse(-1);
    this.processors = processors(config, maxLength, source, constrained);
    this.filters = sample ? filters(config) : List.of();
    this.onDevice = onDevice(config);
  }

  private static List<LogitsProcessor> processors(
      GenerationConfig c, int maxLength, int[] source, ConstrainedOutput constrained) {
    List<Integer> end = c.eosTokenId();
    List<LogitsProcessor> list = new ArrayList<>();
    add(list, !c.sequenceBias().isEmpty(), TokenRules.bias("sequence_bias", c.sequenceBias()));
    float ofSource = c.encoderRepetitionPenalty();
    add(list, ofSource != 1, Penalties.encoderRepetition(ofSource, source));
    add(list, c.repetitionPenalty() != 1, Penalties.repetition(c.repetitionPenalty()));
    add(
        list,
        c.presencePenalty() != 0 || c.frequencyPenalty() != 0,
        Penalties.presenceAndFrequency(c.presencePenalty(), c.frequencyPenalty()));
    add(list, c.noRepeatNgramSize() > 0, Penalties.noRepeatNgram(c.noRepeatNgramSize()));
    int n = c.encoderNoRepeatNgramSize();
    add(list, n > 0, Penalties.encoderNoRepeatNgram(n, source));
    add(list, !c.badWordsIds().isEmpty(), TokenRules.badWords(c.badWordsIds(), end));
    add(list, c.minLength() > 0, TokenRules.minLength(c.minLength(), true, end));
    add(list, c.minNewTokens() > 0, TokenRules.minLength(c.minNewTokens(), false, end));
    c.forcedBosTokenId()
        .ifPresent(id -> list.add(TokenRules.forceAt("forced_bos_token_id", 1, List.of(id))));
    add(
        list,
        // A text that its length cuts off does not match.
        !c.forcedEosTokenId().isEmpty() && constrained == null,
        TokenRules.forceAt("forced_eos_token_id", maxLength - 1, c.forcedEosTokenId()));
    add(list, c.removeInvalidValues(), TokenRules.removeInvalid());
    c.exponentialDecayLengthPenalty()
        .ifPresent(decay -> list.add(TokenRules.decay(decay.start(), decay.factor(), end)));
    add(
        list,
        !c.suppressTokens().isEmpty(),
        TokenRules.suppress("suppress_tokens", c.suppressTokens()));
    add(
        list,
        !c.beginSuppressTokens().isEmpty(),
        TokenRules.suppressAtBegin(c.beginSuppressTokens(), c.forcedBosTokenId().isPresent()));
    // Behind all others: what is left must match, and what it forbids stays forbidden.
    add(list, constrained != null, constrained);
    return list;
  }

  private static List<CandidateFilter> filters(GenerationConfig c) {
    int atLeast = c.numBeams() == 1 ? 1 : Math.max(2, c.eosTokenId().size() + 1);
    List<CandidateFilter> list = new ArrayList<>();
    add(list, c.temperature() != 1, Filters.temperature(c.temperature()));
    add(list, c.topH() > 0, Filters.topH(c.topH()));
    add(list, c.topK() > 0, Filters.topK(c.topK(), atLeast));
    add(list, c.topP() < 1, Filters.topP(c.topP(), atLeast));
    add(list, c.minP() > 0, Filters.minP(c.minP(), atLeast));
    add(list, c.typicalP() < 1, Filters.typical(c.typicalP(), atLeast));
    add(list, c.epsilonCutoff() > 0, Filters.epsilon(c.epsilonCutoff(), atLeast));
    add(list, c.etaCutoff() > 0, Filters.eta(c.etaCutoff(), atLeast));
    return list;
  }

  private static <T> void add(List<T> list, boolean wanted, T element) {
    if (wanted) {
      list.add(element);
    }
  }

  /**
   * Chooses the next token.
   *
   * @param logits [vocabulary], changed
   * @param seed decides what is drawn, with the sequence's length
   * @param draw tells sequences of the same seed apart
   * @throws InvalidLogitsException when the logits have a NaN, or nothing is left to choose
   */
  Choice next(float[] logits, TokenHistory history, long seed, long draw) {
    check(logits, history);
    float[] raw = logprobs < 0 ? null : logits.clone();
    if (raw != null && removeInvalid) {
      TokenRules.removeInvalid().apply(raw, history);
    }
    double logSumExp = raw == null ? 0 : logSumExp(raw);
    List<TokenScore> top = logprobs > 0 ? top(raw, logSumExp) : List.of();
    processors.forEach(processor -> processor.apply(logits, history));
    int id = sample ? sample(logits, history, seed, draw) : greedy(logits, history);
    float logprob = raw == null ? Float.NaN : (float) (raw[id] - logSumExp);
    return new Choice(id, logprob, top);
  }

  /** Applies processors and filters to log-probabilities of a beam, in place. */
  void process(float[] scores, TokenHistory history) {
    check(scores, history);
    processors.forEach(processor -> processor.apply(scores, history));
    if (!filters.isEmpty()) {
      Candidates candidates = Candidates.of(scores);
      nonEmpty(candidates, history);
      filters.forEach(filter -> filter.apply(candidates));
      candidates.scatter(scores);
    }
    if (renormalize) {
      logSoftmax(scores);
    }
  }

  /** Makes logits log-probabilities. */
  static void logSoftmax(float[] logits) {
    double logSumExp = logSumExp(logits);
    for (int i = 0; i < logits.length; i++) {
      logits[i] = (float) (logits[i] - logSumExp);
    }
  }

  /** As the kernel Sample draws: in whole numbers, by the order of the ids. */
  private int sample(float[] logits, TokenHistory history, long seed, long draw) {
    Candidates candidates = Candidates.of(logits);
    nonEmpty(candidates, history);
    filters.forEach(filter -> filter.apply(candidates));
    long[] weights = candidates.weights();
    long drawn =
        Math.unsignedMultiplyHigh(
            Philox.bits(seed, history.length(), draw), Candidates.sum(weights));
    int at = 0;
    for (long sum = weights[0]; sum <= drawn; sum += weights[at]) {
      at++;
    }
    return candidates.id(at);
  }

  /**
   * How a device chooses the token at a position as {@link #next} would; null for settings that
   * need more than its logits.
   */
  Draw draw(long seed, int position, long number) {
    if (onDevice == null || onDevice.temperature() == 0) {
      return onDevice;
    }
    return onDevice.at(Philox.bits(seed, position, number));
  }

  private Draw onDevice(GenerationConfig c) {
    boolean others = c.typicalP() < 1 || c.topH() > 0 || c.epsilonCutoff() > 0 || c.etaCutoff() > 0;
    if (!processors.isEmpty() || logprobs >= 0 || c.numBeams() > 1 || sample && others) {
      return null;
    }
    return sample
        ? new Draw(
            c.temperature(),
            c.topK(),
            c.topP() < 1 ? Draw.left(c.topP()) : 0,
            Draw.least(c.minP()),
            0)
        : Draw.GREEDY;
  }

  private static int greedy(float[] logits, TokenHistory history) {
    int best = 0;
    for (int id = 1; id < logits.length; id++) {
      if (logits[id] > logits[best]) {
        best = id;
      }
    }
    if (logits[best] == Float.NEGATIVE_INFINITY) {
      throw nothingLeft(history);
    }
    return best;
  }

  private void check(float[] logits, TokenHistory history) {
    for (int id = 0; id < logits.length && !removeInvalid; id++) {
      if (Float.isNaN(logits[id])) {
        throw new InvalidLogitsException(
            "logits of the token at position %d: that of id %d is NaN"
                .formatted(history.length(), id));
      }
    }
  }

  private static void nonEmpty(Candidates candidates, TokenHistory history) {
    if (candidates.count() == 0) {
      throw nothingLeft(history);
    }
  }

  static InvalidLogitsException nothingLeft(TokenHistory history) {
    return new InvalidLogitsException(
        ("logits of the token at position %d: all are -infinity; settings that forbid tokens leave"
                + " none, or the model gave none")
            .formatted(history.length()));
  }

  static double logSumExp(float[] logits) {
    float max = Float.NEGATIVE_INFINITY;
    for (float x : logits) {
      max = Math.max(max, x);
    }
    double sum = 0;
    for (float x : logits) {
      sum += x == max ? 1 : Math.exp((double) x - max);
    }
    return max + Math.log(sum);
  }

  private List<TokenScore> top(float[] logits, double logSumExp) {
    int k = Math.min(logprobs, logits.length);
    float least = Selection.kthLargest(logits, logits.length, k);
    List<TokenScore> all = new ArrayList<>();
    for (int id = 0; id < logits.length; id++) {
      if (logits[id] >= least) {
        all.add(new TokenScore(id, (float) (logits[id] - logSumExp)));
      }
    }
    all.sort(Comparator.comparingDouble(score -> -score.logprob()));
    return List.copyOf(all.subList(0, k));
  }
}
