package dev.gatun.generation.constraint;

import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;

/** Small vocabularies: all bytes, and pieces of text that cut across everything. */
public final class Vocabularies {
  private static final String[] PIECES = {
    "{\"",
    "\":",
    "\": ",
    ",\"",
    "\", \"",
    "\"}",
    "}",
    "]}",
    "[[",
    "true",
    "false",
    "null",
    "nul",
    "name",
    "na",
    "me",
    "abc",
    "ab",
    "bc",
    "aa",
    "12",
    "123",
    "0.",
    ".5",
    "e+",
    "-1",
    "\\\"",
    "\\u",
    "\\ud8",
    "00",
    "  ",
    "\n  ",
    "\n",
    "://",
    "@",
    "20",
    "2024-",
    ":3",
    "Z",
    "\u00e9",
    "\u00e9\u00e9",
    "\u6c34",
    "\ud83d\ude00",
    "a\u00e9",
    "\"\u6c34",
    " a",
    " abc",
    " b",
    " {",
    "www.",
    "----",
    "0000",
    "aaaa",
    "-0",
    "T1",
    "::",
    "::1",
    "ff",
    "\"a\"",
    "[]",
    "{}",
    ", ",
    "\": [",
    "},{"
  };

  private Vocabularies() {}

  /** All bytes, pieces of text, and tokens of bytes that end inside of a character. */
  public static TokenTrie small() {
    List<byte[]> tokens = new ArrayList<>();
    // A token that stands for no text, as the end of text.
    tokens.add(null);
    for (int value = 0; value < 256; value++) {
      tokens.add(new byte[] {(byte) value});
    }
    for (String piece : PIECES) {
      tokens.add(piece.getBytes(StandardCharsets.UTF_8));
    }
    tokens.add(new byte[] {'a', (byte) 0xe6});
    tokens.add(new byte[] {(byte) 0xb0, (byte) 0xb4});
    tokens.add(new byte[] {(byte) 0xb0, (byte) 0xb4, '"'});
    tokens.add(new byte[] {(byte) 0xf0, (byte) 0x9f});
    tokens.add(new byte[] {(byte) 0x98, (byte) 0x80, '"', ','});
    // Equal bytes, as vocabularies have.
    tokens.add("ab".getBytes(StandardCharsets.UTF_8));
    return new TokenTrie(tokens.toArray(byte[][]::new));
  }

  /**
   * A text of tokens drawn at random of those that are allowed.
   *
   * @param most tokens after which the rest is as short as it can be found by luck
   * @return null where the text did not end
   */
  public static byte[] draw(TokenAutomaton automaton, TokenTrie trie, Random random, int most) {
    java.io.ByteArrayOutputStream text = new java.io.ByteArrayOutputStream();
    TokenAutomaton.Position at = automaton.start();
    for (int i = 0; i < most; i++) {
      TokenMask mask = automaton.mask(at);
      boolean mayEnd = at.isComplete();
      if (mayEnd && (mask.count() == 0 || random.nextInt(4) == 0 || i > most / 2)) {
        return text.toByteArray();
      }
      if (mask.count() == 0) {
        throw new AssertionError("a dead end behind " + text);
      }
      List<Integer> ids = new ArrayList<>();
      mask.forEach(ids::add);
      int id = ids.get(random.nextInt(ids.size()));
      // What closes is rare among all tokens, and nothing would ever end.
      if (i > most / 4 || random.nextInt(3) == 0) {
        for (int other : ids) {
          byte first = trie.bytes(other)[0];
          if (first == '"' || first == '}' || first == ']') {
            id = other;
            break;
          }
        }
      }
      text.writeBytes(trie.bytes(id));
      TokenAutomaton.Position next = automaton.advance(at, id);
      if (next == null) {
        throw new AssertionError("token " + id + " was allowed, and is refused behind " + text);
      }
      at = next;
    }
    return null;
  }

  /** Whether a constraint has a text. */
  public static boolean accepts(TokenAutomaton automaton, String text) {
    TokenAutomaton.Position at =
        automaton.advance(automaton.start(), text.getBytes(StandardCharsets.UTF_8));
    return at != null && at.isComplete();
  }

  /** The tokens that may follow, each tried by itself. */
  static List<Integer> tried(TokenAutomaton automaton, TokenTrie trie, TokenAutomaton.Position at) {
    List<Integer> ids = new ArrayList<>();
    for (int id = 0; id < trie.size(); id++) {
      if (trie.bytes(id) != null && automaton.advance(at, id) != null) {
        ids.add(id);
      }
    }
    return ids;
  }
}
