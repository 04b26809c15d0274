package dev.gatun.djl;

import ai.djl.inference.streaming.StreamingTranslator;
import ai.djl.ndarray.NDList;
import ai.djl.translate.Batchifier;
import ai.djl.translate.TranslatorContext;
import dev.gatun.generation.GenerationStream;
import dev.gatun.generation.TextChunk;
import java.util.Iterator;
import java.util.NoSuchElementException;
import java.util.Optional;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.stream.Stream;

/** The text for a prompt in pieces, as they are written. */
final class TextStreamTranslator implements StreamingTranslator<String, Iterator<String>> {
  private static final String STREAM = "stream";

  private final TextGenerationTranslator texts;

  TextStreamTranslator(TextGenerationTranslator texts) {
    this.texts = texts;
  }

  @Override
  public void prepare(TranslatorContext ctx) {
    texts.prepare(ctx);
  }

  @Override
  public Batchifier getBatchifier() {
    return null;
  }

  @Override
  public Support getSupport() {
    return Support.BOTH;
  }

  @Override
  public NDList processInput(TranslatorContext ctx, String prompt) {
    ctx.setAttachment(STREAM, texts.start(prompt));
    return new NDList();
  }

  @Override
  public Iterator<String> processOutput(TranslatorContext ctx, NDList list) {
    return new Pieces((GenerationStream) ctx.getAttachment(STREAM), () -> {});
  }

  @Override
  public StreamOutput<Iterator<String>> processStreamOutput(
      TranslatorContext ctx, Stream<NDList> list) {
    Pieces pieces = new Pieces((GenerationStream) ctx.getAttachment(STREAM), list::close);
    return new StreamOutput<>() {
      @Override
      public Iterator<String> getIterativeOutputInternal() {
        return pieces;
      }

      @Override
      protected Iterator<String> buildAsyncOutput() {
        return new Handed();
      }

      @Override
      protected void computeAsyncOutputInternal(Iterator<String> output) {
        Handed handed = (Handed) output;
        try {
          pieces.forEachRemaining(handed::put);
        } finally {
          handed.end();
        }
      }
    };
  }

  /** Pieces of a text; the last one closes its stream. */
  private static final class Pieces implements Iterator<String> {
    private final GenerationStream stream;
    private final Iterator<TextChunk> chunks;
    private final Runnable atEnd;

    private Pieces(GenerationStream stream, Runnable atEnd) {
      this.stream = stream;
      this.chunks = stream.iterator();
      this.atEnd = atEnd;
    }

    @Override
    public boolean hasNext() {
      boolean more = false;
      try {
        more = chunks.hasNext();
        return more;
      } finally {
        if (!more) {
          stream.close();
          atEnd.run();
        }
      }
    }

    @Override
    public String next() {
      return chunks.next().text();
    }
  }

  /** Pieces that one thread puts in and another one takes. */
  private static final class Handed implements Iterator<String> {
    private final BlockingQueue<Optional<String>> queue = new LinkedBlockingQueue<>();
    private Optional<String> head;

    private void put(String piece) {
      queue.add(Optional.of(piece));
    }

    private void end() {
      queue.add(Optional.empty());
    }

    @Override
    public boolean hasNext() {
      if (head == null) {
        try {
          head = queue.take();
        } catch (InterruptedException e) {
          Thread.currentThread().interrupt();
          throw new IllegalStateException("text generation: interrupted", e);
        }
      }
      return head.isPresent();
    }

    @Override
    public String next() {
      if (!hasNext()) {
        throw new NoSuchElementException("text generation: the text has ended");
      }
      String piece = head.orElseThrow();
      head = null;
      return piece;
    }
  }
}
