package dev.gatun.text;

import com.fasterxml.jackson.databind.JsonNode;
import java.nio.charset.StandardCharsets;
import java.util.HashSet;
import java.util.Set;
import java.util.regex.Pattern;

/**
 * How a vocabulary spells the bytes of its tokens.
 *
 * @param kind of spelling
 * @param added ids of tokens that are spelt as they are: they are no text's parts but its cuts
 */
record TokenSpelling(Kind kind, Set<Integer> added) {
  private static final Pattern BYTE = Pattern.compile("<0x[0-9A-Fa-f]{2}>");
  private static final char SPACE = '\u2581';

  /** What vocabularies do. */
  enum Kind {
    /** A character for each byte (GPT-2's). */
    BYTES,
    /** SentencePiece's: a sign for the space, and names for bytes. */
    PIECES,
    /** What a token adds depends on its neighbours. */
    OTHER
  }

  /** That of a tokenizer.json; {@code pieces} where SentencePiece runs it. */
  static TokenSpelling of(JsonNode root, boolean pieces) {
    Set<Integer> added = new HashSet<>();
    root.path("added_tokens").forEach(token -> added.add(token.path("id").intValue()));
    Set<String> types = new HashSet<>();
    types(root.path("decoder"), types);
    boolean spaces =
        pieces
            || types.contains("Metaspace")
            || types.contains("ByteFallback")
            || root.path("decoder").toString().contains(String.valueOf(SPACE));
    boolean others = types.stream().anyMatch(Set.of("WordPiece", "BPEDecoder", "CTC")::contains);
    Kind kind =
        others
            ? Kind.OTHER
            : types.contains("ByteLevel") ? Kind.BYTES : spaces ? Kind.PIECES : Kind.OTHER;
    return new TokenSpelling(kind, added);
  }

  private static void types(JsonNode decoder, Set<String> found) {
    found.add(decoder.path("type").asText());
    decoder.path("decoders").forEach(inner -> types(inner, found));
  }

  /** The bytes of a token; null where they cannot be told. */
  byte[] bytes(String token) {
    if (kind == Kind.PIECES) {
      return BYTE.matcher(token).matches()
          ? new byte[] {(byte) Integer.parseInt(token, 3, 5, 16)}
          : token.replace(SPACE, ' ').getBytes(StandardCharsets.UTF_8);
    }
    byte[] bytes = new byte[token.length()];
    for (int i = 0; i < bytes.length; i++) {
      int value = value(token.charAt(i));
      if (value < 0) {
        return null;
      }
      bytes[i] = (byte) value;
    }
    return bytes;
  }

  private static boolean isShown(int value) {
    return value >= 0x21 && value <= 0x7e || value >= 0xa1 && value != 0xad && value <= 0xff;
  }

  /** The byte that a character stands for: itself, or the next of those that cannot be shown. */
  private static int value(char c) {
    if (isShown(c)) {
      return c;
    }
    int left = c - 0x100;
    for (int value = 0; value <= 0xff && left >= 0; value++) {
      if (!isShown(value) && left-- == 0) {
        return value;
      }
    }
    return -1;
  }
}
