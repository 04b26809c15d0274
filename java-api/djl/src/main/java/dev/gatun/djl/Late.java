package dev.gatun.djl;

import java.io.IOException;
import java.io.UncheckedIOException;

/** For what is loaded when it is first asked for. */
final class Late<M extends AutoCloseable> implements AutoCloseable {
  /** Reads files. */
  interface Loading<M> {
    M load() throws IOException;
  }

  private final Loading<M> loading;
  private M made;
  private boolean closed;

  Late(Loading<M> loading) {
    this.loading = loading;
  }

  synchronized M get() {
    if (closed) {
      throw new IllegalStateException("the model is closed");
    }
    if (made == null) {
      try {
        made = loading.load();
      } catch (IOException e) {
        throw new UncheckedIOException(e.getMessage(), e);
      }
    }
    return made;
  }

  @Override
  public synchronized void close() {
    if (closed) {
      return;
    }
    closed = true;
    if (made != null) {
      try {
        made.close();
      } catch (Exception e) {
        throw new IllegalStateException(e.getMessage(), e);
      }
    }
  }
}
