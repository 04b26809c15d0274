package dev.gatun.models;

import java.util.Arrays;
import java.util.Optional;
import java.util.stream.Collectors;

/** What a model computes from its last hidden states; named as Hugging Face's classes end. */
public enum Head {
  /** The hidden states alone. */
  BASE("Model"),
  /** Scores of each token of the vocabulary at each place. */
  MASKED_LM("ForMaskedLM"),
  /** Two scores: whether the second text follows the first, or is any other. */
  NEXT_SENTENCE_PREDICTION("ForNextSentencePrediction"),
  /** BERT's: masked-LM and next sentence; ELECTRA's: which tokens were replaced. */
  PRE_TRAINING("ForPreTraining"),
  /** Scores of a text's classes. */
  SEQUENCE_CLASSIFICATION("ForSequenceClassification"),
  /** Scores of each token's classes. */
  TOKEN_CLASSIFICATION("ForTokenClassification"),
  /** Scores of each token as the first and as the last of an answer. */
  QUESTION_ANSWERING("ForQuestionAnswering");

  private final String ending;

  Head(String ending) {
    this.ending = ending;
  }

  /** What the names of Hugging Face's classes end in. */
  String ending() {
    return ending;
  }

  /** The head that {@code architectures} of a configuration names; the base without one. */
  static Head of(Config config) {
    var architectures = config.texts("architectures");
    if (architectures.isEmpty()) {
      return BASE;
    }
    String name = architectures.getFirst();
    return of(name)
        .orElseThrow(
            () ->
                config.error(
                    "'architectures' names %s, expected a name that ends in one of %s"
                        .formatted(
                            name,
                            Arrays.stream(values())
                                .map(h -> h.ending)
                                .collect(Collectors.joining(", ")))));
  }

  /** The head of a class of Hugging Face's; none where that is another, or tells the next token. */
  static Optional<Head> of(String architecture) {
    return architecture.endsWith("LMHeadModel")
        ? Optional.empty()
        : Arrays.stream(values()).filter(head -> architecture.endsWith(head.ending)).findFirst();
  }
}
