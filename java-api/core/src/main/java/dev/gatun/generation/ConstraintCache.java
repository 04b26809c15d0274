package dev.gatun.generation;

import dev.gatun.generation.constraint.TokenAutomaton;
import dev.gatun.generation.constraint.TokenTrie;
import dev.gatun.text.TokenBytes;
import dev.gatun.text.Tokenizer;
import dev.gatun.text.TokenizerException;
import java.util.LinkedHashMap;
import java.util.Map;

/**
 * The constraints of a generator's last requests, each with what was found out of it for the
 * vocabulary: requests with the same one go on from there.
 */
final class ConstraintCache {
  private static final int MOST = 32;

  private final Tokenizer tokenizer;
  private final Map<Constraint, TokenAutomaton> kept = new LinkedHashMap<>(MOST, 0.75f, true);
  private TokenTrie trie;

  /** Nothing yet; the tokenizer is null for a model without one. */
  ConstraintCache(Tokenizer tokenizer) {
    this.tokenizer = tokenizer;
  }

  /**
   * A constraint for the vocabulary.
   *
   * @throws IllegalArgumentException where its tokens are not known as bytes
   */
  synchronized TokenAutomaton of(Constraint constraint) {
    if (tokenizer == null) {
      throw new IllegalArgumentException(
          "a constraint needs a tokenizer, which the model's directory lacks");
    }
    TokenBytes vocabulary;
    try {
      vocabulary = tokenizer.tokenBytes();
    } catch (TokenizerException e) {
      throw new IllegalArgumentException(
          "a constraint needs tokens that are bytes: " + e.getMessage(), e);
    }
    if (trie == null) {
      trie = new TokenTrie(vocabulary.bytes());
    }
    TokenAutomaton made =
        kept.computeIfAbsent(
            constraint,
            each -> new TokenAutomaton(each.program(), trie, vocabulary.leavesOutFirstSpace()));
    if (kept.size() > MOST) {
      kept.remove(kept.keySet().iterator().next());
    }
    return made;
  }
}
