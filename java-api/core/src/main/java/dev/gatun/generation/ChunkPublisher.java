package dev.gatun.generation;

import java.util.Objects;
import java.util.concurrent.Flow;
import java.util.concurrent.Semaphore;
import java.util.function.Supplier;

/**
 * Publishes a request's chunks: each subscriber starts a request of its own, gets what it asked for
 * on a virtual thread, and cancels the request with its subscription.
 */
final class ChunkPublisher implements Flow.Publisher<TextChunk> {
  private final Supplier<GenerationStream> request;

  ChunkPublisher(Supplier<GenerationStream> request) {
    this.request = request;
  }

  @Override
  public void subscribe(Flow.Subscriber<? super TextChunk> subscriber) {
    Objects.requireNonNull(subscriber, "subscriber");
    GenerationStream stream;
    try {
      stream = request.get();
    } catch (RuntimeException e) {
      subscriber.onSubscribe(new Delivery(null, subscriber));
      subscriber.onError(e);
      return;
    }
    Delivery delivery = new Delivery(stream, subscriber);
    subscriber.onSubscribe(delivery);
    Thread.ofVirtual().name("gatun-subscriber").start(delivery::run);
  }

  private static final class Delivery implements Flow.Subscription {
    private final GenerationStream stream;
    private final Flow.Subscriber<? super TextChunk> subscriber;
    private final Semaphore demand = new Semaphore(0);
    private volatile boolean cancelled;
    private volatile RuntimeException misuse;

    private Delivery(GenerationStream stream, Flow.Subscriber<? super TextChunk> subscriber) {
      this.stream = stream;
      this.subscriber = subscriber;
    }

    private void run() {
      try {
        for (TextChunk chunk : stream) {
          demand.acquireUninterruptibly();
          if (cancelled || misuse != null) {
            break;
          }
          subscriber.onNext(chunk);
        }
        end(misuse);
      } catch (RuntimeException e) {
        // A subscriber that throws wants no more, and the request must not go on for nobody.
        stream.cancel();
        end(e);
      }
    }

    private void end(RuntimeException failure) {
      if (cancelled) {
        return;
      }
      cancelled = true;
      if (failure == null) {
        subscriber.onComplete();
      } else {
        subscriber.onError(failure);
      }
    }

    @Override
    public void request(long n) {
      if (n <= 0) {
        misuse = new IllegalArgumentException("request: %d chunks, expected from 1".formatted(n));
        if (stream != null) {
          stream.cancel();
        }
        demand.release();
        return;
      }
      // More than can be counted is as good as no limit.
      demand.release(
          (int)
              Math.min(
                  n,
                  Integer.MAX_VALUE / 2
                      - Math.min(Integer.MAX_VALUE / 2, demand.availablePermits())));
    }

    @Override
    public void cancel() {
      cancelled = true;
      if (stream != null) {
        stream.cancel();
      }
      demand.release();
    }
  }
}
