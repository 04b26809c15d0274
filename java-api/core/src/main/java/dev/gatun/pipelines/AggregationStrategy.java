package dev.gatun.pipelines;

/** How labels of tokens become labels of pieces of the text. */
public enum AggregationStrategy {
  /** One entity a token. */
  NONE,
  /** Neighbouring tokens with the same label make one entity. */
  SIMPLE,
  /** As SIMPLE over whole words, which have the label of their first token. */
  FIRST,
  /** As SIMPLE over whole words, which have the label with the greatest mean over their tokens. */
  AVERAGE,
  /** As SIMPLE over whole words, which have the label of their most certain token. */
  MAX
}
