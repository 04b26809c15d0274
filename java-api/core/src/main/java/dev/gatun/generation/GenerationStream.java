package dev.gatun.generation;

import java.time.Duration;
import java.util.ArrayDeque;
import java.util.Iterator;
import java.util.NoSuchElementException;
import java.util.Queue;
import java.util.concurrent.CancellationException;

/**
 * A request's text as it comes. Iterating takes the chunks, each once, and waits for those that are
 * yet to come; {@link #result} waits for the end. Chunks that are not taken are kept. Closing it
 * early cancels the request, which ends within a step. Safe for use by several threads.
 */
public final class GenerationStream implements Iterable<TextChunk>, AutoCloseable {
  private final Queue<TextChunk> chunks = new ArrayDeque<>();
  private final Runnable wake;
  private final int promptTokens;
  private volatile int promptTokensDone;
  private volatile boolean cancelled;
  private GenerationResult result;
  private RuntimeException failure;

  GenerationStream(int promptTokens, Runnable wake) {
    this.promptTokens = promptTokens;
    this.wake = wake;
  }

  /** {@return the prompt's length in tokens} */
  public int promptTokens() {
    return promptTokens;
  }

  /**
   * {@return how many of the prompt's tokens are computed, for those who show how far a long one
   * is}
   */
  public int promptTokensDone() {
    return promptTokensDone;
  }

  void setPromptTokensDone(int tokens) {
    promptTokensDone = Math.max(promptTokensDone, Math.min(tokens, promptTokens));
  }

  /**
   * The chunks that were not taken yet.
   *
   * @return an iterator whose {@code hasNext} waits; it throws what went wrong with the request
   *     after the chunks that came before
   */
  @Override
  public Iterator<TextChunk> iterator() {
    return new Iterator<>() {
      @Override
      public boolean hasNext() {
        return await();
      }

      @Override
      public TextChunk next() {
        TextChunk chunk = poll();
        if (chunk == null) {
          throw new NoSuchElementException("the text has ended");
        }
        return chunk;
      }
    };
  }

  /**
   * Waits until a chunk has come, or the end.
   *
   * @param atMost how long; zero does not wait
   * @return whether {@code hasNext} would not wait now
   */
  public synchronized boolean await(Duration atMost) {
    waitWhile(false, System.nanoTime() + atMost.toNanos());
    return !chunks.isEmpty() || isDone();
  }

  /** Waits for a chunk; false at the end. */
  private synchronized boolean await() {
    waitWhile(false, Long.MAX_VALUE);
    if (chunks.isEmpty() && failure != null) {
      throw failure;
    }
    return !chunks.isEmpty();
  }

  /** The next chunk when it has come; null at the end. */
  synchronized TextChunk poll() {
    return await() ? chunks.poll() : null;
  }

  /**
   * Waits for the end. Chunks that were not taken stay.
   *
   * @return what the request gave; where it was cancelled, what there was until then
   * @throws IllegalArgumentException when a setting has a token that the vocabulary lacks
   * @throws InvalidLogitsException when the model gave logits that choose no token
   * @throws CancellationException when this thread was interrupted, which cancels the request
   * @throws IllegalStateException when the generator was closed before the end, the cache is too
   *     small for the request, or its constraint leaves no token to go on with
   */
  public synchronized GenerationResult result() {
    waitWhile(true, Long.MAX_VALUE);
    if (failure != null) {
      throw failure;
    }
    return result;
  }

  /** Waits for the end, or a chunk too, until a time of {@link System#nanoTime}. */
  private void waitWhile(boolean forTheEnd, long until) {
    while (result == null && failure == null && (forTheEnd || chunks.isEmpty())) {
      try {
        if (until == Long.MAX_VALUE) {
          wait();
        } else {
          long left = (until - System.nanoTime()) / 1_000_000;
          if (left <= 0) {
            return;
          }
          wait(left);
        }
      } catch (InterruptedException e) {
        cancel();
        Thread.currentThread().interrupt();
        CancellationException told =
            new CancellationException(
                "interrupted while waiting for text; the request is cancelled");
        told.initCause(e);
        throw told;
      }
    }
  }

  /** Ends the request within a step; it keeps the text so far. */
  public void cancel() {
    cancelled = true;
    wake.run();
  }

  boolean isCancelled() {
    return cancelled;
  }

  /** {@return whether the request has ended, in one way or another} */
  public synchronized boolean isDone() {
    return result != null || failure != null;
  }

  synchronized void add(TextChunk chunk) {
    chunks.add(chunk);
    notifyAll();
  }

  synchronized void complete(GenerationResult given) {
    result = given;
    notifyAll();
  }

  synchronized void fail(RuntimeException reason) {
    if (result == null && failure == null) {
      failure = reason;
      notifyAll();
    }
  }

  @Override
  public void close() {
    if (!isDone()) {
      cancel();
    }
  }
}
