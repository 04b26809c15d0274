package dev.gatun.text;

import dev.gatun.text.SentencePieceModel.Algorithm;
import dev.gatun.text.SentencePieceModel.Piece;
import dev.gatun.text.SentencePieceModel.Type;
import dev.gatun.text.SentencePieceNormalizer.Normalized;
import dev.gatun.text.SentencePieceSegmenter.Segment;
import java.io.ByteArrayOutputStream;
import java.nio.ByteBuffer;
import java.nio.charset.CharacterCodingException;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.HexFormat;
import java.util.List;
import java.util.Map;

/** What a SentencePiece model makes of texts, and of pieces, as SentencePiece itself does. */
final class SentencePieceProcessor {
  private static final String SPACE = "\u2581";

  /**
   * A piece of a text.
   *
   * @param piece as the vocabulary spells it; characters that it lacks as they are
   * @param begin where it begins in the text
   * @param end where it ends
   */
  record Part(String piece, int begin, int end) {}

  private final SentencePieceModel model;
  private final Map<String, Integer> all = new HashMap<>();
  private final SentencePieceNormalizer normalizer;
  private final SentencePieceSegmenter segmenter;

  SentencePieceProcessor(SentencePieceModel model) {
    this.model = model;
    Map<String, Integer> ofText = new HashMap<>();
    List<String> userDefined = new ArrayList<>();
    for (int id = 0; id < model.pieces().size(); id++) {
      Piece piece = model.piece(id);
      all.put(piece.text(), id);
      if (piece.isText()) {
        ofText.put(piece.text(), id);
      }
      if (piece.type() == Type.USER_DEFINED) {
        userDefined.add(piece.text());
      }
    }
    SentencePiecePrefixes prefixes = new SentencePiecePrefixes(userDefined);
    this.normalizer = new SentencePieceNormalizer(model, prefixes);
    this.segmenter =
        model.algorithm() == Algorithm.UNIGRAM
            ? new SentencePieceUnigram(model, ofText)
            : new SentencePieceBpe(model, ofText, prefixes);
  }

  /** The pieces of {@code text}, whose surrogates are pairs. */
  List<Part> encode(String text) {
    Normalized normalized = normalizer.normalize(text);
    String made = normalized.text();
    int[] origins = normalized.origins();
    List<Part> parts = new ArrayList<>();
    int unknownFrom = -1;
    for (Segment each : segmenter.segments(made)) {
      boolean unknown = each.id() == model.unkId();
      int begin = each.begin();
      if (unknown && model.byteFallback()) {
        byte[] bytes = made.substring(begin, each.end()).getBytes(StandardCharsets.UTF_8);
        for (int i = 0; i < bytes.length; i++) {
          String piece = "<0x" + HexFormat.of().withUpperCase().toHexDigits(bytes[i]) + ">";
          // The last of them stands for the character, the others for nothing.
          int end = i == bytes.length - 1 ? origins[each.end()] : origins[begin];
          parts.add(new Part(piece, origins[begin], end));
        }
        unknownFrom = -1;
        continue;
      }
      if (unknown && unknownFrom >= 0) {
        begin = unknownFrom;
        parts.removeLast();
      }
      unknownFrom = unknown ? begin : -1;
      parts.add(new Part(made.substring(begin, each.end()), origins[begin], origins[each.end()]));
    }
    return parts;
  }

  /** The text of pieces; those that the vocabulary lacks are texts themselves. */
  String decode(List<String> pieces) {
    StringBuilder text = new StringBuilder();
    ByteArrayOutputStream bytes = new ByteArrayOutputStream();
    boolean begins = true;
    for (String piece : pieces) {
      Integer id = all.get(piece);
      Type type = id == null ? null : model.piece(id).type();
      if (type == Type.BYTE) {
        bytes.write(Integer.parseInt(piece.substring(3, 5), 16));
        continue;
      }
      flush(bytes, text);
      begins &= text.isEmpty();
      String surface =
          switch (type) {
            case CONTROL -> "";
            case UNKNOWN -> model.unkSurface();
            case null -> piece;
            default -> surface(piece, begins);
          };
      // A model that keeps spaces drops the one that it put before the text, and no other.
      begins &= model.removeExtraSpaces() || !piece.startsWith(SPACE);
      text.append(surface);
    }
    flush(bytes, text);
    return text.toString();
  }

  private String surface(String piece, boolean begins) {
    boolean drops =
        begins && (model.addDummyPrefix() || model.removeExtraSpaces()) && piece.startsWith(SPACE);
    return (drops ? piece.substring(1) : piece).replace(SPACE, " ");
  }

  /** Bytes of whole characters are these; each other byte is U+FFFD. */
  private static void flush(ByteArrayOutputStream bytes, StringBuilder text) {
    byte[] all = bytes.toByteArray();
    bytes.reset();
    for (int at = 0; at < all.length; ) {
      int count = 1;
      String character = "\uFFFD";
      for (int length = 1; length <= Math.min(4, all.length - at); length++) {
        try {
          ByteBuffer some = ByteBuffer.wrap(all, at, length);
          character = StandardCharsets.UTF_8.newDecoder().decode(some).toString();
          count = length;
          break;
        } catch (CharacterCodingException _) {
          // Not a character yet.
        }
      }
      text.append(character);
      at += count;
    }
  }
}
