package dev.gatun.kernels.api.call.optim;

import dev.gatun.kernels.api.checks.Checks;
import dev.gatun.kernels.api.memory.Buffer;
import dev.gatun.kernels.api.memory.DType;
import dev.gatun.kernels.api.memory.Memory;
import dev.gatun.kernels.api.memory.Operand;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.IdentityHashMap;
import java.util.List;
import java.util.Map;

/**
 * Where the operands of lists lie in memory. A model has hundreds of parameters, so that overlaps
 * are looked for among neighbours and not among all pairs.
 */
final class Spans {
  private record Span(Operand operand, boolean output) {
    long begin() {
      return operand.byteOffset();
    }

    long end() {
      return begin() + operand.count() * operand.dtype().bytes();
    }
  }

  private Spans() {}

  /** A list that nobody changes; requires that none of it is missing. */
  static <T> List<T> copy(String kernel, String what, List<T> list) {
    List<T> own = new ArrayList<>(list);
    for (int i = 0; i < own.size(); i++) {
      Checks.required(kernel, what + " " + i, own.get(i));
    }
    return List.copyOf(own);
  }

  /** Requires an F32 operand without gaps. */
  static void whole(String kernel, String what, int i, Operand operand) {
    String name = what + " " + i;
    Checks.required(kernel, name, operand);
    Checks.operand(kernel, name, operand, DType.F32, operand.rank());
    Checks.contiguous(kernel, name, operand);
  }

  /** Requires that no output shares memory with another operand, all being contiguous. */
  static void disjoint(String kernel, List<Operand> inputs, List<Operand> outputs) {
    Map<Buffer, List<Span>> spans = new IdentityHashMap<>();
    inputs.forEach(x -> add(spans, new Span(x, false)));
    outputs.forEach(y -> add(spans, new Span(y, true)));
    for (List<Span> all : spans.values()) {
      all.sort(Comparator.comparingLong(Span::begin));
      // The spans that reach furthest so far: any, and of outputs.
      Span furthest = null;
      Span output = null;
      for (Span span : all) {
        Span other = span.output() ? furthest : output;
        if (other != null && other.end() > span.begin()) {
          Span written = span.output() ? span : other;
          throw Checks.bad(
              kernel,
              "output %s overlaps %s in memory",
              written.operand(),
              (written == span ? other : span).operand());
        }
        furthest = further(furthest, span);
        output = span.output() ? further(output, span) : output;
      }
    }
    Memory memory = outputs.isEmpty() ? null : outputs.getFirst().buffer().memory();
    for (List<Operand> some : List.of(inputs, outputs)) {
      for (Operand operand : some) {
        if (memory != null && operand.buffer().memory() != memory) {
          throw Checks.bad(
              kernel,
              "%s is on %s, the first output on %s: move one with to(device)",
              operand,
              operand.buffer().memory().device(),
              memory.device());
        }
      }
    }
  }

  private static void add(Map<Buffer, List<Span>> spans, Span span) {
    if (!span.operand().isEmpty()) {
      spans.computeIfAbsent(span.operand().buffer(), b -> new ArrayList<>()).add(span);
    }
  }

  private static Span further(Span a, Span b) {
    return a == null || b.end() > a.end() ? b : a;
  }
}
