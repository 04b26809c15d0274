package dev.gatun.training.data;

import dev.gatun.models.ProblemType;
import dev.gatun.text.Tokenizer;
import java.util.List;

/**
 * Makes samples of a data set's records. Texts longer than {@code maxLength} tokens become several
 * samples, except where a text has one label, or is one half of a pair: these are cut.
 */
public interface Collator {
  /**
   * Reads all records once, to count their samples.
   *
   * @param data the records, which samples may read again
   * @return the samples, in the order of the data
   * @throws DatasetException naming the file and the line of a record that cannot be used
   */
  Samples samples(Dataset data);

  /**
   * Masked language modelling (Devlin et al., BERT, 2019) of the field {@code text}: of the tokens
   * that are chosen, 80 % become the mask token, 10 % a random one, 10 % stay. Special tokens are
   * never chosen; in a text of any others at least one is.
   *
   * @param tokenizer with a mask token; open as long as samples are made
   * @param maxLength the most tokens of a sample, special ones included
   * @param probability of a token to be chosen, above 0 and at most 1
   * @param wholeWords whether all tokens of a word are chosen together
   * @return the collator
   * @throws IllegalArgumentException for another probability, and where the tokenizer has no mask
   *     token
   */
  static Collator maskedLm(
      Tokenizer tokenizer, int maxLength, double probability, boolean wholeWords) {
    return new MaskedLm(tokenizer, maxLength, new Masking(tokenizer, probability, wholeWords));
  }

  /**
   * Causal language modelling of the field {@code text}: each token tells the next.
   *
   * @param tokenizer open as long as samples are made
   * @param maxLength the most tokens of a sample, special ones included; at least 2 where texts are
   *     packed
   * @param packed whether all texts are one stream, of which samples are {@code maxLength} tokens:
   *     those of a document with line ends between them, behind it the token that ends a text, else
   *     a line end; else a sample is a text
   * @return the collator
   * @throws IllegalArgumentException for a {@code maxLength} below 2 of packed texts
   */
  static Collator causalLm(Tokenizer tokenizer, int maxLength, boolean packed) {
    return packed ? new PackedCausalLm(tokenizer, maxLength) : new CausalLm(tokenizer, maxLength);
  }

  /**
   * Next sentence prediction (Devlin et al., BERT, 2019): the field {@code text} of two records,
   * the second the next one of the same document (label 0) or, as often, one of another (1). The
   * data needs two documents: in text files an empty line begins another.
   *
   * @param tokenizer that puts two texts together, as BERT's does; open as long as samples are made
   * @param maxLength the most tokens of a pair, special ones included; the longer text is cut
   * @param maskProbability of tokens to be masked, for heads that predict these too; 0 for none
   * @return the collator
   * @throws IllegalArgumentException for a probability outside of 0 to 1, and where the tokenizer
   *     has no mask token that it needs
   */
  static Collator nextSentence(Tokenizer tokenizer, int maxLength, double maskProbability) {
    return new NextSentence(
        tokenizer,
        maxLength,
        maskProbability == 0 ? null : new Masking(tokenizer, maskProbability, false));
  }

  /**
   * Span corruption (Raffel et al., T5, 2020) of the field {@code text}: spans are replaced by
   * {@code <extra_id_0>}, {@code <extra_id_1>} and so on, and the target is each of these with what
   * it stands for, a last one, and the token that ends a text.
   *
   * @param tokenizer with at least three tokens {@code <extra_id_N>}, as T5's; open as long as
   *     samples are made
   * @param maxLength the most tokens of a source, the one that ends it included, at least 2
   * @param density the share of tokens in spans, above 0 and below 1
   * @param meanSpanLength of the spans, at least 1
   * @return the collator
   * @throws IllegalArgumentException for other values, and where the tokenizer has no such tokens
   */
  static Collator spanCorruption(
      Tokenizer tokenizer, int maxLength, double density, double meanSpanLength) {
    return new SpanCorruption(tokenizer, maxLength, density, meanSpanLength);
  }

  /**
   * Classes of sequences: the field {@code text}, perhaps {@code text_pair}, and {@code label}: the
   * number or the name of a class, a list of numbers 0 and 1 or of names where labels are
   * independent, a number or a list of numbers for a regression.
   *
   * @param tokenizer open as long as samples are made
   * @param maxLength the most tokens of a sample, special ones included
   * @param labels the names of the classes, in the order of their numbers
   * @param type what labels mean; null for what the first record's label is like
   * @return the collator
   */
  static Collator sequenceClassification(
      Tokenizer tokenizer, int maxLength, List<String> labels, ProblemType type) {
    return new SequenceClassification(tokenizer, maxLength, new LabelNames(labels), type);
  }

  /**
   * Classes of words: the fields {@code tokens}, a list of words, and {@code tags} (or {@code
   * ner_tags}), a list of numbers or names of classes. A word's first token has its label, its
   * others do not count.
   *
   * @param tokenizer open as long as samples are made
   * @param maxLength the most tokens of a sample, special ones included
   * @param labels the names of the classes, in the order of their numbers
   * @return the collator
   */
  static Collator tokenClassification(Tokenizer tokenizer, int maxLength, List<String> labels) {
    return new TokenClassification(tokenizer, maxLength, new LabelNames(labels));
  }

  /**
   * Answers in texts, in SQuAD's fields: {@code question}, {@code context}, {@code answers} with
   * lists {@code text} and {@code answer_start}, counted in Unicode code points, empty ones for a
   * question without an answer. A context that is too long becomes several samples; where the
   * answer is not whole in one, its answer is the first token.
   *
   * @param tokenizer open as long as samples are made
   * @param maxLength the most tokens of a sample: the question, a part of the context, and special
   *     ones
   * @param stride tokens that neighbouring samples of a context share, fewer than it has room for
   * @return the collator
   */
  static Collator questionAnswering(Tokenizer tokenizer, int maxLength, int stride) {
    return new QuestionAnswering(tokenizer, maxLength, stride);
  }

  /**
   * Texts and what is to be written of them: the fields {@code source} (or {@code text}, {@code
   * document}, {@code article}) and {@code target} (or {@code summary}, {@code highlights}).
   *
   * @param tokenizer open as long as samples are made
   * @param maxLength the most tokens of a source, its prefix and special ones included
   * @param maxTargetLength the most tokens of a target, special ones included
   * @param prefix what is put before each source, such as {@code "summarize: "}; may be empty
   * @return the collator
   */
  static Collator sequenceToSequence(
      Tokenizer tokenizer, int maxLength, int maxTargetLength, String prefix) {
    return new SequenceToSequence(tokenizer, maxLength, maxTargetLength, prefix, null, null);
  }

  /**
   * The same of texts whose languages tokens tell a model, as those of mBART, M2M-100 and NLLB, and
   * of Marian's models for several targets.
   *
   * @param tokenizer with languages; open as long as samples are made
   * @param maxLength the most tokens of a source, its language and its end included
   * @param maxTargetLength the most tokens of a target, special ones included
   * @param source the sources' language, as the tokenizer names it
   * @param target the targets'
   * @return the collator
   * @throws IllegalArgumentException where the tokenizer has no languages, or not these
   */
  static Collator translation(
      Tokenizer tokenizer, int maxLength, int maxTargetLength, String source, String target) {
    if (tokenizer.languages().codes().isEmpty()) {
      throw new IllegalArgumentException(
          "the tokenizer has no languages, expected none in place of '%s' and '%s'"
              .formatted(source, target));
    }
    tokenizer.languages().source(new long[0], source, target);
    tokenizer.languages().forcedBosTokenId(target);
    return new SequenceToSequence(tokenizer, maxLength, maxTargetLength, "", source, target);
  }
}
