package dev.gatun.weights.torch;

import dev.gatun.weights.WeightsException;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.util.LinkedHashMap;
import java.util.Map;

/**
 * The records of a zip archive, by APPNOTE.TXT of PKWARE, 4.3: mapped, none of them unpacked.
 * Whatever its directory says is checked against the bytes that are there.
 */
final class TorchArchive {
  private static final ValueLayout.OfShort U16 =
      ValueLayout.JAVA_SHORT_UNALIGNED.withOrder(ByteOrder.LITTLE_ENDIAN);
  private static final ValueLayout.OfInt U32 =
      ValueLayout.JAVA_INT_UNALIGNED.withOrder(ByteOrder.LITTLE_ENDIAN);
  private static final ValueLayout.OfLong U64 =
      ValueLayout.JAVA_LONG_UNALIGNED.withOrder(ByteOrder.LITTLE_ENDIAN);

  private static final int END = 0x06054b50;
  private static final int END_BYTES = 22;
  private static final int END_64 = 0x06064b50;
  private static final int END_64_BYTES = 56;
  private static final int LOCATOR = 0x07064b50;
  private static final int LOCATOR_BYTES = 20;
  private static final int ENTRY = 0x02014b50;
  private static final int ENTRY_BYTES = 46;
  private static final int LOCAL = 0x04034b50;
  private static final int LOCAL_BYTES = 30;
  private static final int MOST_COMMENT = 0xffff;
  private static final long IN_EXTRA = 0xffffffffL;

  /**
   * A record of the directory.
   *
   * @param method 0 for bytes as they are
   * @param begin of its local header
   * @param bytes of it in the file
   */
  private record Slot(int method, int flags, long begin, long bytes, long unpacked) {}

  private final MemorySegment file;
  private final String source;
  private final Map<String, Slot> slots = new LinkedHashMap<>();
  private final String folder;

  /**
   * Reads the directory.
   *
   * @throws WeightsException if it is damaged, or if there are two records of one name
   */
  TorchArchive(MemorySegment file, String source) {
    this.file = file;
    this.source = source;
    long end = end();
    long count = u16(end + 10);
    long bytes = u32(end + 12);
    long begin = u32(end + 16);
    if (end >= LOCATOR_BYTES && int32(end - LOCATOR_BYTES) == LOCATOR) {
      long large = int64(end - LOCATOR_BYTES + 8);
      if (int32(within(large, END_64_BYTES)) != END_64) {
        throw damaged("the directory's end of 64 bits is not where it should be");
      }
      count = int64(large + 32);
      bytes = int64(large + 40);
      begin = int64(large + 48);
    }
    within(begin, bytes);
    if (count < 0 || count > bytes / ENTRY_BYTES) {
      throw damaged("a directory of %d bytes has %d records".formatted(bytes, count));
    }
    long at = begin;
    for (long i = 0; i < count; i++) {
      at = entry(at, begin + bytes);
    }
    this.folder = folder();
  }

  private WeightsException damaged(String what) {
    return new WeightsException("%s: %s; the zip archive is damaged".formatted(source, what));
  }

  /** Where the record that ends the directory is: in the last bytes, before a comment. */
  private long end() {
    long size = file.byteSize();
    for (long at = size - END_BYTES; at >= Math.max(0, size - END_BYTES - MOST_COMMENT); at--) {
      if (int32(at) == END && u16(at + 20) == size - at - END_BYTES) {
        return at;
      }
    }
    throw damaged("there is no directory at its end");
  }

  private long entry(long at, long end) {
    if (end - at < ENTRY_BYTES || int32(at) != ENTRY) {
      throw damaged("record %d of its directory is none".formatted(slots.size()));
    }
    int nameBytes = u16(at + 28);
    int extraBytes = u16(at + 30);
    long next = at + ENTRY_BYTES + nameBytes + extraBytes + u16(at + 32);
    if (next > end) {
      throw damaged("record %d goes beyond its directory".formatted(slots.size()));
    }
    String name = text(at + ENTRY_BYTES, nameBytes);
    long unpacked = u32(at + 24);
    long bytes = u32(at + 20);
    long begin = u32(at + 42);
    if (unpacked == IN_EXTRA || bytes == IN_EXTRA || begin == IN_EXTRA) {
      long extra = large(at + ENTRY_BYTES + nameBytes, extraBytes, name);
      long left = u16(extra - 2);
      long[] values = {unpacked, bytes, begin};
      for (int i = 0; i < values.length; i++) {
        if (values[i] == IN_EXTRA) {
          if (left < Long.BYTES) {
            throw damaged("record %s has no size of 64 bits".formatted(name));
          }
          values[i] = int64(extra);
          extra += Long.BYTES;
          left -= Long.BYTES;
        }
      }
      unpacked = values[0];
      bytes = values[1];
      begin = values[2];
    }
    Slot slot = new Slot(u16(at + 10), u16(at + 8), begin, bytes, unpacked);
    if (slots.put(name, slot) != null) {
      throw damaged("two records are called %s".formatted(name));
    }
    return next;
  }

  /** Where the numbers of 64 bits of a record begin, behind their length. */
  private long large(long at, long bytes, String name) {
    long end = at + bytes;
    while (end - at >= 4) {
      long length = u16(at + 2);
      if (length > end - at - 4) {
        break;
      }
      if (u16(at) == 1) {
        return at + 4;
      }
      at += 4 + length;
    }
    throw damaged("record %s has no size of 64 bits".formatted(name));
  }

  /** What all records are in: PyTorch names it after the file. */
  private String folder() {
    String found = null;
    for (String name : slots.keySet()) {
      if (name.endsWith("/data.pkl") && name.indexOf('/') == name.length() - 9) {
        if (found != null) {
          throw damaged("it has data.pkl twice");
        }
        found = name.substring(0, name.length() - 8);
      }
    }
    if (found == null) {
      throw new WeightsException(
          "%s: a zip archive without data.pkl, expected what torch.save or torch.jit.save writes"
              .formatted(source));
    }
    return found;
  }

  boolean has(String name) {
    return slots.containsKey(folder + name);
  }

  /**
   * A record's bytes.
   *
   * @throws WeightsException if there is none, if it is compressed, or if it is not where the
   *     directory says
   */
  MemorySegment record(String name) {
    Slot slot = slots.get(folder + name);
    if (slot == null) {
      throw damaged("record %s%s is missing".formatted(folder, name));
    }
    if (slot.method() != 0 || (slot.flags() & 1) != 0 || slot.bytes() != slot.unpacked()) {
      throw damaged(
          "record %s%s is compressed or encrypted, expected bytes as they are"
              .formatted(folder, name));
    }
    long at = within(slot.begin(), LOCAL_BYTES);
    int nameBytes = u16(at + 26);
    if (int32(at) != LOCAL || !text(at + LOCAL_BYTES, nameBytes).equals(folder + name)) {
      throw damaged("record %s%s is not where its directory says".formatted(folder, name));
    }
    long data = at + LOCAL_BYTES + nameBytes + u16(at + 28);
    return file.asSlice(within(data, slot.bytes()), slot.bytes());
  }

  private long within(long at, long bytes) {
    if (at < 0 || bytes < 0 || at > file.byteSize() - bytes) {
      throw damaged("%d bytes at %d are beyond its %d".formatted(bytes, at, file.byteSize()));
    }
    return at;
  }

  private int u16(long at) {
    return Short.toUnsignedInt(file.get(U16, within(at, 2)));
  }

  private int int32(long at) {
    return file.get(U32, within(at, 4));
  }

  private long u32(long at) {
    return Integer.toUnsignedLong(int32(at));
  }

  private long int64(long at) {
    return file.get(U64, within(at, 8));
  }

  private String text(long at, int bytes) {
    byte[] name = file.asSlice(within(at, bytes), bytes).toArray(ValueLayout.JAVA_BYTE);
    return new String(name, StandardCharsets.UTF_8);
  }
}
