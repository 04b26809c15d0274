package dev.gatun.cli;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;

import java.nio.charset.StandardCharsets;
import org.junit.jupiter.api.Test;

class Utf8Test {
  @Test
  void decodesAndDropsTheByteOrderMark() throws Exception {
    assertEquals(
        "Gat\u00fan", Utf8.decode("f", "\uFEFFGat\u00fan".getBytes(StandardCharsets.UTF_8)));
  }

  @Test
  void namesTheOffset() {
    byte[] bytes = {'a', (byte) 0xc3, (byte) 0xba, (byte) 0xff, 'b'};
    assertEquals(
        "f: not UTF-8: byte 0xff at offset 3",
        assertThrows(MalformedTextException.class, () -> Utf8.decode("f", bytes)).getMessage());
  }

  @Test
  void seesACharacterThatIsCutOff() {
    byte[] bytes = {'a', (byte) 0xe2, (byte) 0x82};
    assertEquals(
        "f: not UTF-8: byte 0xe2 at offset 1",
        assertThrows(MalformedTextException.class, () -> Utf8.decode("f", bytes)).getMessage());
  }
}
