package dev.gatun.bench.generation;

import ai.onnxruntime.OnnxTensor;
import ai.onnxruntime.OrtEnvironment;
import ai.onnxruntime.OrtException;
import ai.onnxruntime.OrtSession;
import ai.onnxruntime.OrtSession.Result;
import dev.gatun.bench.OnnxSession;
import dev.gatun.bench.Subject;
import java.nio.FloatBuffer;
import java.nio.LongBuffer;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/**
 * ONNX Runtime on an encoder, what the decoder sees of it, and a step with the keys and values of
 * the tokens before, which chooses the next tokens too. The loop around it is Java's: what a step
 * gives is the next one's input as it lies.
 */
public final class OnnxSeq2Seq implements Subject {
  private final OrtEnvironment environment = OrtEnvironment.getEnvironment();
  private final Path directory;
  private final int threads;
  private final Map<String, OrtSession> sessions = new LinkedHashMap<>();

  /**
   * @param directory the graphs with their weights
   */
  public OnnxSeq2Seq(Path directory, int threads) {
    this.directory = directory;
    this.threads = threads;
  }

  @Override
  public Task task(String name) throws Exception {
    Seq2SeqCase c = Seq2SeqCase.of(name);
    close();
    open("encoder");
    if (!c.ofEncoder()) {
      open("sources");
      open(step(c));
    }
    return () -> c.ofEncoder() ? states(c) : Seq2SeqCase.numbers(texts(c));
  }

  private static String step(Seq2SeqCase c) {
    return c.beams() == 1 ? "greedy" : "beams";
  }

  private void open(String graph) throws OrtException {
    sessions.put(graph, OnnxSession.open(directory.resolve(graph + ".onnx"), threads));
  }

  private Result run(String graph, Map<String, OnnxTensor> inputs) throws OrtException {
    return sessions.get(graph).run(inputs);
  }

  private Result encoded(Seq2SeqCase c) throws OrtException {
    long[][] sources = c.sources();
    long[] ids = Arrays.stream(sources).flatMapToLong(Arrays::stream).toArray();
    try (OnnxTensor input = longs(ids, sources.length, sources[0].length)) {
      return run("encoder", Map.of("ids", input));
    }
  }

  private float[] states(Seq2SeqCase c) throws OrtException {
    try (Result result = encoded(c)) {
      return OnnxSession.floats((OnnxTensor) result.get(0));
    }
  }

  /** The texts of sources [sources][tokens]. */
  private long[][] texts(Seq2SeqCase c) throws OrtException {
    try (Result encoded = encoded(c);
        Result seen = run("sources", Map.of("states", (OnnxTensor) encoded.get(0)))) {
      return c.beams() == 1 ? greedy(seen) : beams(c.beams(), seen);
    }
  }

  private long[][] greedy(Result seen) throws OrtException {
    int rows = Seq2SeqCase.SOURCES;
    long[][] texts = new long[rows][Seq2SeqCase.TOKENS];
    List<OnnxTensor> begin = new ArrayList<>();
    Result last = null;
    try {
      Map<String, OnnxTensor> inputs = begin(seen, rows, begin);
      for (int t = 0; t < Seq2SeqCase.TOKENS; t++) {
        last = next("greedy", inputs, last);
        inputs.put("ids", tensor(last, "next"));
        long[] ids = values(last, "next");
        for (int row = 0; row < rows; row++) {
          texts[row][t] = ids[row];
        }
      }
      return texts;
    } finally {
      close(begin, last);
    }
  }

  private long[][] beams(int beams, Result seen) throws OrtException {
    int rows = Seq2SeqCase.SOURCES * beams;
    long[][] texts = new long[rows][Seq2SeqCase.TOKENS];
    List<OnnxTensor> begin = new ArrayList<>();
    Result last = null;
    try {
      Map<String, OnnxTensor> inputs = begin(seen, rows, begin);
      // The beams of a source begin as one.
      float[] scores = new float[rows];
      for (int row = 0; row < rows; row++) {
        scores[row] = row % beams == 0 ? 0 : -1e9f;
      }
      long[] shape = {Seq2SeqCase.SOURCES, beams};
      begin.add(OnnxTensor.createTensor(environment, FloatBuffer.wrap(scores), shape));
      inputs.put("scores", begin.getLast());
      long[] parents = new long[rows];
      Arrays.setAll(parents, row -> row);
      begin.add(longs(parents, rows));
      inputs.put("parents", begin.getLast());
      for (int t = 0; t < Seq2SeqCase.TOKENS; t++) {
        last = next("beams", inputs, last);
        inputs.put("ids", tensor(last, "next"));
        inputs.put("scores", tensor(last, "best"));
        inputs.put("parents", tensor(last, "from"));
        long[] ids = values(last, "next");
        long[] from = values(last, "from");
        long[][] longer = new long[rows][];
        for (int row = 0; row < rows; row++) {
          longer[row] = texts[(int) from[row]].clone();
          longer[row][t] = ids[row];
        }
        texts = longer;
      }
      long[][] all = texts;
      long[][] best = new long[Seq2SeqCase.SOURCES][];
      Arrays.setAll(best, source -> all[source * beams]);
      return best;
    } finally {
      close(begin, last);
    }
  }

  /** What the first step reads: the start token of each row, and no tokens before it. */
  private Map<String, OnnxTensor> begin(Result seen, int rows, List<OnnxTensor> made)
      throws OrtException {
    Map<String, OnnxTensor> inputs = new HashMap<>();
    for (Map.Entry<String, ?> each : seen) {
      inputs.put(each.getKey(), (OnnxTensor) each.getValue());
    }
    made.add(longs(new long[rows], rows));
    inputs.put("ids", made.getLast());
    long[] none = {rows, RandomT5.HEADS, 0, RandomT5.SIZE};
    made.add(OnnxTensor.createTensor(environment, FloatBuffer.allocate(0), none));
    for (int layer = 0; layer < RandomT5.LAYERS; layer++) {
      inputs.put("past_keys." + layer, made.getLast());
      inputs.put("past_values." + layer, made.getLast());
    }
    return inputs;
  }

  /**
   * A step, whose keys and values become the next one's input.
   *
   * @param last closed: the step has read it
   */
  private Result next(String graph, Map<String, OnnxTensor> inputs, Result last)
      throws OrtException {
    Result next = run(graph, inputs);
    if (last != null) {
      last.close();
    }
    for (int layer = 0; layer < RandomT5.LAYERS; layer++) {
      inputs.put("past_keys." + layer, tensor(next, "keys." + layer));
      inputs.put("past_values." + layer, tensor(next, "values." + layer));
    }
    return next;
  }

  private static OnnxTensor tensor(Result result, String name) {
    return (OnnxTensor) result.get(name).orElseThrow();
  }

  private static long[] values(Result result, String name) {
    LongBuffer buffer = tensor(result, name).getLongBuffer();
    long[] values = new long[buffer.remaining()];
    buffer.get(values);
    return values;
  }

  private OnnxTensor longs(long[] values, long... shape) throws OrtException {
    return OnnxTensor.createTensor(environment, LongBuffer.wrap(values), shape);
  }

  private static void close(List<OnnxTensor> begin, Result last) {
    begin.forEach(OnnxTensor::close);
    if (last != null) {
      last.close();
    }
  }

  @Override
  public String version() {
    return "onnxruntime " + environment.getVersion();
  }

  @Override
  public void close() {
    try {
      for (OrtSession session : sessions.values()) {
        session.close();
      }
    } catch (OrtException e) {
      throw new IllegalStateException(e);
    }
    sessions.clear();
  }
}
