package dev.gatun.bench;

import dev.gatun.generation.constraint.Notations;
import dev.gatun.generation.constraint.TokenAutomaton;
import dev.gatun.generation.constraint.TokenAutomaton.Position;
import dev.gatun.generation.constraint.TokenMask;
import dev.gatun.generation.constraint.TokenTrie;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.TimeUnit;
import org.openjdk.jmh.annotations.Benchmark;
import org.openjdk.jmh.annotations.BenchmarkMode;
import org.openjdk.jmh.annotations.Fork;
import org.openjdk.jmh.annotations.Level;
import org.openjdk.jmh.annotations.Measurement;
import org.openjdk.jmh.annotations.Mode;
import org.openjdk.jmh.annotations.OutputTimeUnit;
import org.openjdk.jmh.annotations.Param;
import org.openjdk.jmh.annotations.Scope;
import org.openjdk.jmh.annotations.Setup;
import org.openjdk.jmh.annotations.State;
import org.openjdk.jmh.annotations.Warmup;

/**
 * The tokens that may come next under a JSON schema: a sample a token of the texts of {@link
 * MaskCases}, one after the other.
 */
@State(Scope.Thread)
@BenchmarkMode(Mode.SampleTime)
@OutputTimeUnit(TimeUnit.MICROSECONDS)
@Fork(1)
@Warmup(iterations = 5, time = 3)
@Measurement(iterations = 5, time = 3)
public class MaskBenchmark {
  @Param("128000")
  public int vocabulary;

  /** Whether what earlier texts of a schema found out is kept, as requests keep it. */
  @Param({"false", "true"})
  public boolean kept;

  private TokenTrie trie;
  private final List<TokenAutomaton> automata = new ArrayList<>();
  private final List<int[]> texts = new ArrayList<>();
  private int text;
  private int token;
  private TokenAutomaton automaton;
  private Position position;

  /** Reads the vocabulary and cuts the texts into tokens, the longest that are allowed. */
  @Setup
  public void read() throws IOException {
    byte[][] tokens = MaskCases.vocabulary(vocabulary);
    trie = new TokenTrie(tokens);
    Map<String, Integer> ids = new HashMap<>();
    for (int id = 0; id < tokens.length; id++) {
      ids.put(new String(tokens[id], StandardCharsets.ISO_8859_1), id);
    }
    for (MaskCases.Case each : MaskCases.ALL) {
      automata.add(automaton(each));
      texts.add(tokens(automata.getLast(), each.text(), ids));
    }
    automata.clear();
    MaskCases.ALL.forEach(each -> automata.add(automaton(each)));
    text = -1;
    token = Integer.MAX_VALUE;
  }

  private TokenAutomaton automaton(MaskCases.Case each) {
    return new TokenAutomaton(Notations.jsonSchema(each.schema()), trie, false);
  }

  private static int[] tokens(TokenAutomaton automaton, String text, Map<String, Integer> ids) {
    String bytes = new String(text.getBytes(StandardCharsets.UTF_8), StandardCharsets.ISO_8859_1);
    List<Integer> found = new ArrayList<>();
    Position at = automaton.start();
    for (int from = 0; from < bytes.length(); ) {
      TokenMask mask = automaton.mask(at);
      int to = Math.min(bytes.length(), from + 128);
      while (to > from && !mask.contains(ids.getOrDefault(bytes.substring(from, to), -1))) {
        to--;
      }
      if (to == from) {
        throw new IllegalStateException(
            "a text is not taken from here on: " + text.substring(from));
      }
      found.add(ids.get(bytes.substring(from, to)));
      at = automaton.advance(at, found.getLast());
      from = to;
    }
    return found.stream().mapToInt(Integer::intValue).toArray();
  }

  /** Goes on by a token; not measured. */
  @Setup(Level.Invocation)
  public void advance() {
    if (text >= 0 && token < texts.get(text).length) {
      position = automaton.advance(position, texts.get(text)[token++]);
      return;
    }
    text = (text + 1) % texts.size();
    token = 0;
    automaton = kept ? automata.get(text) : automaton(MaskCases.ALL.get(text));
    position = automaton.start();
  }

  /** The tokens that may come. */
  @Benchmark
  public TokenMask mask() {
    return automaton.mask(position);
  }
}
