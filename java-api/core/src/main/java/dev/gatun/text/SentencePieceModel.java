package dev.gatun.text;

import dev.gatun.files.LfsPointer;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.CharacterCodingException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;

/**
 * A SentencePiece model, the file that {@code spiece.model}, {@code tokenizer.model} and {@code
 * source.spm} are: a protobuf message, whose other fields are passed over. Field numbers and
 * defaults are those of SentencePiece's {@code sentencepiece_model.proto}.
 *
 * @param file where it is
 * @param pieces in the order of their ids
 * @param algorithm how a text becomes pieces
 * @param unkId the id of what the vocabulary lacks
 * @param byteFallback whether characters that the vocabulary lacks become pieces of their bytes
 * @param suffixSpace whether white space ends a word's piece, else it begins one
 * @param unkSurface the text of the unknown piece
 * @param charsMap the table that normalises; empty for none
 * @param addDummyPrefix whether a text begins with a space of its own
 * @param removeExtraSpaces whether spaces at the ends, and behind spaces, are left out
 * @param escapeSpaces whether a space is written as U+2581
 */
record SentencePieceModel(
    Path file,
    List<Piece> pieces,
    Algorithm algorithm,
    int unkId,
    boolean byteFallback,
    boolean suffixSpace,
    String unkSurface,
    byte[] charsMap,
    boolean addDummyPrefix,
    boolean removeExtraSpaces,
    boolean escapeSpaces) {

  /** What a piece is for. */
  enum Type {
    NORMAL,
    UNKNOWN,
    CONTROL,
    USER_DEFINED,
    UNUSED,
    BYTE
  }

  /** A piece of text, or a token that no text becomes. */
  record Piece(String text, float score, Type type) {
    /** Whether a text's characters may become it. */
    boolean isText() {
      return type == Type.NORMAL || type == Type.USER_DEFINED || type == Type.UNUSED;
    }
  }

  /** How a text becomes pieces. */
  enum Algorithm {
    UNIGRAM,
    BPE
  }

  /** The piece of an id. */
  Piece piece(int id) {
    return pieces.get(id);
  }

  /**
   * Reads one.
   *
   * @throws IOException if it cannot be read
   * @throws TokenizerException where it is no such file, with the byte
   */
  static SentencePieceModel read(Path file) throws IOException {
    byte[] bytes = Files.readAllBytes(file);
    if (LfsPointer.is(bytes)) {
      throw new TokenizerException(LfsPointer.told(file));
    }
    return new Reader(file, ByteBuffer.wrap(bytes).order(ByteOrder.LITTLE_ENDIAN)).model();
  }

  private static final class Reader {
    private static final int VARINT = 0;
    private static final int EIGHT_BYTES = 1;
    private static final int BYTES = 2;
    private static final int FOUR_BYTES = 5;

    private final Path file;
    private final ByteBuffer in;
    private final List<Piece> pieces = new ArrayList<>();
    private long algorithm = 1;
    private long unkId;
    private boolean byteFallback;
    private boolean suffixSpace;
    private String unkSurface = " \u2047 ";
    private byte[] charsMap = new byte[0];
    private boolean addDummyPrefix = true;
    private boolean removeExtraSpaces = true;
    private boolean escapeSpaces = true;

    Reader(Path file, ByteBuffer in) {
      this.file = file;
      this.in = in;
    }

    SentencePieceModel model() {
      fields(
          in.limit(),
          (field, kind) -> {
            switch (field) {
              case 1 -> piece(message(kind));
              case 2 -> trainer(message(kind));
              case 3 -> normalizer(message(kind));
              default -> skip(kind);
            }
          });
      if (pieces.isEmpty()) {
        throw new TokenizerException(
            file + ": has no pieces: expected the protobuf message of a SentencePiece model");
      }
      if (algorithm != 1 && algorithm != 2) {
        throw new TokenizerException(
            "%s: trainer_spec.model_type is %s, expected 1 (unigram) or 2 (BPE)"
                .formatted(file, algorithm == 3 ? "3 (words)" : "4 (characters)"));
      }
      if (unkId < 0 || unkId >= pieces.size()) {
        throw new TokenizerException(
            "%s: trainer_spec.unk_id is %d, expected one of %d pieces"
                .formatted(file, unkId, pieces.size()));
      }
      return new SentencePieceModel(
          file,
          List.copyOf(pieces),
          algorithm == 1 ? Algorithm.UNIGRAM : Algorithm.BPE,
          (int) unkId,
          byteFallback,
          suffixSpace,
          unkSurface,
          charsMap,
          addDummyPrefix,
          removeExtraSpaces,
          escapeSpaces);
    }

    private interface Field {
      void read(int field, int kind);
    }

    /** Reads the fields up to {@code end}. */
    private void fields(int end, Field each) {
      while (in.position() < end) {
        int at = in.position();
        long tag = varint();
        int field = (int) (tag >>> 3);
        if (tag >>> 32 != 0 || field == 0) {
          throw wrong(at, "field %d, expected the number of one".formatted(field));
        }
        each.read(field, (int) tag & 7);
        if (in.position() > end) {
          throw wrong(at, "field %d goes on behind its message, which ends at %d", field, end);
        }
      }
    }

    private void piece(int end) {
      int at = in.position();
      String[] text = {null};
      float[] score = {0};
      long[] type = {1};
      fields(
          end,
          (field, kind) -> {
            switch (field) {
              case 1 -> text[0] = text(kind);
              case 2 -> score[0] = number(kind);
              case 3 -> type[0] = integer(kind);
              default -> skip(kind);
            }
          });
      if (text[0] == null || type[0] < 1 || type[0] > Type.values().length) {
        throw wrong(
            at,
            text[0] == null
                ? "piece %d has no text".formatted(pieces.size())
                : "piece %d has the type %d, expected 1 to 6".formatted(pieces.size(), type[0]));
      }
      if (!Float.isFinite(score[0])) {
        throw wrong(at, "piece %d has the score %s", pieces.size(), score[0]);
      }
      pieces.add(new Piece(text[0], score[0], Type.values()[(int) type[0] - 1]));
    }

    private void trainer(int end) {
      fields(
          end,
          (field, kind) -> {
            switch (field) {
              case 3 -> algorithm = integer(kind);
              case 24 -> suffixSpace = integer(kind) != 0;
              case 35 -> byteFallback = integer(kind) != 0;
              case 40 -> unkId = integer(kind);
              case 44 -> unkSurface = text(kind);
              default -> skip(kind);
            }
          });
    }

    private void normalizer(int end) {
      fields(
          end,
          (field, kind) -> {
            switch (field) {
              case 2 -> charsMap = bytes(kind);
              case 3 -> addDummyPrefix = integer(kind) != 0;
              case 4 -> removeExtraSpaces = integer(kind) != 0;
              case 5 -> escapeSpaces = integer(kind) != 0;
              default -> skip(kind);
            }
          });
    }

    private long varint() {
      int at = in.position();
      long value = 0;
      for (int shift = 0; shift < 64; shift += 7) {
        need(1, at);
        byte next = in.get();
        value |= (long) (next & 0x7f) << shift;
        if (next >= 0) {
          return value;
        }
      }
      throw wrong(at, "a number of more than 10 bytes");
    }

    private long integer(int kind) {
      require(VARINT, kind);
      return varint();
    }

    private float number(int kind) {
      require(FOUR_BYTES, kind);
      need(Float.BYTES, in.position());
      return in.getFloat();
    }

    /** Where the message that comes ends. */
    private int message(int kind) {
      require(BYTES, kind);
      int at = in.position();
      long length = varint();
      if (length < 0 || length > in.remaining()) {
        throw wrong(
            at,
            "a length of %s, but %d bytes are left",
            Long.toUnsignedString(length),
            in.remaining());
      }
      return in.position() + (int) length;
    }

    private byte[] bytes(int kind) {
      byte[] bytes = new byte[message(kind) - in.position()];
      in.get(bytes);
      return bytes;
    }

    private String text(int kind) {
      int at = in.position();
      byte[] bytes = bytes(kind);
      try {
        return StandardCharsets.UTF_8.newDecoder().decode(ByteBuffer.wrap(bytes)).toString();
      } catch (CharacterCodingException e) {
        throw wrong(at, "a text that is not UTF-8");
      }
    }

    private void skip(int kind) {
      int at = in.position();
      switch (kind) {
        case VARINT -> varint();
        case BYTES -> in.position(message(kind));
        case FOUR_BYTES, EIGHT_BYTES -> {
          int count = kind == FOUR_BYTES ? Integer.BYTES : Long.BYTES;
          need(count, at);
          in.position(at + count);
        }
        default -> throw wrong(at, "a field of wire type %d, expected 0, 1, 2 or 5", kind);
      }
    }

    private void require(int expected, int kind) {
      if (kind != expected) {
        throw wrong(in.position(), "a field of wire type %d, expected %d", kind, expected);
      }
    }

    private void need(int count, int at) {
      if (in.remaining() < count) {
        throw wrong(at, "the file ends here, expected %d more bytes", count - in.remaining());
      }
    }

    private TokenizerException wrong(int at, String what, Object... values) {
      return new TokenizerException(
          "%s: byte %d: %s; is it a SentencePiece model?"
              .formatted(file, at, what.formatted(values)));
    }
  }
}
