package dev.gatun.training.data;

import dev.gatun.text.EncodeOptions;
import dev.gatun.text.Encoding;
import dev.gatun.text.Tokenizer;
import java.util.Arrays;
import java.util.stream.IntStream;

/** Samples of {@link Collator#nextSentence}. */
record NextSentence(Tokenizer tokenizer, int maxLength, Masking masking) implements Collator {
  @Override
  public Samples samples(Dataset data) {
    IntStream.range(0, data.size())
        .forEach(i -> data.get(i).requireNoWeight("next sentence prediction"));
    int[] documents = IntStream.range(0, data.size()).map(i -> data.get(i).document()).toArray();
    int[] followed =
        IntStream.range(0, documents.length - 1)
            .filter(i -> documents[i] == documents[i + 1])
            .toArray();
    // Where each document begins.
    int[] begins =
        IntStream.range(0, documents.length)
            .filter(i -> i == 0 || documents[i] != documents[i - 1])
            .toArray();
    if (begins.length < 2 || followed.length == 0) {
      throw new DatasetException(
          "%s: next sentence prediction needs two documents, and two sentences in one; an empty"
                  .formatted(data.get(0).where())
              + " line begins a document, here are %d of %d sentences in all"
                  .formatted(begins.length, documents.length));
    }
    // Documents have ascending numbers.
    int[] numbers = Arrays.stream(begins).map(begin -> documents[begin]).toArray();
    return new Samples() {
      @Override
      public int size() {
        return followed.length;
      }

      @Override
      public Features get(int index, Draws draws) {
        int first = followed[index];
        boolean random = draws.uniform() < 0.5;
        int second = random ? ofAnother(documents[first], draws) : first + 1;
        return pair(data.get(first), data.get(second), random, draws);
      }

      private int ofAnother(int document, Draws draws) {
        int found = Arrays.binarySearch(numbers, document);
        int other = draws.below(begins.length - 1);
        other += other >= found ? 1 : 0;
        int end = other + 1 < begins.length ? begins[other + 1] : documents.length;
        return begins[other] + draws.below(end - begins[other]);
      }
    };
  }

  private Features pair(Example first, Example second, boolean random, Draws draws) {
    EncodeOptions options = EncodeOptions.DEFAULT.withMaxLength(maxLength);
    Encoding pair = tokenizer.encode(first.text("text"), second.text("text"), options);
    long[] ids = pair.ids().clone();
    long[] labels = masking == null ? null : masking.apply(pair, ids, draws);
    return Features.ofSentences(ids, pair.typeIds(), labels, random ? 1 : 0);
  }
}
