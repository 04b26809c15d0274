package dev.gatun.text.chat;

import dev.gatun.text.ControlTokens;
import dev.gatun.text.EncodeOptions;
import dev.gatun.text.Encoding;
import dev.gatun.text.Tokenizer;
import dev.gatun.text.TokenizerException;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.OptionalInt;
import java.util.TreeSet;
import java.util.stream.LongStream;

/**
 * Makes tokens of a prompt in one piece, as it is meant. Only where a control token would come of
 * characters that the template did not write is the text cut, in the midst of those characters.
 */
final class PromptEncoder {
  private static final EncodeOptions PLAIN = EncodeOptions.DEFAULT.withSpecialTokens(false);

  private final Tokenizer tokenizer;
  private final Prompt prompt;
  private final String text;
  private final ControlTokens control;
  private final Map<Long, String> spellings = new HashMap<>();
  // Those that the tokenizer does not find itself, by their first chars, longer ones first.
  private final Map<Character, List<String>> unmatched = new HashMap<>();
  private final OptionalInt unknown;

  PromptEncoder(Tokenizer tokenizer, Prompt prompt) {
    this.tokenizer = tokenizer;
    this.prompt = prompt;
    this.text = prompt.toString();
    this.control = tokenizer.controlTokens();
    this.unknown = tokenizer.specialTokens().unk();
    control.ids().forEach((token, id) -> spellings.put((long) id, token));
    control.ids().keySet().stream()
        .filter(token -> !token.isEmpty() && !control.matched().contains(token))
        .sorted(Comparator.comparingInt(String::length).reversed())
        .forEach(
            token -> unmatched.computeIfAbsent(token.charAt(0), _ -> new ArrayList<>()).add(token));
  }

  long[] ids() {
    LongStream.Builder ids = LongStream.builder();
    int from = 0;
    for (int at = 0; at < text.length(); ) {
      String token = tokenAt(at);
      if (token == null) {
        at++;
        continue;
      }
      encode(from, at, ids);
      ids.add(control.ids().get(token));
      at += token.length();
      from = at;
    }
    encode(from, text.length(), ids);
    return ids.build().toArray();
  }

  /** The longest such token that the template spells here, or null. */
  private String tokenAt(int at) {
    for (String token : unmatched.getOrDefault(text.charAt(at), List.of())) {
      if (text.startsWith(token, at) && prompt.fromTemplate(at, at + token.length())) {
        return token;
      }
    }
    return null;
  }

  /** Adds the tokens of a part of the text. */
  private void encode(int from, int to, LongStream.Builder ids) {
    if (from == to) {
      return;
    }
    Encoding made = tokenizer.encode(text.substring(from, to), PLAIN);
    TreeSet<Integer> cuts = new TreeSet<>();
    for (int i = 0; i < made.length(); i++) {
      long id = made.ids()[i];
      if (!spellings.containsKey(id)) {
        continue;
      }
      boolean placed = made.starts()[i] < made.ends()[i];
      int start = placed ? from + made.starts()[i] : from;
      int end = placed ? from + made.ends()[i] : to;
      // A token may eat the space around it, whoever wrote that.
      String covered = text.substring(start, end);
      if (!covered.isBlank()) {
        start += covered.length() - covered.stripLeading().length();
        end -= covered.length() - covered.stripTrailing().length();
      }
      if (!prompt.fromTemplate(start, end) && !isUnknown(id, start, end)) {
        cuts.add(middle(start, end, id));
      }
    }
    if (cuts.isEmpty()) {
      LongStream.of(made.ids()).forEach(ids);
      return;
    }
    int last = from;
    for (int cut : cuts) {
      encode(last, cut, ids);
      last = cut;
    }
    encode(last, to, ids);
  }

  /** Whether it is the token of what the vocabulary lacks, and not spelt out. */
  private boolean isUnknown(long id, int start, int end) {
    return unknown.isPresent()
        && unknown.getAsInt() == id
        && !text.substring(start, end).contains(spellings.get(id));
  }

  private int middle(int start, int end, long id) {
    int cut = text.offsetByCodePoints(start, text.codePointCount(start, end) / 2);
    if (cut == start) {
      throw new TokenizerException(
          "'%s' in a message is the control token %d, which no message may hold"
              .formatted(text.substring(start, end), id));
    }
    return cut;
  }
}
