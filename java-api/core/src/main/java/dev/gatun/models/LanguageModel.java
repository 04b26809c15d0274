package dev.gatun.models;

import dev.gatun.nn.KvCache;
import dev.gatun.tensor.Tensor;
import java.util.List;

/** A model that tells what token comes next in sequences of a cache. */
public sealed interface LanguageModel extends Model permits CausalLm, Seq2SeqLm {
  /** {@return the most tokens of a sequence} */
  int maxLength();

  /** {@return the number of tokens in the vocabulary} */
  int vocabSize();

  /**
   * {@return the ids that end a text by {@code config.json}, none or several; a generation config
   * and a tokenizer may name others}
   */
  List<Integer> eosTokenIds();

  /** {@return what a cache keeps of a token, in the dtype that attention computes in} */
  KvCache.Shape cacheShape();

  /**
   * A step's tokens on the model's device, checked, whose sequences have been given their places in
   * the cache. They count as appended: where the step is not run, or fails, {@link
   * dev.gatun.nn.KvSequence#truncate} takes them back.
   *
   * @param chunks of distinct sequences of one cache, at least one
   * @return the step, to be closed
   * @throws IllegalArgumentException for ids outside of the vocabulary, and sequences that become
   *     too long
   * @throws dev.gatun.nn.KvCacheFullException when the cache has too few free pages; nothing has
   *     changed then
   */
  TokenBatch batch(List<Chunk> chunks);

  /**
   * Runs a step.
   *
   * @param batch a step of this model
   * @return F32 [wanted, vocab_size]: for each chunk in turn, the scores of what follows each of
   *     its last tokens whose scores are wanted
   */
  Tensor logits(TokenBatch batch);
}
