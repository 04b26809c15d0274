package dev.gatun.cli;

import java.io.ByteArrayInputStream;
import java.io.ByteArrayOutputStream;
import java.io.DataInputStream;
import java.io.DataOutputStream;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.zip.CRC32C;

/**
 * How an index lies in a file, big-endian: the eight bytes {@code GATUNIDX}, the version as int and
 * the checksum of these twelve bytes; then records, which are only ever added. A record is its kind
 * and the length of its content as ints, their checksum, the content, and the content's checksum.
 * Checksums are CRC-32C, a text is its count of UTF-8 bytes and the bytes.
 *
 * <ul>
 *   <li>MODEL: the fingerprint of the model that made all vectors; the first record.
 *   <li>FILE: path, size, time of modification and digest of a file whose passages follow; what was
 *       kept of it before counts no longer.
 *   <li>PASSAGES: a number of passages of the file of the last FILE or GO_ON; each is first line,
 *       last line, text, the vector's dimension and its floats.
 *   <li>END: the last file has no more passages.
 *   <li>GO_ON: the path of a file that has no END yet, whose passages go on.
 *   <li>STAMP: path and another time of modification of a file that is the same.
 *   <li>FORGET: the path of a file that counts no longer.
 * </ul>
 */
final class IndexFormat {
  static final int VERSION = 2;

  /** The version that had no checksum of its own. */
  private static final int FIRST_VERSION = 1;

  private static final byte[] MAGIC = "GATUNIDX".getBytes(StandardCharsets.US_ASCII);
  private static final int HEAD = 12;

  /** What a record says. */
  enum Kind {
    MODEL,
    FILE,
    PASSAGES,
    END,
    GO_ON,
    STAMP,
    FORGET
  }

  /**
   * A record.
   *
   * @param kind what it says
   * @param content what it says it of
   */
  record Entry(Kind kind, byte[] content) {
    static Entry of(Kind kind, Content writer) throws IOException {
      ByteArrayOutputStream bytes = new ByteArrayOutputStream();
      writer.write(new DataOutputStream(bytes));
      return new Entry(kind, bytes.toByteArray());
    }

    DataInputStream read() {
      return new DataInputStream(new ByteArrayInputStream(content));
    }

    /** How many bytes it has in the file. */
    long length() {
      return (long) HEAD + content.length + Integer.BYTES;
    }

    /** Its bytes in the file. */
    byte[] bytes() {
      ByteBuffer whole = ByteBuffer.allocate(Math.toIntExact(length()));
      whole.putInt(kind.ordinal()).putInt(content.length);
      whole.putInt(checksum(Arrays.copyOf(whole.array(), 2 * Integer.BYTES)));
      return whole.put(content).putInt(checksum(content)).array();
    }
  }

  /** What writes a record's content. */
  interface Content {
    void write(DataOutputStream out) throws IOException;
  }

  private IndexFormat() {}

  /** How many bytes precede the first record. */
  static long start() {
    return HEAD + Integer.BYTES;
  }

  /** What precedes the first record. */
  static byte[] head() {
    byte[] head = ByteBuffer.allocate(HEAD).put(MAGIC).putInt(VERSION).array();
    return ByteBuffer.allocate(HEAD + Integer.BYTES).put(head).putInt(checksum(head)).array();
  }

  /**
   * The version of an index.
   *
   * @throws ForeignIndexException when the bytes were never an index
   * @throws DamagedIndexException when they are no longer one
   */
  static int version(FileChannel file) throws IOException {
    byte[] magic = read(file, 0, MAGIC.length);
    if (!Arrays.equals(magic, MAGIC)) {
      throw new ForeignIndexException();
    }
    ByteBuffer head = ByteBuffer.wrap(read(file, 0, HEAD + Integer.BYTES));
    if (head.capacity() < HEAD + Integer.BYTES) {
      throw new DamagedIndexException("cut off at byte " + head.capacity());
    }
    int version = head.getInt(MAGIC.length);
    if (version != FIRST_VERSION
        && head.getInt(HEAD) != checksum(Arrays.copyOf(head.array(), HEAD))) {
      throw damaged(0);
    }
    return version;
  }

  /**
   * The record at an offset; null at the end of the file, and where the last one is not whole.
   *
   * @throws DamagedIndexException when it does not have its checksum
   */
  static Entry entry(FileChannel file, long offset) throws IOException {
    ByteBuffer head = ByteBuffer.wrap(read(file, offset, HEAD));
    if (head.capacity() < HEAD) {
      return null;
    }
    int kind = head.getInt();
    int length = head.getInt();
    if (head.getInt() != checksum(Arrays.copyOf(head.array(), 2 * Integer.BYTES))) {
      throw damaged(offset);
    }
    if (offset + HEAD + length + Integer.BYTES > file.size()) {
      return null;
    }
    byte[] content = read(file, offset + HEAD, length);
    int found = ByteBuffer.wrap(read(file, offset + HEAD + length, Integer.BYTES)).getInt();
    if (found != checksum(content)) {
      throw damaged(offset);
    }
    return new Entry(Kind.values()[kind], content);
  }

  static void writePassages(DataOutputStream out, List<EmbeddedPassage> passages)
      throws IOException {
    out.writeInt(passages.size());
    for (EmbeddedPassage kept : passages) {
      out.writeInt(kept.passage().firstLine());
      out.writeInt(kept.passage().lastLine());
      writeText(out, kept.passage().text());
      out.writeInt(kept.vector().length);
      for (float value : kept.vector()) {
        out.writeFloat(value);
      }
    }
  }

  static List<EmbeddedPassage> readPassages(DataInputStream in) throws IOException {
    int count = in.readInt();
    List<EmbeddedPassage> passages = new ArrayList<>();
    for (int i = 0; i < count; i++) {
      Passage passage = new Passage(in.readInt(), in.readInt(), readText(in));
      float[] vector = new float[in.readInt()];
      for (int j = 0; j < vector.length; j++) {
        vector[j] = in.readFloat();
      }
      passages.add(new EmbeddedPassage(passage, vector));
    }
    return passages;
  }

  static void writeText(DataOutputStream out, String text) throws IOException {
    byte[] bytes = text.getBytes(StandardCharsets.UTF_8);
    out.writeInt(bytes.length);
    out.write(bytes);
  }

  static String readText(DataInputStream in) throws IOException {
    return new String(in.readNBytes(in.readInt()), StandardCharsets.UTF_8);
  }

  /** Up to {@code length} bytes, fewer at the end of the file. */
  private static byte[] read(FileChannel file, long offset, int length) throws IOException {
    ByteBuffer bytes = ByteBuffer.allocate(Math.clamp(file.size() - offset, 0, length));
    while (bytes.hasRemaining()) {
      if (file.read(bytes, offset + bytes.position()) < 0) {
        throw new DamagedIndexException("cut off while it was read");
      }
    }
    return bytes.array();
  }

  private static DamagedIndexException damaged(long offset) {
    return new DamagedIndexException(
        "what begins at offset %d does not have its checksum".formatted(offset));
  }

  private static int checksum(byte[] bytes) {
    CRC32C crc = new CRC32C();
    crc.update(bytes);
    return (int) crc.getValue();
  }
}
