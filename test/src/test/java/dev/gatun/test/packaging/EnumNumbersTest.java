package dev.gatun.test.packaging;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;

import dev.gatun.kernels.api.call.attention.Causal;
import dev.gatun.kernels.api.call.elementwise.Activation;
import dev.gatun.kernels.api.call.elementwise.BinaryOp;
import dev.gatun.kernels.api.call.elementwise.Comparison;
import dev.gatun.kernels.api.call.elementwise.UnaryOp;
import dev.gatun.kernels.api.call.matmul.QuantizedActivations;
import dev.gatun.kernels.api.call.optim.UpdateFormula;
import dev.gatun.kernels.api.call.reduction.PoolingMode;
import dev.gatun.kernels.api.call.reduction.Reduction;
import dev.gatun.kernels.api.call.reduction.ScanOp;
import dev.gatun.kernels.api.memory.BlockFormat;
import dev.gatun.kernels.api.memory.PackedLayout;
import dev.gatun.kernels.cpu.CpuFeature;
import dev.gatun.kernels.cpu.CpuLevel;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Set;
import java.util.TreeSet;
import java.util.function.Function;
import java.util.regex.MatchResult;
import java.util.regex.Pattern;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;

/**
 * Kernels are passed the ordinals of Java's enums: the enums of the C++ headers have the same
 * constants, in the same order.
 */
final class EnumNumbersTest {
  private static final Path CPU = Path.of("../kernels/cpu/src/main/cpp/include/gatun_cpu.h");
  private static final Path CUDA = Path.of("../cuda-src");

  /** Of gatun_cpu.h, by the names there. */
  private static final Map<String, Class<? extends Enum<?>>> OF_CPU =
      Map.ofEntries(
          Map.entry("gatun_level", CpuLevel.class),
          Map.entry("gatun_feature", CpuFeature.class),
          Map.entry("gatun_activation", Activation.class),
          Map.entry("gatun_blocks", BlockFormat.Kind.class),
          Map.entry("gatun_scales", PackedLayout.Scales.class),
          Map.entry("gatun_activations", QuantizedActivations.class),
          Map.entry("gatun_binary_op", BinaryOp.class),
          Map.entry("gatun_comparison", Comparison.class),
          Map.entry("gatun_unary_op", UnaryOp.class),
          Map.entry("gatun_reduction", Reduction.class),
          Map.entry("gatun_scan_op", ScanOp.class),
          Map.entry("gatun_update", UpdateFormula.class),
          Map.entry("gatun_pooling_mode", PoolingMode.class),
          Map.entry("gatun_causal", Causal.class));

  /** Those that Java writes out. */
  private static final Set<String> NOT_ORDINALS = Set.of("gatun_status", "gatun_dtype");

  /** Of cuda-src. */
  private static final Map<String, Class<? extends Enum<?>>> OF_CUDA =
      Map.ofEntries(
          Map.entry("Comparison", Comparison.class),
          Map.entry("Activation", Activation.class),
          Map.entry("BinaryOp", BinaryOp.class),
          Map.entry("UnaryOp", UnaryOp.class),
          Map.entry("Causal", Causal.class),
          Map.entry("Scales", PackedLayout.Scales.class),
          Map.entry("BlockKind", BlockFormat.Kind.class),
          Map.entry("Reduction", Reduction.class),
          Map.entry("ScanOp", ScanOp.class),
          Map.entry("UpdateFormula", UpdateFormula.class),
          Map.entry("Pooling", PoolingMode.class));

  private static final Set<String> NOT_OF_JAVA = Set.of("DType", "Swizzle", "Bound");

  @Test
  void the_cpu_header_numbers_enums_as_java_does() throws IOException {
    Set<String> found = new TreeSet<>();
    for (MatchResult e :
        Pattern.compile("typedef enum \\{(.*?)\\} (\\w+);", Pattern.DOTALL)
            .matcher(Files.readString(CPU))
            .results()
            .toList()) {
      String name = e.group(2);
      found.add(name);
      if (NOT_ORDINALS.contains(name)) {
        continue;
      }
      List<String> constants = constants(OF_CPU.get(name), name);
      List<MatchResult> entries =
          Pattern.compile("(GATUN_\\w+) = (\\d+)").matcher(e.group(1)).results().toList();
      assertEquals(constants.size(), entries.size(), name);
      for (int i = 0; i < constants.size(); i++) {
        assertEquals(
            (name.equals("gatun_feature") ? 1 << i : i),
            Integer.parseInt(entries.get(i).group(2)),
            name);
        // gatun_pooling_mode has the names GATUN_POOL_...
        String expected = "_" + constants.get(i);
        assertEquals(expected, entries.get(i).group(1).substring(prefix(entries).length()), name);
      }
    }
    Set<String> known = new TreeSet<>(OF_CPU.keySet());
    known.addAll(NOT_ORDINALS);
    assertEquals(known, found, "enums of " + CPU);
  }

  @Test
  void the_cuda_headers_number_enums_as_java_does() throws IOException {
    Set<String> found = new TreeSet<>();
    try (Stream<Path> files = Files.walk(CUDA)) {
      for (Path file : files.filter(f -> f.toString().matches(".*\\.(h|cu)")).sorted().toList()) {
        for (MatchResult e :
            Pattern.compile("enum (\\w+) : int \\{(.*?)\\};", Pattern.DOTALL)
                .matcher(Files.readString(file))
                .results()
                .toList()) {
          String name = e.group(1);
          found.add(name);
          if (!NOT_OF_JAVA.contains(name)) {
            check(name, e.group(2), file);
          }
        }
      }
    }
    Set<String> known = new TreeSet<>(OF_CUDA.keySet());
    known.addAll(NOT_OF_JAVA);
    assertEquals(known, found, "enums of " + CUDA);
  }

  private static void check(String name, String body, Path file) {
    assertFalse(body.contains("="), file + ": " + name + " numbers its constants itself");
    // kScaleF32 of Scales, kNotCausal of Causal.
    Function<String, String> plain =
        c -> c.replaceFirst("^k(Scale(?=F))?", "").replace("NotCausal", "None");
    List<String> got =
        Pattern.compile("\\bk\\w+")
            .matcher(body)
            .results()
            .map(m -> letters(plain.apply(m.group())))
            .toList();
    List<String> expected =
        constants(OF_CUDA.get(name), name).stream().map(EnumNumbersTest::letters).toList();
    assertEquals(expected, got, file + ": " + name);
  }

  private static List<String> constants(Class<? extends Enum<?>> type, String name) {
    assertFalse(type == null, name + " is an enum without one of Java's: name it here");
    List<String> names = new ArrayList<>();
    for (Enum<?> constant : type.getEnumConstants()) {
      names.add(constant.name());
    }
    return names;
  }

  /** What the names of an enum begin with, up to the last underscore that all have in common. */
  private static String prefix(List<MatchResult> entries) {
    String prefix = entries.getFirst().group(1);
    for (MatchResult entry : entries) {
      while (!entry.group(1).startsWith(prefix + "_")) {
        prefix = prefix.substring(0, prefix.lastIndexOf('_'));
      }
    }
    return prefix;
  }

  private static String letters(String name) {
    return name.replace("_", "").toLowerCase(Locale.ROOT);
  }
}
