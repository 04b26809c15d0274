package dev.gatun.generation;

import dev.gatun.generation.constraint.TokenAutomaton;
import dev.gatun.generation.constraint.TokenAutomaton.Position;
import dev.gatun.text.EncodeOptions;
import dev.gatun.text.TokenBytes;
import dev.gatun.text.Tokenizer;
import java.io.ByteArrayOutputStream;
import java.nio.ByteBuffer;
import java.nio.charset.CharacterCodingException;
import java.nio.charset.StandardCharsets;
import java.util.Arrays;

/**
 * Makes tokens of what a constraint leaves no choice of, for the model to read them at once. They
 * are those that the tokenizer makes of the text, read with the tokens before it, so that the model
 * sees what it learned from. Where the last of them could begin a longer token that is allowed too,
 * they are left for the model to choose.
 */
final class ForcedText {
  /** Tokens before the text that it is read with. */
  private static final int CONTEXT = 8;

  private static final EncodeOptions PLAIN = EncodeOptions.DEFAULT.withSpecialTokens(false);

  private final TokenAutomaton automaton;
  private final Tokenizer tokenizer;
  private final TokenBytes vocabulary;

  ForcedText(TokenAutomaton automaton, Tokenizer tokenizer) {
    this.automaton = automaton;
    this.tokenizer = tokenizer;
    this.vocabulary = tokenizer.tokenBytes();
  }

  /**
   * The tokens that follow a sequence without a choice.
   *
   * @param position where it is
   * @return none where there is a choice
   */
  int[] next(Position position, TokenHistory history) {
    byte[] forced = automaton.forced(position);
    if (forced.length == 0) {
      return new int[0];
    }
    byte[] before = before(history);
    int[] ids = split(before, forced);
    if (ids == null && before.length > 0) {
      ids = split(new byte[0], forced);
    }
    return ids == null ? new int[0] : withoutOpenEnd(position, forced, ids);
  }

  /** The bytes of the last generated tokens. */
  private byte[] before(TokenHistory history) {
    ByteArrayOutputStream bytes = new ByteArrayOutputStream();
    int from = Math.max(history.promptLength(), history.length() - CONTEXT);
    for (int id : history.from(from)) {
      byte[] some = bytes(id);
      if (some == null) {
        bytes.reset();
      } else {
        bytes.writeBytes(some);
      }
    }
    return bytes.toByteArray();
  }

  private byte[] bytes(long id) {
    return id < vocabulary.bytes().length ? vocabulary.bytes()[(int) id] : null;
  }

  /** The tokens of the second part; null where none begins with it, or they are not its bytes. */
  private int[] split(byte[] before, byte[] forced) {
    byte[] all = Arrays.copyOf(before, before.length + forced.length);
    System.arraycopy(forced, 0, all, before.length, forced.length);
    String text = text(all);
    if (text == null) {
      return null;
    }
    long[] ids = tokenizer.encode(text, PLAIN).ids();
    int at = forced.length;
    int first = ids.length;
    while (at > 0 && first > 0) {
      byte[] some = bytes(ids[--first]);
      if (some == null
          || some.length > at
          || !Arrays.equals(some, 0, some.length, forced, at - some.length, at)) {
        return null;
      }
      at -= some.length;
    }
    return at > 0
        ? null
        : Arrays.stream(ids, first, ids.length).mapToInt(Math::toIntExact).toArray();
  }

  private static String text(byte[] bytes) {
    try {
      return StandardCharsets.UTF_8.newDecoder().decode(ByteBuffer.wrap(bytes)).toString();
    } catch (CharacterCodingException e) {
      return null;
    }
  }

  private int[] withoutOpenEnd(Position position, byte[] forced, int... ids) {
    int from = 0;
    for (int i = 0; i < ids.length; i++) {
      if (automaton.mayGrow(position, forced, from)) {
        return Arrays.copyOf(ids, i);
      }
      from += bytes(ids[i]).length;
    }
    return ids;
  }
}
