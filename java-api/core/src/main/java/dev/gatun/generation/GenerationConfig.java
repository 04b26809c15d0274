package dev.gatun.generation;

import static dev.gatun.generation.GenerationChecks.atLeast;
import static dev.gatun.generation.GenerationChecks.beams;
import static dev.gatun.generation.GenerationChecks.within;

import java.io.IOException;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Optional;
import java.util.OptionalInt;
import java.util.OptionalLong;

/**
 * How text is generated: Hugging Face's {@code GenerationConfig}, whose keys these are in Java's
 * spelling, with OpenAI's presence and frequency penalties, a seed and log-probabilities. Filters
 * apply when sampling, in the order temperature, top-h, top-k, top-p, min-p, typical, epsilon, eta.
 *
 * @param maxLength most tokens with the prompt's; {@code maxNewTokens} goes before it; empty for as
 *     many as the model's context has
 * @param maxNewTokens most generated tokens
 * @param minLength no end of text before so many tokens, the prompt's counted
 * @param minNewTokens no end of text before so many generated tokens
 * @param maxTime ends generation after the first token past this time
 * @param stopStrings texts that end generation where they appear in what is generated; they and
 *     what follows are left out
 * @param doSample draws tokens at random; else the most likely one is taken
 * @param numBeams sequences that beam search keeps; 1 for none
 * @param numBeamGroups groups of beams that are to differ, a divisor of {@code numBeams}
 * @param diversityPenalty subtracted from a token's score for each beam of earlier groups that took
 *     it at the same step
 * @param lengthPenalty a finished beam's score is divided by its generated length to this power
 * @param earlyStopping when beam search ends
 * @param numReturnSequences sequences returned, sampled ones or the best beams
 * @param temperature scores are divided by it; 0 takes the most likely token
 * @param topK the highest scores that are kept; 0 for all
 * @param topP the probability that the kept most likely tokens reach
 * @param minP the least probability kept, as a share of the highest
 * @param topH the share of the entropy that is kept; 0 for all
 * @param typicalP the probability of the kept tokens closest to the expected information
 * @param epsilonCutoff the least probability kept
 * @param etaCutoff the same, falling with the entropy
 * @param repetitionPenalty divides positive and multiplies negative scores of tokens that are there
 *     already, the prompt's too
 * @param presencePenalty subtracted from the scores of tokens that were generated
 * @param frequencyPenalty subtracted for each time that a token was generated
 * @param noRepeatNgramSize no sequence of so many tokens comes twice; 0 for no limit
 * @param encoderRepetitionPenalty multiplies positive and divides negative scores of the tokens
 *     that an encoder read, or of the prompt's where there is none: more than 1 keeps to them
 * @param encoderNoRepeatNgramSize no sequence of so many of those tokens comes; 0 for no limit
 * @param exponentialDecayLengthPenalty makes the end of text more likely
 * @param badWordsIds sequences of tokens that may not come
 * @param sequenceBias numbers added to scores
 * @param suppressTokens tokens that may not come
 * @param beginSuppressTokens tokens that may not come first
 * @param forcedBosTokenId the token after a prompt of one token
 * @param forcedEosTokenId tokens of which one comes last when the length is used up
 * @param removeInvalidValues takes NaN and infinite scores for numbers, in place of an error
 * @param promptLookupNumTokens how many tokens are guessed by looking up in the text what followed
 *     the last ones before, up to 7, and verified in one step; 0 for none. Ids do not depend on it
 * @param renormalizeLogits makes log-probabilities of what the filters left, for beams that sample
 * @param eosTokenId tokens that end the text
 * @param bosTokenId the token that begins a text
 * @param padTokenId the token that fills a batch
 * @param seed makes sampling repeatable; empty for a seed of its own each time
 * @param logprobs reports each token's log-probability, and those of so many most likely ones
 * @param constraint what the whole text must match
 */
public record GenerationConfig(
    OptionalInt maxLength,
    OptionalInt maxNewTokens,
    int minLength,
    int minNewTokens,
    Optional<Duration> maxTime,
    List<String> stopStrings,
    boolean doSample,
    int numBeams,
    int numBeamGroups,
    float diversityPenalty,
    float lengthPenalty,
    EarlyStopping earlyStopping,
    int numReturnSequences,
    float temperature,
    int topK,
    double topP,
    double minP,
    double topH,
    double typicalP,
    double epsilonCutoff,
    double etaCutoff,
    float repetitionPenalty,
    float presencePenalty,
    float frequencyPenalty,
    int noRepeatNgramSize,
    float encoderRepetitionPenalty,
    int encoderNoRepeatNgramSize,
    Optional<LengthDecay> exponentialDecayLengthPenalty,
    List<List<Integer>> badWordsIds,
    List<TokenBias> sequenceBias,
    List<Integer> suppressTokens,
    List<Integer> beginSuppressTokens,
    OptionalInt forcedBosTokenId,
    List<Integer> forcedEosTokenId,
    boolean removeInvalidValues,
    int promptLookupNumTokens,
    boolean renormalizeLogits,
    List<Integer> eosTokenId,
    OptionalInt bosTokenId,
    OptionalInt padTokenId,
    OptionalLong seed,
    OptionalInt logprobs,
    Optional<Constraint> constraint) {

  /** Checks that each setting has a meaning. */
  public GenerationConfig {
    stopStrings = List.copyOf(stopStrings);
    badWordsIds = badWordsIds.stream().map(List::copyOf).toList();
    sequenceBias = List.copyOf(sequenceBias);
    suppressTokens = List.copyOf(suppressTokens);
    beginSuppressTokens = List.copyOf(beginSuppressTokens);
    forcedEosTokenId = List.copyOf(forcedEosTokenId);
    eosTokenId = List.copyOf(eosTokenId);
    atLeast("max_length", maxLength.orElse(1), 1);
    atLeast("max_new_tokens", maxNewTokens.orElse(1), 1);
    atLeast("min_length", minLength, 0);
    atLeast("min_new_tokens", minNewTokens, 0);
    atLeast("num_beams", numBeams, 1);
    atLeast("num_beam_groups", numBeamGroups, 1);
    atLeast("num_return_sequences", numReturnSequences, 1);
    atLeast("top_k", topK, 0);
    atLeast("prompt_lookup_num_tokens", promptLookupNumTokens, 0);
    atLeast("no_repeat_ngram_size", noRepeatNgramSize, 0);
    atLeast("encoder_no_repeat_ngram_size", encoderNoRepeatNgramSize, 0);
    atLeast("logprobs", logprobs.orElse(0), 0);
    within("diversity_penalty", diversityPenalty, 0, Float.MAX_VALUE);
    within("length_penalty", lengthPenalty, -Float.MAX_VALUE, Float.MAX_VALUE);
    within("temperature", temperature, 0, Float.MAX_VALUE);
    within("top_p", topP, 0, 1);
    within("min_p", minP, 0, 1);
    within("top_h", topH, 0, 1);
    within("typical_p", typicalP, Double.MIN_VALUE, 1);
    within("epsilon_cutoff", epsilonCutoff, 0, 1);
    within("eta_cutoff", etaCutoff, 0, 1);
    within("repetition_penalty", repetitionPenalty, Float.MIN_VALUE, Float.MAX_VALUE);
    within(
        "encoder_repetition_penalty", encoderRepetitionPenalty, Float.MIN_VALUE, Float.MAX_VALUE);
    within("presence_penalty", presencePenalty, -Float.MAX_VALUE, Float.MAX_VALUE);
    within("frequency_penalty", frequencyPenalty, -Float.MAX_VALUE, Float.MAX_VALUE);
    if (stopStrings.contains("")) {
      throw new IllegalArgumentException("stop_strings has an empty text, which ends everything");
    }
    if (maxTime.isPresent() && !maxTime.get().isPositive()) {
      throw new IllegalArgumentException(
          "max_time is %s, expected more than 0".formatted(maxTime.get()));
    }
    beams(numBeams, numBeamGroups, diversityPenalty, numReturnSequences, doSample, temperature);
    if (numBeams > 1 && constraint.isPresent()) {
      throw new IllegalArgumentException(
          "num_beams is %d with a constraint, expected 1: beams are not held to constraints"
              .formatted(numBeams));
    }
  }

  /** When beam search ends, as Hugging Face's early_stopping says. */
  public enum EarlyStopping {
    /** When as many beams are finished as are kept. */
    TRUE,
    /** When the best running beam, if it ended now, would not be better than a finished one. */
    FALSE,
    /** When no running beam can become better than a finished one, however it goes on. */
    NEVER
  }

  /**
   * Makes the end of text more likely.
   *
   * @param start the number of generated tokens after which it begins
   * @param factor raised to the number of tokens since then
   */
  public record LengthDecay(int start, double factor) {}

  /**
   * The settings of a model directory: {@code generation_config.json}, and where it lacks them
   * those in {@code config.json}; {@code eosTokenId} has the tokens of both.
   *
   * @throws IOException when a file cannot be read
   * @throws IllegalArgumentException when a value is not as expected, or asks for what is not done
   */
  public static GenerationDefaults load(Path directory) throws IOException {
    return GenerationConfigReader.read(directory, null);
  }

  /** Hugging Face's defaults: greedy. */
  public static Builder builder() {
    return new Builder();
  }

  /** A builder that begins with these settings. */
  public Builder toBuilder() {
    Builder builder = new Builder();
    builder.maxLength = maxLength;
    builder.maxNewTokens = maxNewTokens;
    builder.minLength = minLength;
    builder.minNewTokens = minNewTokens;
    builder.maxTime = maxTime;
    builder.stopStrings = stopStrings;
    builder.doSample = doSample;
    builder.numBeams = numBeams;
    builder.numBeamGroups = numBeamGroups;
    builder.diversityPenalty = diversityPenalty;
    builder.lengthPenalty = lengthPenalty;
    builder.earlyStopping = earlyStopping;
    builder.numReturnSequences = numReturnSequences;
    builder.temperature = temperature;
    builder.topK = topK;
    builder.topP = topP;
    builder.minP = minP;
    builder.topH = topH;
    builder.typicalP = typicalP;
    builder.epsilonCutoff = epsilonCutoff;
    builder.etaCutoff = etaCutoff;
    builder.repetitionPenalty = repetitionPenalty;
    builder.presencePenalty = presencePenalty;
    builder.frequencyPenalty = frequencyPenalty;
    builder.noRepeatNgramSize = noRepeatNgramSize;
    builder.encoderRepetitionPenalty = encoderRepetitionPenalty;
    builder.encoderNoRepeatNgramSize = encoderNoRepeatNgramSize;
    builder.exponentialDecayLengthPenalty = exponentialDecayLengthPenalty;
    builder.badWordsIds = badWordsIds;
    builder.sequenceBias = sequenceBias;
    builder.suppressTokens = suppressTokens;
    builder.beginSuppressTokens = beginSuppressTokens;
    builder.forcedBosTokenId = forcedBosTokenId;
    builder.forcedEosTokenId = forcedEosTokenId;
    builder.removeInvalidValues = removeInvalidValues;
    builder.promptLookupNumTokens = promptLookupNumTokens;
    builder.renormalizeLogits = renormalizeLogits;
    builder.eosTokenId = eosTokenId;
    builder.bosTokenId = bosTokenId;
    builder.padTokenId = padTokenId;
    builder.seed = seed;
    builder.logprobs = logprobs;
    builder.constraint = constraint;
    return builder;
  }

  /** Makes settings of those that are given and defaults; see the components of the record. */
  public static final class Builder {
    private OptionalInt maxLength = OptionalInt.empty();
    private OptionalInt maxNewTokens = OptionalInt.empty();
    private int minLength = 0;
    private int minNewTokens = 0;
    private Optional<Duration> maxTime = Optional.empty();
    private List<String> stopStrings = List.of();
    private boolean doSample = false;
    private int numBeams = 1;
    private int numBeamGroups = 1;
    private float diversityPenalty = 0;
    private float lengthPenalty = 1;
    private EarlyStopping earlyStopping = EarlyStopping.FALSE;
    private int numReturnSequences = 1;
    private float temperature = 1;
    private int topK = 50;
    private double topP = 1;
    private double minP = 0;
    private double topH = 0;
    private double typicalP = 1;
    private double epsilonCutoff = 0;
    private double etaCutoff = 0;
    private float repetitionPenalty = 1;
    private float presencePenalty = 0;
    private float frequencyPenalty = 0;
    private int noRepeatNgramSize = 0;
    private float encoderRepetitionPenalty = 1;
    private int encoderNoRepeatNgramSize = 0;
    private Optional<LengthDecay> exponentialDecayLengthPenalty = Optional.empty();
    private List<List<Integer>> badWordsIds = List.of();
    private List<TokenBias> sequenceBias = List.of();
    private List<Integer> suppressTokens = List.of();
    private List<Integer> beginSuppressTokens = List.of();
    private OptionalInt forcedBosTokenId = OptionalInt.empty();
    private List<Integer> forcedEosTokenId = List.of();
    private boolean removeInvalidValues = false;
    private int promptLookupNumTokens = 0;
    private boolean renormalizeLogits = false;
    private List<Integer> eosTokenId = List.of();
    private OptionalInt bosTokenId = OptionalInt.empty();
    private OptionalInt padTokenId = OptionalInt.empty();
    private OptionalLong seed = OptionalLong.empty();
    private OptionalInt logprobs = OptionalInt.empty();
    private Optional<Constraint> constraint = Optional.empty();

    private Builder() {}

    /** Sets {@link GenerationConfig#maxLength}. */
    public Builder maxLength(int maxLength) {
      this.maxLength = OptionalInt.of(maxLength);
      return this;
    }

    /** Sets {@link GenerationConfig#maxNewTokens}. */
    public Builder maxNewTokens(int maxNewTokens) {
      this.maxNewTokens = OptionalInt.of(maxNewTokens);
      return this;
    }

    /** Sets {@link GenerationConfig#minLength}. */
    public Builder minLength(int minLength) {
      this.minLength = minLength;
      return this;
    }

    /** Sets {@link GenerationConfig#minNewTokens}. */
    public Builder minNewTokens(int minNewTokens) {
      this.minNewTokens = minNewTokens;
      return this;
    }

    /** Sets {@link GenerationConfig#maxTime}. */
    public Builder maxTime(Duration maxTime) {
      this.maxTime = Optional.of(maxTime);
      return this;
    }

    /** Sets {@link GenerationConfig#stopStrings}. */
    public Builder stopStrings(List<String> stopStrings) {
      this.stopStrings = stopStrings;
      return this;
    }

    /** Sets {@link GenerationConfig#doSample}. */
    public Builder doSample(boolean doSample) {
      this.doSample = doSample;
      return this;
    }

    /** Sets {@link GenerationConfig#numBeams}. */
    public Builder numBeams(int numBeams) {
      this.numBeams = numBeams;
      return this;
    }

    /** Sets {@link GenerationConfig#numBeamGroups}. */
    public Builder numBeamGroups(int numBeamGroups) {
      this.numBeamGroups = numBeamGroups;
      return this;
    }

    /** Sets {@link GenerationConfig#diversityPenalty}. */
    public Builder diversityPenalty(float diversityPenalty) {
      this.diversityPenalty = diversityPenalty;
      return this;
    }

    /** Sets {@link GenerationConfig#lengthPenalty}. */
    public Builder lengthPenalty(float lengthPenalty) {
      this.lengthPenalty = lengthPenalty;
      return this;
    }

    /** Sets {@link GenerationConfig#earlyStopping}. */
    public Builder earlyStopping(EarlyStopping earlyStopping) {
      this.earlyStopping = earlyStopping;
      return this;
    }

    /** Sets {@link GenerationConfig#numReturnSequences}. */
    public Builder numReturnSequences(int numReturnSequences) {
      this.numReturnSequences = numReturnSequences;
      return this;
    }

    /** Sets {@link GenerationConfig#temperature}. */
    public Builder temperature(float temperature) {
      this.temperature = temperature;
      return this;
    }

    /** Sets {@link GenerationConfig#topK}. */
    public Builder topK(int topK) {
      this.topK = topK;
      return this;
    }

    /** Sets {@link GenerationConfig#topP}. */
    public Builder topP(double topP) {
      this.topP = topP;
      return this;
    }

    /** Sets {@link GenerationConfig#minP}. */
    public Builder minP(double minP) {
      this.minP = minP;
      return this;
    }

    /** Sets {@link GenerationConfig#topH}. */
    public Builder topH(double topH) {
      this.topH = topH;
      return this;
    }

    /** Sets {@link GenerationConfig#typicalP}. */
    public Builder typicalP(double typicalP) {
      this.typicalP = typicalP;
      return this;
    }

    /** Sets {@link GenerationConfig#epsilonCutoff}. */
    public Builder epsilonCutoff(double epsilonCutoff) {
      this.epsilonCutoff = epsilonCutoff;
      return this;
    }

    /** Sets {@link GenerationConfig#etaCutoff}. */
    public Builder etaCutoff(double etaCutoff) {
      this.etaCutoff = etaCutoff;
      return this;
    }

    /** Sets {@link GenerationConfig#repetitionPenalty}. */
    public Builder repetitionPenalty(float repetitionPenalty) {
      this.repetitionPenalty = repetitionPenalty;
      return this;
    }

    /** Sets {@link GenerationConfig#presencePenalty}. */
    public Builder presencePenalty(float presencePenalty) {
      this.presencePenalty = presencePenalty;
      return this;
    }

    /** Sets {@link GenerationConfig#frequencyPenalty}. */
    public Builder frequencyPenalty(float frequencyPenalty) {
      this.frequencyPenalty = frequencyPenalty;
      return this;
    }

    /** Sets {@link GenerationConfig#noRepeatNgramSize}. */
    public Builder noRepeatNgramSize(int noRepeatNgramSize) {
      this.noRepeatNgramSize = noRepeatNgramSize;
      return this;
    }

    /** Sets {@link GenerationConfig#encoderRepetitionPenalty}. */
    public Builder encoderRepetitionPenalty(float encoderRepetitionPenalty) {
      this.encoderRepetitionPenalty = encoderRepetitionPenalty;
      return this;
    }

    /** Sets {@link GenerationConfig#encoderNoRepeatNgramSize}. */
    public Builder encoderNoRepeatNgramSize(int encoderNoRepeatNgramSize) {
      this.encoderNoRepeatNgramSize = encoderNoRepeatNgramSize;
      return this;
    }

    /** Sets {@link GenerationConfig#exponentialDecayLengthPenalty}. */
    public Builder exponentialDecayLengthPenalty(LengthDecay exponentialDecayLengthPenalty) {
      this.exponentialDecayLengthPenalty = Optional.of(exponentialDecayLengthPenalty);
      return this;
    }

    /** Sets {@link GenerationConfig#badWordsIds}. */
    public Builder badWordsIds(List<List<Integer>> badWordsIds) {
      this.badWordsIds = badWordsIds;
      return this;
    }

    /** Sets {@link GenerationConfig#sequenceBias}. */
    public Builder sequenceBias(List<TokenBias> sequenceBias) {
      this.sequenceBias = sequenceBias;
      return this;
    }

    /** Sets {@link GenerationConfig#suppressTokens}. */
    public Builder suppressTokens(List<Integer> suppressTokens) {
      this.suppressTokens = suppressTokens;
      return this;
    }

    /** Sets {@link GenerationConfig#beginSuppressTokens}. */
    public Builder beginSuppressTokens(List<Integer> beginSuppressTokens) {
      this.beginSuppressTokens = beginSuppressTokens;
      return this;
    }

    /** Sets {@link GenerationConfig#forcedBosTokenId}. */
    public Builder forcedBosTokenId(int forcedBosTokenId) {
      this.forcedBosTokenId = OptionalInt.of(forcedBosTokenId);
      return this;
    }

    /** Sets {@link GenerationConfig#forcedEosTokenId}. */
    public Builder forcedEosTokenId(List<Integer> forcedEosTokenId) {
      this.forcedEosTokenId = forcedEosTokenId;
      return this;
    }

    /** Sets {@link GenerationConfig#removeInvalidValues}. */
    public Builder removeInvalidValues(boolean removeInvalidValues) {
      this.removeInvalidValues = removeInvalidValues;
      return this;
    }

    /** Sets {@link GenerationConfig#promptLookupNumTokens}. */
    public Builder promptLookupNumTokens(int tokens) {
      this.promptLookupNumTokens = tokens;
      return this;
    }

    /** Sets {@link GenerationConfig#renormalizeLogits}. */
    public Builder renormalizeLogits(boolean renormalizeLogits) {
      this.renormalizeLogits = renormalizeLogits;
      return this;
    }

    /** Sets {@link GenerationConfig#eosTokenId}. */
    public Builder eosTokenId(List<Integer> eosTokenId) {
      this.eosTokenId = eosTokenId;
      return this;
    }

    /** Sets {@link GenerationConfig#bosTokenId}. */
    public Builder bosTokenId(int bosTokenId) {
      this.bosTokenId = OptionalInt.of(bosTokenId);
      return this;
    }

    /** Sets {@link GenerationConfig#padTokenId}. */
    public Builder padTokenId(int padTokenId) {
      this.padTokenId = OptionalInt.of(padTokenId);
      return this;
    }

    /** Sets {@link GenerationConfig#seed}. */
    public Builder seed(long seed) {
      this.seed = OptionalLong.of(seed);
      return this;
    }

    /** Sets {@link GenerationConfig#logprobs}. */
    public Builder logprobs(int logprobs) {
      this.logprobs = OptionalInt.of(logprobs);
      return this;
    }

    /** Sets {@link GenerationConfig#constraint}. */
    public Builder constraint(Constraint constraint) {
      this.constraint = Optional.of(constraint);
      return this;
    }

    /** The settings; fails where one has no meaning. */
    public GenerationConfig build() {
      return new GenerationConfig(
          maxLength,
          maxNewTokens,
          minLength,
          minNewTokens,
          maxTime,
          stopStrings,
          doSample,
          numBeams,
          numBeamGroups,
          diversityPenalty,
          lengthPenalty,
          earlyStopping,
          numReturnSequences,
          temperature,
          topK,
          topP,
          minP,
          topH,
          typicalP,
          epsilonCutoff,
          etaCutoff,
          repetitionPenalty,
          presencePenalty,
          frequencyPenalty,
          noRepeatNgramSize,
          encoderRepetitionPenalty,
          encoderNoRepeatNgramSize,
          exponentialDecayLengthPenalty,
          badWordsIds,
          sequenceBias,
          suppressTokens,
          beginSuppressTokens,
          forcedBosTokenId,
          forcedEosTokenId,
          removeInvalidValues,
          promptLookupNumTokens,
          renormalizeLogits,
          eosTokenId,
          bosTokenId,
          padTokenId,
          seed,
          logprobs,
          constraint);
    }
  }
}
