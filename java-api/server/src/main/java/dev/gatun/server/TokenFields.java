package dev.gatun.server;

import com.fasterxml.jackson.databind.JsonNode;
import dev.gatun.text.Tokenizer;
import dev.gatun.text.TokenizerException;
import java.util.Arrays;

/** Texts that clients send as characters or as tokens. */
final class TokenFields {
  private TokenFields() {}

  /**
   * The ids of a text, or ids that were given.
   *
   * @param name the parameter, for messages
   */
  static int[] ids(String name, JsonNode value, Tokenizer tokenizer) {
    if (value.isTextual()) {
      try {
        return ints(tokenizer.encode(value.textValue()).ids());
      } catch (TokenizerException e) {
        throw ApiException.wrong(name, e.getMessage());
      }
    }
    return ids(name, value);
  }

  /** Ids that were given; whether they are in the vocabulary is for others to say. */
  static int[] ids(String name, JsonNode value) {
    if (!value.isArray()) {
      throw Fields.wrongType(name, value, "a string or an array of token ids");
    }
    int[] ids = new int[value.size()];
    for (int i = 0; i < ids.length; i++) {
      JsonNode id = value.get(i);
      if (!Fields.isWhole(id) || !id.canConvertToInt() || id.intValue() < 0) {
        throw ApiException.wrong(
            "%s[%d]".formatted(name, i), "%s, expected the id of a token".formatted(id));
      }
      ids[i] = id.intValue();
    }
    return ids;
  }

  static int[] ints(long... ids) {
    return Arrays.stream(ids).mapToInt(Math::toIntExact).toArray();
  }

  /** The text of ids. */
  static String text(Tokenizer tokenizer, int... ids) {
    long[] known =
        Arrays.stream(ids)
            .asLongStream()
            .filter(id -> tokenizer.idToToken(id).isPresent())
            .toArray();
    return tokenizer.decode(known, false);
  }
}
