package dev.gatun.bench.generation;

import static java.lang.foreign.ValueLayout.JAVA_FLOAT;

import dev.gatun.bench.Subject;
import java.io.IOException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.nio.file.Path;

/** llama.cpp's models from GGUF files, with its default settings: mapped, and repacked. */
public final class LlamaCppLoading implements Subject {
  private static final int TOKEN = 1000;
  private static final int CONTEXT = 256;

  private final int threads;
  private final Arena arena = Arena.ofShared();
  private final LlamaCppLibrary library;
  private final LlamaCppBatch batch = new LlamaCppBatch(arena, 1);

  /** Loads the libraries. */
  public LlamaCppLoading(int threads) throws IOException {
    LoadedFile.begin();
    this.threads = threads;
    this.library = new LlamaCppLibrary(LlamaCppFiles.folder());
    batch.clear();
    batch.add(TOKEN, 0, 0, true);
  }

  @Override
  public Task task(String name) throws Exception {
    LoadingCase c = LoadingCase.of(name);
    Path model = c.gguf();
    return new Task() {
      @Override
      public double seconds() throws Exception {
        if (c.isMemory()) {
          return LoadedFile.anonymousBytes(
              () -> {
                MemorySegment loaded = library.load(model);
                return () -> library.freeModel(loaded);
              });
        }
        if (c.isCold()) {
          LoadedFile.forget(model);
        }
        long start = System.nanoTime();
        MemorySegment loaded = library.load(model);
        if (c.ofToken()) {
          scores(c, loaded);
        }
        double seconds = (System.nanoTime() - start) / 1e9;
        library.freeModel(loaded);
        return seconds;
      }

      @Override
      public void run() throws Exception {
        seconds();
      }

      @Override
      public float[] result() throws Exception {
        MemorySegment loaded = library.load(model);
        try {
          return Scores.centred(scores(c, loaded));
        } finally {
          library.freeModel(loaded);
        }
      }
    };
  }

  private float[] scores(LoadingCase c, MemorySegment model) {
    MemorySegment context = library.context(model, CONTEXT, 1, threads);
    try {
      library.decode(context, batch.segment);
      float[] scores = new float[c.shape().vocab()];
      MemorySegment.copy(library.logits(context, -1), JAVA_FLOAT, 0, scores, 0, scores.length);
      return scores;
    } finally {
      library.freeContext(context);
    }
  }

  @Override
  public String version() {
    return "llama.cpp " + library.version() + " (" + LlamaCppFiles.PACKAGE + ")";
  }

  @Override
  public void close() {
    arena.close();
  }
}
