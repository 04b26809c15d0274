package dev.gatun.test.packaging;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Map;
import org.junit.jupiter.api.Test;

/**
 * Kernels are passed the ordinals of Java's enums: the enums of the C++ and CUDA headers have the
 * same constants, in the same order.
 */
final class EnumNumbersTest {
  @Test
  void headers_have_the_constants_of_java() throws IOException {
    Map<Path, String> files = EnumHeaders.written(Path.of(".."));
    for (Map.Entry<Path, String> file : files.entrySet()) {
      assertEquals(
          file.getValue(),
          Files.readString(file.getKey()),
          file.getKey()
              + " is not what Java's enums make of it: ./gatun dev declarations writes it");
    }
    String all = String.join("\n", files.values());
    EnumHeaders.names()
        .forEach(
            name ->
                assertTrue(
                    all.contains("} " + name + ";") || all.contains("enum " + name + " : int {"),
                    name + " is in no header: expected of EnumHeaders only what is"));
  }

  @Test
  void constants_that_differ_are_written_with_their_comments() {
    assertEquals(
        """
        typedef enum {
          GATUN_REDUCTION_SUM = 0,
          // of any
          GATUN_REDUCTION_MEAN = 1,  // by count
          GATUN_REDUCTION_MAX = 2,
          GATUN_REDUCTION_MIN = 3,
        } gatun_reduction;
        """,
        EnumHeaders.c(
            """
            typedef enum {
              // of any
              GATUN_REDUCTION_MEAN = 0,  // by count
              GATUN_REDUCTION_PRODUCT = 1,
              GATUN_REDUCTION_MIN = 2,
            } gatun_reduction;
            """));
    assertEquals(
        "enum Causal : int { kNotCausal, kTopLeft, kBottomRight };",
        EnumHeaders.cuda("enum Causal : int { kNotCausal, kBottomRight };"));
    assertEquals(
        "enum Scales : int { kScaleF32, kScaleF16, kScaleF16Zero, kScaleF32Min, kScaleF32Sum, "
            + "kScaleF16Min, kScaleF16Byte, kScaleF16ByteMin };",
        EnumHeaders.cuda("enum Scales : int {\n  kScaleF16,\n  kScaleF32\n};"));
  }

  @Test
  void features_are_bits() {
    String written = EnumHeaders.c("typedef enum {\n} gatun_feature;");
    assertTrue(written.contains("GATUN_FEATURE_AVX2 = 1,\n  GATUN_FEATURE_FMA = 2,\n"), written);
    assertTrue(written.contains("GATUN_FEATURE_AMX_INT8 = 4096,\n"), written);
  }

  @Test
  void an_enum_that_java_does_not_have_is_refused() {
    assertThrows(
        IllegalArgumentException.class, () -> EnumHeaders.c("typedef enum {\n} gatun_other;"));
    assertThrows(
        IllegalArgumentException.class, () -> EnumHeaders.cuda("enum Other : int { kOne };"));
    assertThrows(
        IllegalArgumentException.class,
        () -> EnumHeaders.cuda("enum Causal : int { kNotCausal = 1 };"));
  }
}
