package dev.gatun.cli;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;

import java.io.ByteArrayInputStream;
import java.io.IOException;
import java.io.InputStream;
import java.io.StringWriter;
import java.nio.charset.StandardCharsets;
import java.util.Random;
import org.junit.jupiter.api.Test;

class Utf8ReaderTest {
  private static String read(InputStream in) throws IOException {
    StringWriter text = new StringWriter();
    try (Utf8Reader reader = new Utf8Reader("f", in)) {
      reader.transferTo(text);
    }
    return text.toString();
  }

  private static String read(byte... bytes) throws IOException {
    return read(new ByteArrayInputStream(bytes));
  }

  private static String refusal(byte... bytes) {
    return assertThrows(MalformedTextException.class, () -> read(bytes)).getMessage();
  }

  @Test
  void decodesAndDropsTheByteOrderMark() throws Exception {
    assertEquals("Gat\u00fan", read("\uFEFFGat\u00fan".getBytes(StandardCharsets.UTF_8)));
    assertEquals("", read("\uFEFF".getBytes(StandardCharsets.UTF_8)));
    assertEquals("", read());
    assertEquals("a\uFEFF", read("a\uFEFF".getBytes(StandardCharsets.UTF_8)));
  }

  @Test
  void namesTheOffset() {
    assertEquals(
        "f: not UTF-8: byte 0xff at offset 3",
        refusal((byte) 'a', (byte) 0xc3, (byte) 0xba, (byte) 0xff, (byte) 'b'));
    byte[] far = new byte[200_001];
    far[200_000] = (byte) 0xc0;
    assertEquals("f: not UTF-8: byte 0xc0 at offset 200000", refusal(far));
  }

  @Test
  void seesACharacterThatIsCutOff() {
    assertEquals(
        "f: not UTF-8: byte 0xe2 at offset 1", refusal((byte) 'a', (byte) 0xe2, (byte) 0x82));
  }

  @Test
  void decodesWhateverComesAtOnce() throws Exception {
    String text = "a\u00fa\u20ac\ud83d\ude00\n".repeat(20_000);
    byte[] bytes = text.getBytes(StandardCharsets.UTF_8);
    Random random = new Random(4);
    InputStream drops =
        new ByteArrayInputStream(bytes) {
          @Override
          public int read(byte[] to, int at, int length) {
            return super.read(to, at, Math.min(length, 1 + random.nextInt(1000)));
          }
        };
    assertEquals(text, read(drops));
  }
}
