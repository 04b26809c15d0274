package dev.gatun.generation;

/** Why a sequence ended. */
public enum FinishReason {
  /** The model ended the text. */
  END_OF_TEXT,
  /** A stop string appeared. */
  STOP_STRING,
  /** The asked length, or the model's context, is used up. */
  LENGTH,
  /** The asked time is over. */
  TIME,
  /** The request was cancelled. */
  CANCELLED
}
