package dev.gatun.training.data;

import java.util.Arrays;

/**
 * One sample as a model takes it, without padding. What a head does not need is null or -1.
 *
 * @param inputIds token ids [length]
 * @param typeIds the segment of each token [length]
 * @param labels of tokens [length], of an encoder-decoder's target [target_length], or the class of
 *     the sequence [1]; -100 does not count
 * @param labelValues labels that are numbers [num_labels]
 * @param nextSentence 0 where the second text follows the first, else 1
 * @param startPosition the token that an answer begins with
 * @param endPosition the token that it ends with
 * @param items what the loss is a mean over: labels that count, or 1 for a sequence
 * @param weight what each of its labels weighs
 */
public record Features(
    long[] inputIds,
    long[] typeIds,
    long[] labels,
    float[] labelValues,
    long nextSentence,
    long startPosition,
    long endPosition,
    int items,
    float weight) {
  /** The label that does not count. */
  public static final long IGNORED = -100;

  /**
   * {@return a sample with a label a token, each about its own place}
   *
   * @param inputIds token ids [length]
   * @param typeIds the segment of each token [length]; may be null
   * @param labels a class or a token id each [length]; {@link #IGNORED} does not count
   */
  public static Features ofTokens(long[] inputIds, long[] typeIds, long... labels) {
    return new Features(inputIds, typeIds, labels, null, -1, -1, -1, counted(labels), 1);
  }

  /**
   * {@return a text that each token is to tell the next one of}
   *
   * @param inputIds token ids [length], which are the labels too
   */
  public static Features ofText(long... inputIds) {
    return new Features(
        inputIds, null, inputIds, null, -1, -1, -1, Math.max(0, inputIds.length - 1), 1);
  }

  /**
   * {@return a source and the target that an encoder-decoder is to write}
   *
   * @param inputIds token ids of the source [length]
   * @param labels token ids of the target [target_length]; {@link #IGNORED} does not count
   */
  public static Features ofPair(long[] inputIds, long... labels) {
    return new Features(inputIds, null, labels, null, -1, -1, -1, counted(labels), 1);
  }

  /**
   * {@return a sequence of a class}
   *
   * @param inputIds token ids [length]
   * @param typeIds the segment of each token [length]; may be null
   * @param label the class, from 0; {@link #IGNORED} does not count
   */
  public static Features ofClass(long[] inputIds, long[] typeIds, long label) {
    return new Features(
        inputIds, typeIds, new long[] {label}, null, -1, -1, -1, label == IGNORED ? 0 : 1, 1);
  }

  /**
   * {@return a sequence with numbers: a regression's, or 0 and 1 for labels that are independent}
   *
   * @param inputIds token ids [length]
   * @param typeIds the segment of each token [length]; may be null
   * @param values [num_labels]
   */
  public static Features ofValues(long[] inputIds, long[] typeIds, float... values) {
    return new Features(inputIds, typeIds, null, values, -1, -1, -1, 1, 1);
  }

  /**
   * {@return a pair of texts}
   *
   * @param inputIds token ids of both [length]
   * @param typeIds 0 for the first text, 1 for the second [length]; may be null
   * @param labels what masked tokens were, {@link #IGNORED} for the others [length]; may be null
   * @param nextSentence 0 where the second text follows the first, else 1
   */
  public static Features ofSentences(
      long[] inputIds, long[] typeIds, long[] labels, long nextSentence) {
    int items = labels == null ? 1 : counted(labels);
    return new Features(inputIds, typeIds, labels, null, nextSentence, -1, -1, items, 1);
  }

  /**
   * {@return a question with a text that holds the answer}
   *
   * @param inputIds token ids of both [length]
   * @param typeIds 0 for the question, 1 for the text [length]; may be null
   * @param start the index of the answer's first token; 0 for no answer
   * @param end the index of its last token; 0 for no answer
   */
  public static Features ofAnswer(long[] inputIds, long[] typeIds, long start, long end) {
    return new Features(inputIds, typeIds, null, null, -1, start, end, 1, 1);
  }

  /** The same whose labels weigh something else. */
  Features weighing(float other) {
    return new Features(
        inputIds,
        typeIds,
        labels,
        labelValues,
        nextSentence,
        startPosition,
        endPosition,
        items,
        other);
  }

  private static int counted(long[] labels) {
    return (int) Arrays.stream(labels).filter(label -> label != IGNORED).count();
  }
}
