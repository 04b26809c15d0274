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
 *     many as the model's context has, of an encoder-decoder's text no more than 512
 * @param maxNewTokens most generated tokens
 * @param minLength no end of text before so many tokens, the prompt's counted; {@code minNewTokens}
 *     goes before it
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
 * @param logprobs reports each token's log-probability, and those of so many most likely ones; not
 *     of beams
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
    if (numBeams > 1 && logprobs.isPresent()) {
      throw new IllegalArgumentException(
          "logprobs is %d with num_beams %d, expected num_beams 1: a beam's score is of its text"
              .formatted(logprobs.getAsInt(), numBeams));
    }
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
   * @param directory of the model; of a GGUF file, or a directory with one, the tokens that it
   *     names
   * @return the settings, with warnings of keys that have no meaning here
   * @throws IOException when a file cannot be read
   * @throws IllegalArgumentException when a value is not as expected, or asks for what is not done
   */
  public static GenerationDefaults load(Path directory) throws IOException {
    return GenerationConfigReader.read(directory, null);
  }

  /** {@return a builder that begins with Hugging Face's defaults: greedy} */
  public static Builder builder() {
    return new Builder();
  }

  /** {@return a builder that begins with these settings} */
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

  /**
   * Makes settings of those that are given and defaults; see the components of the record. What is
   * out of range is found by {@link #build}.
   */
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

    /**
     * {@return this builder, with {@link GenerationConfig#maxLength} set}
     *
     * @param maxLength from 1, the prompt's counted; unset by default
     */
    public Builder maxLength(int maxLength) {
      this.maxLength = OptionalInt.of(maxLength);
      return this;
    }

    /**
     * {@return this builder, with {@link GenerationConfig#maxNewTokens} set}
     *
     * @param maxNewTokens from 1; unset by default
     */
    public Builder maxNewTokens(int maxNewTokens) {
      this.maxNewTokens = OptionalInt.of(maxNewTokens);
      return this;
    }

    /**
     * {@return this builder, with {@link GenerationConfig#minLength} set}
     *
     * @param minLength from 0, the default
     */
    public Builder minLength(int minLength) {
      this.minLength = minLength;
      return this;
    }

    /**
     * {@return this builder, with {@link GenerationConfig#minNewTokens} set}
     *
     * @param minNewTokens from 0, the default
     */
    public Builder minNewTokens(int minNewTokens) {
      this.minNewTokens = minNewTokens;
      return this;
    }

    /**
     * {@return this builder, with {@link GenerationConfig#maxTime} set}
     *
     * @param maxTime more than 0, from the request on; unset by default
     */
    public Builder maxTime(Duration maxTime) {
      this.maxTime = Optional.of(maxTime);
      return this;
    }

    /**
     * {@return this builder, with {@link GenerationConfig#stopStrings} set}
     *
     * @param stopStrings none of them empty; none by default
     */
    public Builder stopStrings(List<String> stopStrings) {
      this.stopStrings = stopStrings;
      return this;
    }

    /**
     * {@return this builder, with {@link GenerationConfig#doSample} set}
     *
     * @param doSample false by default
     */
    public Builder doSample(boolean doSample) {
      this.doSample = doSample;
      return this;
    }

    /**
     * {@return this builder, with {@link GenerationConfig#numBeams} set}
     *
     * @param numBeams from 1, the default
     */
    public Builder numBeams(int numBeams) {
      this.numBeams = numBeams;
      return this;
    }

    /**
     * {@return this builder, with {@link GenerationConfig#numBeamGroups} set}
     *
     * @param numBeamGroups from 1, the default
     */
    public Builder numBeamGroups(int numBeamGroups) {
      this.numBeamGroups = numBeamGroups;
      return this;
    }

    /**
     * {@return this builder, with {@link GenerationConfig#diversityPenalty} set}
     *
     * @param diversityPenalty from 0, the default; above it only with groups
     */
    public Builder diversityPenalty(float diversityPenalty) {
      this.diversityPenalty = diversityPenalty;
      return this;
    }

    /**
     * {@return this builder, with {@link GenerationConfig#lengthPenalty} set}
     *
     * @param lengthPenalty finite, 1 by default; above 0 it favours longer texts
     */
    public Builder lengthPenalty(float lengthPenalty) {
      this.lengthPenalty = lengthPenalty;
      return this;
    }

    /**
     * {@return this builder, with {@link GenerationConfig#earlyStopping} set}
     *
     * @param earlyStopping {@code FALSE} by default
     */
    public Builder earlyStopping(EarlyStopping earlyStopping) {
      this.earlyStopping = earlyStopping;
      return this;
    }

    /**
     * {@return this builder, with {@link GenerationConfig#numReturnSequences} set}
     *
     * @param numReturnSequences 1 by default; more only of samples, or of beams up to their number
     */
    public Builder numReturnSequences(int numReturnSequences) {
      this.numReturnSequences = numReturnSequences;
      return this;
    }

    /**
     * {@return this builder, with {@link GenerationConfig#temperature} set}
     *
     * @param temperature from 0; 1, the default, changes nothing
     */
    public Builder temperature(float temperature) {
      this.temperature = temperature;
      return this;
    }

    /**
     * {@return this builder, with {@link GenerationConfig#topK} set}
     *
     * @param topK from 0; 50 by default
     */
    public Builder topK(int topK) {
      this.topK = topK;
      return this;
    }

    /**
     * {@return this builder, with {@link GenerationConfig#topP} set}
     *
     * @param topP from 0 to 1, the default, which keeps all
     */
    public Builder topP(double topP) {
      this.topP = topP;
      return this;
    }

    /**
     * {@return this builder, with {@link GenerationConfig#minP} set}
     *
     * @param minP from 0, the default, to 1
     */
    public Builder minP(double minP) {
      this.minP = minP;
      return this;
    }

    /**
     * {@return this builder, with {@link GenerationConfig#topH} set}
     *
     * @param topH from 0, the default, to 1
     */
    public Builder topH(double topH) {
      this.topH = topH;
      return this;
    }

    /**
     * {@return this builder, with {@link GenerationConfig#typicalP} set}
     *
     * @param typicalP above 0, to 1, the default, which keeps all
     */
    public Builder typicalP(double typicalP) {
      this.typicalP = typicalP;
      return this;
    }

    /**
     * {@return this builder, with {@link GenerationConfig#epsilonCutoff} set}
     *
     * @param epsilonCutoff from 0, the default, to 1
     */
    public Builder epsilonCutoff(double epsilonCutoff) {
      this.epsilonCutoff = epsilonCutoff;
      return this;
    }

    /**
     * {@return this builder, with {@link GenerationConfig#etaCutoff} set}
     *
     * @param etaCutoff from 0, the default, to 1
     */
    public Builder etaCutoff(double etaCutoff) {
      this.etaCutoff = etaCutoff;
      return this;
    }

    /**
     * {@return this builder, with {@link GenerationConfig#repetitionPenalty} set}
     *
     * @param repetitionPenalty above 0; 1, the default, changes nothing
     */
    public Builder repetitionPenalty(float repetitionPenalty) {
      this.repetitionPenalty = repetitionPenalty;
      return this;
    }

    /**
     * {@return this builder, with {@link GenerationConfig#presencePenalty} set}
     *
     * @param presencePenalty finite, 0 by default; less than 0 makes what was generated more likely
     */
    public Builder presencePenalty(float presencePenalty) {
      this.presencePenalty = presencePenalty;
      return this;
    }

    /**
     * {@return this builder, with {@link GenerationConfig#frequencyPenalty} set}
     *
     * @param frequencyPenalty finite, 0 by default; less than 0 makes what was generated more
     *     likely
     */
    public Builder frequencyPenalty(float frequencyPenalty) {
      this.frequencyPenalty = frequencyPenalty;
      return this;
    }

    /**
     * {@return this builder, with {@link GenerationConfig#noRepeatNgramSize} set}
     *
     * @param noRepeatNgramSize from 0, the default
     */
    public Builder noRepeatNgramSize(int noRepeatNgramSize) {
      this.noRepeatNgramSize = noRepeatNgramSize;
      return this;
    }

    /**
     * {@return this builder, with {@link GenerationConfig#encoderRepetitionPenalty} set}
     *
     * @param encoderRepetitionPenalty above 0; 1, the default, changes nothing
     */
    public Builder encoderRepetitionPenalty(float encoderRepetitionPenalty) {
      this.encoderRepetitionPenalty = encoderRepetitionPenalty;
      return this;
    }

    /**
     * {@return this builder, with {@link GenerationConfig#encoderNoRepeatNgramSize} set}
     *
     * @param encoderNoRepeatNgramSize from 0, the default
     */
    public Builder encoderNoRepeatNgramSize(int encoderNoRepeatNgramSize) {
      this.encoderNoRepeatNgramSize = encoderNoRepeatNgramSize;
      return this;
    }

    /**
     * {@return this builder, with {@link GenerationConfig#exponentialDecayLengthPenalty} set}
     *
     * @param exponentialDecayLengthPenalty unset by default
     */
    public Builder exponentialDecayLengthPenalty(LengthDecay exponentialDecayLengthPenalty) {
      this.exponentialDecayLengthPenalty = Optional.of(exponentialDecayLengthPenalty);
      return this;
    }

    /**
     * {@return this builder, with {@link GenerationConfig#badWordsIds} set}
     *
     * @param badWordsIds a list of ids for each; none by default
     */
    public Builder badWordsIds(List<List<Integer>> badWordsIds) {
      this.badWordsIds = badWordsIds;
      return this;
    }

    /**
     * {@return this builder, with {@link GenerationConfig#sequenceBias} set}
     *
     * @param sequenceBias added to each other where several meet; none by default
     */
    public Builder sequenceBias(List<TokenBias> sequenceBias) {
      this.sequenceBias = sequenceBias;
      return this;
    }

    /**
     * {@return this builder, with {@link GenerationConfig#suppressTokens} set}
     *
     * @param suppressTokens ids; none by default
     */
    public Builder suppressTokens(List<Integer> suppressTokens) {
      this.suppressTokens = suppressTokens;
      return this;
    }

    /**
     * {@return this builder, with {@link GenerationConfig#beginSuppressTokens} set}
     *
     * @param beginSuppressTokens ids; none by default
     */
    public Builder beginSuppressTokens(List<Integer> beginSuppressTokens) {
      this.beginSuppressTokens = beginSuppressTokens;
      return this;
    }

    /**
     * {@return this builder, with {@link GenerationConfig#forcedBosTokenId} set}
     *
     * @param forcedBosTokenId an id; unset by default
     */
    public Builder forcedBosTokenId(int forcedBosTokenId) {
      this.forcedBosTokenId = OptionalInt.of(forcedBosTokenId);
      return this;
    }

    /**
     * {@return this builder, with {@link GenerationConfig#forcedEosTokenId} set}
     *
     * @param forcedEosTokenId ids; none by default
     */
    public Builder forcedEosTokenId(List<Integer> forcedEosTokenId) {
      this.forcedEosTokenId = forcedEosTokenId;
      return this;
    }

    /**
     * {@return this builder, with {@link GenerationConfig#removeInvalidValues} set}
     *
     * @param removeInvalidValues false by default
     */
    public Builder removeInvalidValues(boolean removeInvalidValues) {
      this.removeInvalidValues = removeInvalidValues;
      return this;
    }

    /**
     * {@return this builder, with {@link GenerationConfig#promptLookupNumTokens} set}
     *
     * @param tokens from 0, the default
     */
    public Builder promptLookupNumTokens(int tokens) {
      this.promptLookupNumTokens = tokens;
      return this;
    }

    /**
     * {@return this builder, with {@link GenerationConfig#renormalizeLogits} set}
     *
     * @param renormalizeLogits false by default
     */
    public Builder renormalizeLogits(boolean renormalizeLogits) {
      this.renormalizeLogits = renormalizeLogits;
      return this;
    }

    /**
     * {@return this builder, with {@link GenerationConfig#eosTokenId} set}
     *
     * @param eosTokenId ids; none by default, when only the length ends a text
     */
    public Builder eosTokenId(List<Integer> eosTokenId) {
      this.eosTokenId = eosTokenId;
      return this;
    }

    /**
     * {@return this builder, with {@link GenerationConfig#bosTokenId} set}
     *
     * @param bosTokenId an id, which an empty prompt begins with; unset by default
     */
    public Builder bosTokenId(int bosTokenId) {
      this.bosTokenId = OptionalInt.of(bosTokenId);
      return this;
    }

    /**
     * {@return this builder, with {@link GenerationConfig#padTokenId} set}
     *
     * @param padTokenId an id; unset by default
     */
    public Builder padTokenId(int padTokenId) {
      this.padTokenId = OptionalInt.of(padTokenId);
      return this;
    }

    /**
     * {@return this builder, with {@link GenerationConfig#seed} set}
     *
     * @param seed any number; unset by default
     */
    public Builder seed(long seed) {
      this.seed = OptionalLong.of(seed);
      return this;
    }

    /**
     * {@return this builder, with {@link GenerationConfig#logprobs} set}
     *
     * @param logprobs from 0, for no others than the tokens' own; unset by default
     */
    public Builder logprobs(int logprobs) {
      this.logprobs = OptionalInt.of(logprobs);
      return this;
    }

    /**
     * {@return this builder, with {@link GenerationConfig#constraint} set}
     *
     * @param constraint not together with beams; unset by default
     */
    public Builder constraint(Constraint constraint) {
      this.constraint = Optional.of(constraint);
      return this;
    }

    /**
     * {@return the settings}
     *
     * @throws IllegalArgumentException naming a setting that is out of range, or two that do not go
     *     together
     */
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
