package dev.gatun.chat;

import dev.gatun.chat.ReplyReader.Reading;
import dev.gatun.generation.Completion;
import dev.gatun.generation.GenerationResult;
import dev.gatun.generation.GenerationStream;
import dev.gatun.generation.InvalidLogitsException;
import dev.gatun.generation.TextChunk;
import java.time.Duration;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Iterator;
import java.util.List;
import java.util.Map;
import java.util.NoSuchElementException;
import java.util.Queue;
import java.util.TreeMap;
import java.util.concurrent.CancellationException;
import java.util.function.Consumer;

/**
 * An answer as it comes. Iterating takes the deltas, each once, and waits for those that are yet to
 * come; {@link #result} waits for the end, and leaves the deltas that were not taken. One thread
 * takes what comes; {@link #cancel} and {@link #close} may be called by others.
 */
public final class ChatStream implements Iterable<ChatDelta>, AutoCloseable {
  private final GenerationStream stream;
  private final Iterator<TextChunk> chunks;
  private final Reading reading;
  private final Consumer<ChatResult> whenDone;
  private final Map<Integer, ReplyReader> readers = new TreeMap<>();
  private final Queue<ChatDelta> deltas = new ArrayDeque<>();
  private ChatResult result;

  /**
   * The answers of a stream.
   *
   * @param whenDone is told of the result, once it is there
   */
  ChatStream(GenerationStream stream, Reading reading, Consumer<ChatResult> whenDone) {
    this.stream = stream;
    this.chunks = stream.iterator();
    this.reading = reading;
    this.whenDone = whenDone;
  }

  /** {@return the prompt's length in tokens} */
  public int promptTokens() {
    return stream.promptTokens();
  }

  /** {@return how many of the prompt's tokens are computed, or were found in the cache} */
  public int promptTokensDone() {
    return stream.promptTokensDone();
  }

  /**
   * The deltas that were not taken yet.
   *
   * @return an iterator whose {@code hasNext} waits; it throws what went wrong with the request
   *     after the deltas that came before
   */
  @Override
  public Iterator<ChatDelta> iterator() {
    return new Iterator<>() {
      @Override
      public boolean hasNext() {
        while (deltas.isEmpty() && result == null) {
          advance();
        }
        return !deltas.isEmpty();
      }

      @Override
      public ChatDelta next() {
        if (!hasNext()) {
          throw new NoSuchElementException("the answer has ended");
        }
        return deltas.remove();
      }
    };
  }

  /**
   * Waits until tokens have come, or the end.
   *
   * @param atMost how long; zero does not wait
   * @return whether {@code hasNext} would not wait for them now
   */
  public boolean await(Duration atMost) {
    return !deltas.isEmpty() || result != null || stream.await(atMost);
  }

  /**
   * Waits for the end. A request that was cancelled gives what came before.
   *
   * @return the answers, with tokens and times; the same each time
   * @throws InvalidLogitsException when the model gave logits that choose no token
   * @throws CancellationException when this thread was interrupted, which cancels the request
   * @throws IllegalStateException when the chat was closed before the end
   */
  public ChatResult result() {
    while (result == null) {
      advance();
    }
    return result;
  }

  /** Takes the next chunk, or makes the result. */
  private void advance() {
    if (chunks.hasNext()) {
      TextChunk chunk = chunks.next();
      if (!chunk.tokens().isEmpty()) {
        deltas.add(reader(chunk.index()).add(chunk.tokens()));
      }
      return;
    }
    GenerationResult generation = stream.result();
    List<ChatChoice> choices = new ArrayList<>();
    for (int i = 0; i < generation.completions().size(); i++) {
      Completion completion = generation.completions().get(i);
      ReplyReader reader = reader(i);
      // Beams come whole, at the end.
      add(reader.add(completion.tokens().subList(reader.tokens(), completion.tokens().size())));
      add(reader.finish());
      choices.add(new ChatChoice(reader.message(), completion));
    }
    result = new ChatResult(choices, generation);
    whenDone.accept(result);
  }

  private void add(ChatDelta delta) {
    if (!delta.isEmpty() || !delta.tokens().isEmpty()) {
      deltas.add(delta);
    }
  }

  private ReplyReader reader(int index) {
    return readers.computeIfAbsent(index, at -> new ReplyReader(at, reading));
  }

  /** Ends the request within a step; it keeps the text so far. */
  public void cancel() {
    stream.cancel();
  }

  @Override
  public void close() {
    stream.close();
  }
}
