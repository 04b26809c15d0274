package dev.gatun.pipelines;

/**
 * A labelled piece of a text.
 *
 * @param label the label; without its {@code B-} or {@code I-} where tokens were grouped
 * @param score its probability, the mean where tokens were grouped
 * @param word the piece
 * @param start where it starts in the text
 * @param end where it ends
 * @param index the token's place when tokens were not grouped, else -1
 */
public record Entity(String label, float score, String word, int start, int end, int index) {}
