package dev.gatun.pipelines;

import java.io.IOException;
import java.nio.file.Path;

/** Where the pipelines get their models from. */
final class TextModels {
  /** What a model gives. */
  enum Head {
    /** Last hidden states, a row a token. */
    NONE,
    /** A score a label, a row a text. */
    SEQUENCE_CLASSIFICATION,
    /** A score a label, a row a token. */
    TOKEN_CLASSIFICATION,
    /** How a token likes to begin and to end an answer, a row a token. */
    QUESTION_ANSWERING,
    /** A score a token of the vocabulary, a row a token. */
    MASKED_LM
  }

  private TextModels() {}

  /** Opens the model of a directory. */
  static TextModel load(Path directory, Head head) throws IOException {
    throw new IOException("this build has no model architectures to run it with");
  }
}
