package dev.gatun.cli;

import java.io.ByteArrayInputStream;
import java.io.ByteArrayOutputStream;
import java.io.DataInputStream;
import java.io.DataOutputStream;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;

/**
 * How an index lies in a file, big-endian: the eight bytes {@code GATUNIDX}, the version as int,
 * the model's fingerprint, the number of files, the files; at the end the SHA-256 of all before it.
 * A text is its count of UTF-8 bytes and the bytes. A file is path, size, time of modification,
 * digest and the number of passages; a passage is first line, last line, text, the vector's
 * dimension and its floats.
 */
final class IndexFormat {
  static final int VERSION = 1;

  private static final byte[] MAGIC = "GATUNIDX".getBytes(StandardCharsets.US_ASCII);
  private static final int DIGEST = 32;

  /**
   * What an index holds.
   *
   * @param version how it was written
   * @param fingerprint the model that made the vectors
   * @param files what is kept; empty when the version is another one
   */
  record Content(int version, String fingerprint, List<IndexedFile> files) {}

  private IndexFormat() {}

  static byte[] write(String fingerprint, Iterable<IndexedFile> files) throws IOException {
    ByteArrayOutputStream bytes = new ByteArrayOutputStream();
    DataOutputStream out = new DataOutputStream(bytes);
    out.write(MAGIC);
    out.writeInt(VERSION);
    writeText(out, fingerprint);
    List<IndexedFile> all = new ArrayList<>();
    files.forEach(all::add);
    out.writeInt(all.size());
    for (IndexedFile file : all) {
      writeFile(out, file);
    }
    out.write(Digests.sha256(bytes.toByteArray()));
    return bytes.toByteArray();
  }

  /**
   * Reads what {@link #write} wrote.
   *
   * @throws ForeignIndexException when the bytes were never an index
   * @throws DamagedIndexException when they are no longer one
   */
  static Content read(byte[] bytes) throws IOException {
    if (bytes.length < MAGIC.length
        || !Arrays.equals(bytes, 0, MAGIC.length, MAGIC, 0, MAGIC.length)) {
      throw new ForeignIndexException();
    }
    int length = bytes.length - DIGEST;
    if (length < MAGIC.length + Integer.BYTES) {
      throw new DamagedIndexException("cut off at byte " + bytes.length);
    }
    byte[] found = Arrays.copyOfRange(bytes, length, bytes.length);
    if (!Arrays.equals(found, Digests.sha256(Arrays.copyOf(bytes, length)))) {
      throw new DamagedIndexException(
          "its %d bytes do not have the checksum at offset %d".formatted(bytes.length, length));
    }
    DataInputStream in =
        new DataInputStream(new ByteArrayInputStream(bytes, MAGIC.length, length - MAGIC.length));
    int version = in.readInt();
    if (version != VERSION) {
      return new Content(version, "", List.of());
    }
    String fingerprint = readText(in);
    int count = in.readInt();
    List<IndexedFile> files = new ArrayList<>();
    for (int i = 0; i < count; i++) {
      files.add(readFile(in));
    }
    return new Content(version, fingerprint, files);
  }

  private static void writeFile(DataOutputStream out, IndexedFile file) throws IOException {
    writeText(out, file.path());
    out.writeLong(file.size());
    out.writeLong(file.modified());
    writeText(out, file.digest());
    out.writeInt(file.passages().size());
    for (EmbeddedPassage kept : file.passages()) {
      out.writeInt(kept.passage().firstLine());
      out.writeInt(kept.passage().lastLine());
      writeText(out, kept.passage().text());
      out.writeInt(kept.vector().length);
      for (float value : kept.vector()) {
        out.writeFloat(value);
      }
    }
  }

  private static IndexedFile readFile(DataInputStream in) throws IOException {
    String path = readText(in);
    long size = in.readLong();
    long modified = in.readLong();
    String digest = readText(in);
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
    return new IndexedFile(path, size, modified, digest, passages);
  }

  private static void writeText(DataOutputStream out, String text) throws IOException {
    byte[] bytes = text.getBytes(StandardCharsets.UTF_8);
    out.writeInt(bytes.length);
    out.write(bytes);
  }

  private static String readText(DataInputStream in) throws IOException {
    return new String(in.readNBytes(in.readInt()), StandardCharsets.UTF_8);
  }
}
