package dev.gatun.bench.generation;

import static java.lang.foreign.ValueLayout.JAVA_FLOAT;

import dev.gatun.bench.Subject;
import java.io.IOException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;

/** llama.cpp by its C API: batches as its own programs make them, the likeliest token taken. */
public final class LlamaCpp implements Subject {
  private static final int MOST_BATCH = 2048;

  private final int threads;
  private final Arena arena = Arena.ofShared();
  private final LlamaCppLibrary library;
  private final LlamaCppBatch batch = new LlamaCppBatch(arena, MOST_BATCH);
  private MemorySegment model;
  private MemorySegment context;
  private MemorySegment memory;
  private String open = "";
  private long prompts = 1000;

  /** Loads the libraries. */
  public LlamaCpp(int threads) throws IOException {
    this.threads = threads;
    this.library = new LlamaCppLibrary(LlamaCppFiles.folder());
  }

  @Override
  public Task task(String name) throws Exception {
    GenerationCase c = GenerationCase.of(name);
    String wanted = c.shape().name() + "/" + c.type();
    freeContext();
    if (!open.equals(wanted)) {
      freeModel();
      model = library.load(new RandomDecoder(c.shape(), GenerationCase.FOLDER).stored(type(c)));
      open = wanted;
    }
    // Of a multiple of 256, as it would make it.
    int length = Math.ceilDiv(c.before() + c.prompt() + c.written(), 256) * 256;
    context = library.context(model, length, c.sequences(), threads);
    memory = library.memory(context);
    for (int s = 0; s < c.sequences() && (!c.prefill() || c.before() > 0); s++) {
      prompt(c.prompt(s), s, 0);
    }
    return new Task() {
      @Override
      public double seconds() {
        return c.prefill() ? prefill(c) : LlamaCpp.this.decode(c);
      }

      @Override
      public void run() {
        seconds();
      }

      @Override
      public float[] result() {
        prompt(c.prompt(0), 0, 0);
        float[] scores = new float[c.shape().vocab()];
        MemorySegment.copy(library.logits(context, -1), JAVA_FLOAT, 0, scores, 0, scores.length);
        return Scores.centred(scores);
      }
    };
  }

  private static String type(GenerationCase c) {
    return switch (c.type()) {
      case "int4" -> "q4_0";
      case "int8" -> "q8_0";
      default -> c.type();
    };
  }

  /** Computes a prompt from a token on; the last one has scores. */
  private void prompt(int[] ids, int sequence, int first) {
    library.cut(memory, sequence, first);
    for (int from = first; from < ids.length; from += MOST_BATCH) {
      batch.clear();
      int to = Math.min(ids.length, from + MOST_BATCH);
      for (int i = from; i < to; i++) {
        batch.add(ids[i], i, sequence, i == ids.length - 1);
      }
      library.decode(context, batch.segment);
    }
  }

  private double prefill(GenerationCase c) {
    int[] ids = c.prompt(prompts++);
    long start = System.nanoTime();
    prompt(ids, 0, c.before());
    likeliest(c, -1);
    return (System.nanoTime() - start) / 1e9 / c.timed();
  }

  /** Goes on from the prompts, and forgets what it wrote for the next time. */
  private double decode(GenerationCase c) {
    int[] ids = new int[c.sequences()];
    long start = System.nanoTime();
    for (int t = 0; t < c.written() - 1; t++) {
      batch.clear();
      for (int s = 0; s < c.sequences(); s++) {
        batch.add(ids[s], c.prompt() + t, s, true);
      }
      library.decode(context, batch.segment);
      for (int s = 0; s < c.sequences(); s++) {
        ids[s] = likeliest(c, s);
      }
    }
    double seconds = (System.nanoTime() - start) / 1e9;
    for (int s = 0; s < c.sequences(); s++) {
      library.cut(memory, s, c.prompt());
    }
    return seconds / c.timed();
  }

  private int likeliest(GenerationCase c, int index) {
    MemorySegment logits = library.logits(context, index);
    int best = 0;
    float most = Float.NEGATIVE_INFINITY;
    for (int i = 0; i < c.shape().vocab(); i++) {
      float logit = logits.getAtIndex(JAVA_FLOAT, i);
      if (logit > most) {
        most = logit;
        best = i;
      }
    }
    return best;
  }

  @Override
  public String version() {
    return "llama.cpp " + library.version() + " (" + LlamaCppFiles.PACKAGE + ")";
  }

  private void freeContext() {
    if (context != null) {
      library.freeContext(context);
      context = null;
    }
  }

  private void freeModel() {
    if (model != null) {
      library.freeModel(model);
      model = null;
    }
  }

  @Override
  public void close() {
    freeContext();
    freeModel();
    arena.close();
  }
}
