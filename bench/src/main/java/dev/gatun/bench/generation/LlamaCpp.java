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
      model = library.load(new RandomDecoder(c.shape(), GenerationCase.FOLDER).gguf(type(c)));
      open = wanted;
    }
    // Of a multiple of 256, as it would make it.
    int length = Math.ceilDiv(c.prompt() + c.written(), 256) * 256;
    context = library.context(model, length, c.sequences(), threads);
    memory = library.memory(context);
    for (int s = 0; s < c.sequences() && !c.prefill(); s++) {
      prompt(c, c.prompt(s), s);
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
        prompt(c, c.prompt(0), 0);
        float[] scores = new float[c.shape().vocab()];
        MemorySegment.copy(library.logits(context, -1), JAVA_FLOAT, 0, scores, 0, scores.length);
        return Scores.centred(scores);
      }
    };
  }

  private static RandomRows.Type type(GenerationCase c) {
    return switch (c.type()) {
      case "int4" -> RandomRows.Type.Q4_0;
      case "int8" -> RandomRows.Type.Q8_0;
      default -> RandomRows.Type.BF16;
    };
  }

  /** Computes a prompt, of which the last token has scores. */
  private void prompt(GenerationCase c, int[] ids, int sequence) {
    library.cut(memory, sequence, 0);
    for (int from = 0; from < ids.length; from += MOST_BATCH) {
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
    prompt(c, ids, 0);
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
