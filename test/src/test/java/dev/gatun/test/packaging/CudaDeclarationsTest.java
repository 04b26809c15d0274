package dev.gatun.test.packaging;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;

/** Java sets the fields of the structures that CUDA's kernels take as {@code cuda-src} has them. */
final class CudaDeclarationsTest {
  private static final String HEADER =
      """
      constexpr int kOther = 2, kAxes = 3;

      struct Steps {
        long row, head;

        __device__ int at(long i) const { return i; }
      };

      // What a call is.
      struct Call {
        const void* x;  // or null
        unsigned long long* found;
        Steps from;
        long sizes[2][kAxes], count;
        uint32_t bits;
        float scale, numbers[4];
      };
      """;

  private static final String SOURCE =
      """
      struct Item {
        float* of;
      };

      struct Items {
        Item of[16];
      };

      // kernels.list: first 256 p{Call}i{Items} 0
      // kernels.list: second 256 {TensorMap}{Call}
      """;

  private static String written(String header, String source) {
    return CudaDeclarations.written(
        Map.of("include/call.h", "\n" + header, "rows/first.cu", "\n" + source),
        List.of("include/call.h kAxes"),
        Map.of("Steps", "include/call.h"));
  }

  @Test
  void declarations_are_those_of_the_kernels() throws IOException {
    assertEquals(
        CudaDeclarations.written(Path.of("..")),
        Files.readString(Path.of("..").resolve(CudaDeclarations.FILE)),
        "not what cuda-src makes of it: ./gatun dev declarations writes it");
  }

  @Test
  void fields_are_those_of_the_structures_that_kernels_take() {
    String written = written(HEADER, SOURCE);
    String declared = written.substring(written.indexOf("final class"));
    assertEquals(
        """
        final class Declarations {
          /** {@code kAxes} of {@code include/call.h}. */
          static final int CALL_AXES = 3;

          private Declarations() {}

          /** Of {@code include/call.h}. */
          static final class Call {
            static final Struct STRUCT = new Struct("Call");
            static final AddressField X = STRUCT.address("x", 1);
            static final AddressField FOUND = STRUCT.address("found", 1);
            static final LongField FROM_ROW = STRUCT.number("from_row", 1);
            static final LongField FROM_HEAD = STRUCT.number("from_head", 1);
            static final LongField SIZES = STRUCT.number("sizes", 6);
            static final LongField COUNT = STRUCT.number("count", 1);
            static final IntField BITS = STRUCT.integer("bits", 1);
            static final FloatField SCALE = STRUCT.real("scale", 1);
            static final FloatField NUMBERS = STRUCT.real("numbers", 4);

            private Call() {}
          }

          /** Of {@code rows/first.cu}. */
          static final class Item {
            static final Struct STRUCT = new Struct("Item");
            static final AddressField OF = STRUCT.address("of", 1);

            private Item() {}
          }

          /** Of {@code rows/first.cu}. */
          static final class Items {
            static final Struct STRUCT = new Struct("Items", Item.STRUCT, 16);

            private Items() {}
          }

          /** Of {@code include/call.h}. */
          static final class Steps {
            static final Struct STRUCT = new Struct("Steps");
            static final LongField ROW = STRUCT.number("row", 1);
            static final LongField HEAD = STRUCT.number("head", 1);

            private Steps() {}
          }
        }
        """,
        declared);
  }

  @Test
  void what_java_cannot_set_is_refused() {
    assertRefused("no header declares struct bool", HEADER.replace("uint32_t", "bool"), SOURCE);
    assertRefused("no number that is called kMost", HEADER.replace("[kAxes]", "[kMost]"), SOURCE);
    assertRefused(
        "\"Steps from[2]\" is a list", HEADER.replace("Steps from", "Steps from[2]"), SOURCE);
    assertRefused("\"long& count\"", HEADER.replace("uint32_t bits", "long& count"), SOURCE);
    assertRefused("\"bits : 3\"", HEADER.replace("bits", "bits : 3"), SOURCE);
    assertRefused("no header declares struct Lost", HEADER, SOURCE.replace("{Call}", "{Lost}"));
    assertRefused(
        "no number that is called kAxes", HEADER.replace("constexpr int", "extern int"), SOURCE);
  }

  @Test
  void a_name_is_one_structure() {
    String other = SOURCE + "struct Call {\n  long count;\n};\n";
    IllegalArgumentException refused =
        assertThrows(
            IllegalArgumentException.class,
            () ->
                CudaDeclarations.written(
                    Map.of(
                        "call.h",
                        "\n" + HEADER,
                        "first.cu",
                        "\n" + SOURCE,
                        "other.cu",
                        "\n" + other),
                    List.of(),
                    Map.of()));
    assertTrue(refused.getMessage().contains("Call of other.cu"), refused.getMessage());
  }

  private static void assertRefused(String message, String header, String source) {
    IllegalArgumentException refused =
        assertThrows(IllegalArgumentException.class, () -> written(header, source));
    assertTrue(refused.getMessage().contains(message), refused.getMessage());
  }
}
