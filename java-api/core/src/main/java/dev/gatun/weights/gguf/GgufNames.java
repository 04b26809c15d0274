package dev.gatun.weights.gguf;

import dev.gatun.weights.gguf.GgufArchitecture.Move;
import dev.gatun.weights.gguf.GgufArchitecture.Name;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/** A file's tensors by the names that Hugging Face's model has for them. */
final class GgufNames {
  private static final List<String> SUFFIXES = List.of(".weight", ".bias");

  /**
   * A tensor.
   *
   * @param gguf its name in the file
   * @param move what was done to it
   * @param expert the part of it, where all experts are in one; else -1
   */
  record Source(String gguf, Move move, int expert) {}

  private final Map<String, Source> sources = new LinkedHashMap<>();
  private final Map<String, String> settings = new LinkedHashMap<>();

  /** Those of an architecture; a tensor that it has no name for keeps its own. */
  GgufNames(GgufArchitecture architecture, Map<String, GgufHeader.Slot> tensors) {
    List<Pattern> patterns = architecture.tensors().stream().map(GgufNames::pattern).toList();
    tensors.forEach((name, slot) -> add(architecture.tensors(), patterns, name, slot));
  }

  private static Pattern pattern(Name name) {
    return Pattern.compile(
        name.gguf()
            .replace(".", "\\.")
            .replaceFirst("\\bN\\b", "(?<N>\\\\d+)")
            .replaceFirst("\\bE\\b", "(?<E>\\\\d+)"));
  }

  private void add(List<Name> names, List<Pattern> patterns, String name, GgufHeader.Slot slot) {
    for (String suffix : SUFFIXES) {
      for (int i = 0; name.endsWith(suffix) && i < patterns.size(); i++) {
        String begin = name.substring(0, name.length() - suffix.length());
        Matcher matcher = patterns.get(i).matcher(begin);
        if (matcher.matches()) {
          add(names.get(i), matcher, name, suffix, slot);
          return;
        }
      }
    }
    sources.putIfAbsent(name, new Source(name, Move.NONE, -1));
  }

  private void add(Name name, Matcher matcher, String gguf, String suffix, GgufHeader.Slot slot) {
    String model = name.model();
    if (name.gguf().contains(".N.")) {
      model = model.replace(".N.", "." + matcher.group("N") + ".");
    }
    if (name.gguf().endsWith(".E")) {
      model = model.replace(".E.", "." + matcher.group("E") + ".");
    }
    if (name.move() == Move.SETTING) {
      settings.put(model, gguf);
    } else if (name.move() == Move.EXPERTS
        && slot.shape().length == (suffix.equals(".bias") ? 2 : 3)) {
      int experts = (int) Math.min(slot.shape()[0], Integer.MAX_VALUE);
      // As many names as bytes at most, so that a damaged count takes no memory.
      for (int e = 0; e < Math.min(experts, slot.bytes()); e++) {
        sources.put(
            model.replace(".E.", "." + e + ".") + suffix, new Source(gguf, Move.EXPERTS, e));
      }
    } else {
      sources.put(model + suffix, new Source(gguf, name.move(), -1));
    }
  }

  /** What an architecture calls a model's tensor; null for one that it has no name for. */
  static String own(GgufArchitecture architecture, String model) {
    for (Name name : architecture.tensors()) {
      // Experts have a tensor each in older files alone.
      boolean asked = name.move() != Move.SETTING && !name.gguf().endsWith(".E");
      String own = asked ? own(name, model) : null;
      if (own != null) {
        return own;
      }
    }
    return null;
  }

  private static String own(Name name, String model) {
    Matcher matcher =
        Pattern.compile(
                name.model()
                        .replace(".", "\\.")
                        .replaceFirst("\\bN\\b", "(?<N>\\\\d+)")
                        .replaceFirst("\\bE\\b", "\\\\d+")
                    + "(?<end>\\.weight|\\.bias)")
            .matcher(model);
    if (!matcher.matches()) {
      return null;
    }
    String own = name.gguf();
    if (own.contains(".N.")) {
      own = own.replace(".N.", "." + matcher.group("N") + ".");
    }
    return own + matcher.group("end");
  }

  /** The tensors, by the model's names. */
  Map<String, Source> sources() {
    return sources;
  }

  /** The tensors that are settings, by the names that the configuration has for them. */
  Map<String, String> settings() {
    return settings;
  }
}
