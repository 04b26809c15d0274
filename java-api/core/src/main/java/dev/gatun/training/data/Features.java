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

  /** A label a token, each about its own place. */
  public static Features ofTokens(long[] inputIds, long[] typeIds, long... labels) {
    return new Features(inputIds, typeIds, labels, null, -1, -1, -1, counted(labels), 1);
  }

  /** A text that each token is to tell the next one of. */
  public static Features ofText(long... inputIds) {
    return new Features(
        inputIds, null, inputIds, null, -1, -1, -1, Math.max(0, inputIds.length - 1), 1);
  }

  /** A source and the target that an encoder-decoder is to write. */
  public static Features ofPair(long[] inputIds, long... labels) {
    return new Features(inputIds, null, labels, null, -1, -1, -1, counted(labels), 1);
  }

  /** A sequence of a class. */
  public static Features ofClass(long[] inputIds, long[] typeIds, long label) {
    return new Features(
        inputIds, typeIds, new long[] {label}, null, -1, -1, -1, label == IGNORED ? 0 : 1, 1);
  }

  /** A sequence with numbers. */
  public static Features ofValues(long[] inputIds, long[] typeIds, float... values) {
    return new Features(inputIds, typeIds, null, values, -1, -1, -1, 1, 1);
  }

  /** A pair of texts; labels of masked tokens may be null. */
  public static Features ofSentences(
      long[] inputIds, long[] typeIds, long[] labels, long nextSentence) {
    int items = labels == null ? 1 : counted(labels);
    return new Features(inputIds, typeIds, labels, null, nextSentence, -1, -1, items, 1);
  }

  /** A question with a text that holds the answer. */
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
