package dev.gatun.test.packaging;

import dev.gatun.kernels.api.call.attention.Causal;
import dev.gatun.kernels.api.call.elementwise.Activation;
import dev.gatun.kernels.api.call.elementwise.BinaryOp;
import dev.gatun.kernels.api.call.elementwise.Comparison;
import dev.gatun.kernels.api.call.elementwise.RandomDistribution;
import dev.gatun.kernels.api.call.elementwise.UnaryOp;
import dev.gatun.kernels.api.call.matmul.QuantizedActivations;
import dev.gatun.kernels.api.call.optim.UpdateFormula;
import dev.gatun.kernels.api.call.reduction.PoolingMode;
import dev.gatun.kernels.api.call.reduction.Reduction;
import dev.gatun.kernels.api.call.reduction.ScanOp;
import dev.gatun.kernels.api.memory.BlockFormat;
import dev.gatun.kernels.api.memory.KernelDType;
import dev.gatun.kernels.api.memory.PackedLayout;
import dev.gatun.kernels.cpu.CpuFeature;
import dev.gatun.kernels.cpu.CpuLevel;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Set;
import java.util.regex.MatchResult;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Collectors;
import java.util.stream.Stream;

/**
 * Java's enums whose ordinals kernels are passed are the one list of their constants: this program
 * writes the enums of {@code gatun_cpu.h} and {@code cuda-src} by them. {@code ./gatun dev
 * declarations} starts it, in the repository's folder. An enum that has Java's constants already
 * stays as it is.
 */
final class EnumHeaders {
  private static final Pattern C =
      Pattern.compile("typedef enum \\{\n(.*?)\\} (\\w+);", Pattern.DOTALL);
  private static final Pattern C_CONSTANT =
      Pattern.compile("((?: *//[^\n]*\n)*) *(GATUN_\\w+) = (\\d+),([^\n]*)\n");
  private static final Pattern CUDA =
      Pattern.compile("enum (\\w+) : int \\{(.*?)\\};", Pattern.DOTALL);
  private static final Pattern CUDA_CONSTANT = Pattern.compile("\\bk\\w+");

  /**
   * An enum in C.
   *
   * @param prefix what the names of its constants begin with
   */
  private record OfC(String prefix, Class<? extends Enum<?>> type) {
    String name(Enum<?> constant) {
      return prefix + "_" + constant.name();
    }

    /** The ordinal, or the bit of a feature. */
    int number(Enum<?> constant) {
      return type == CpuFeature.class ? 1 << constant.ordinal() : constant.ordinal();
    }
  }

  /** Of gatun_cpu.h, by the names there. */
  private static final Map<String, OfC> OF_C =
      Map.ofEntries(
          Map.entry("gatun_level", new OfC("GATUN_LEVEL", CpuLevel.class)),
          Map.entry("gatun_feature", new OfC("GATUN_FEATURE", CpuFeature.class)),
          Map.entry("gatun_activation", new OfC("GATUN_ACTIVATION", Activation.class)),
          Map.entry("gatun_dtype", new OfC("GATUN_DTYPE", KernelDType.class)),
          Map.entry("gatun_blocks", new OfC("GATUN_BLOCKS", BlockFormat.Kind.class)),
          Map.entry("gatun_scales", new OfC("GATUN_SCALES", PackedLayout.Scales.class)),
          Map.entry("gatun_activations", new OfC("GATUN_ACTIVATIONS", QuantizedActivations.class)),
          Map.entry("gatun_binary_op", new OfC("GATUN_BINARY_OP", BinaryOp.class)),
          Map.entry("gatun_comparison", new OfC("GATUN_COMPARISON", Comparison.class)),
          Map.entry("gatun_unary_op", new OfC("GATUN_UNARY_OP", UnaryOp.class)),
          Map.entry("gatun_reduction", new OfC("GATUN_REDUCTION", Reduction.class)),
          Map.entry("gatun_scan_op", new OfC("GATUN_SCAN_OP", ScanOp.class)),
          Map.entry("gatun_random", new OfC("GATUN_RANDOM", RandomDistribution.class)),
          Map.entry("gatun_update", new OfC("GATUN_UPDATE", UpdateFormula.class)),
          Map.entry("gatun_pooling_mode", new OfC("GATUN_POOL", PoolingMode.class)),
          Map.entry("gatun_causal", new OfC("GATUN_CAUSAL", Causal.class)));

  /** Of gatun_cpu.h and none of Java's. */
  private static final Set<String> NATIVE_OF_C = Set.of("gatun_status");

  /** Of cuda-src, by the names there. */
  private static final Map<String, Class<? extends Enum<?>>> OF_CUDA =
      Map.ofEntries(
          Map.entry("DType", KernelDType.class),
          Map.entry("Comparison", Comparison.class),
          Map.entry("Activation", Activation.class),
          Map.entry("BinaryOp", BinaryOp.class),
          Map.entry("UnaryOp", UnaryOp.class),
          Map.entry("Causal", Causal.class),
          Map.entry("Scales", PackedLayout.Scales.class),
          Map.entry("BlockKind", BlockFormat.Kind.class),
          Map.entry("Reduction", Reduction.class),
          Map.entry("ScanOp", ScanOp.class),
          Map.entry("RandomDistribution", RandomDistribution.class),
          Map.entry("UpdateFormula", UpdateFormula.class),
          Map.entry("Pooling", PoolingMode.class));

  /** Of cuda-src and none of Java's. */
  private static final Set<String> NATIVE_OF_CUDA = Set.of("Swizzle", "Bound");

  private EnumHeaders() {}

  public static void main(String... arguments) throws IOException {
    for (Map.Entry<Path, String> file : written(Path.of("")).entrySet()) {
      if (!Files.readString(file.getKey()).equals(file.getValue())) {
        Files.writeString(file.getKey(), file.getValue());
        System.out.println("written: " + file.getKey());
      }
    }
  }

  /** The names of the enums that are written, of both. */
  static Stream<String> names() {
    return Stream.concat(OF_C.keySet().stream(), OF_CUDA.keySet().stream());
  }

  /** What the files of a repository are to be. */
  static Map<Path, String> written(Path repository) throws IOException {
    Map<Path, String> files = new LinkedHashMap<>();
    Path header = repository.resolve("kernels/cpu/src/main/cpp/include/gatun_cpu.h");
    files.put(header, c(Files.readString(header)));
    try (Stream<Path> all = Files.walk(repository.resolve("cuda-src"))) {
      for (Path file : all.filter(f -> f.toString().matches(".*\\.(h|cu)")).sorted().toList()) {
        files.put(file, cuda(Files.readString(file)));
      }
    }
    return files;
  }

  /**
   * A header of C with Java's constants.
   *
   * @throws IllegalArgumentException of an enum that is none of Java's
   */
  static String c(String header) {
    return C.matcher(header)
        .replaceAll(
            e -> {
              if (NATIVE_OF_C.contains(e.group(2))) {
                return Matcher.quoteReplacement(e.group());
              }
              OfC known = known(OF_C, e.group(2));
              return Matcher.quoteReplacement(
                  "typedef enum {\n%s} %s;".formatted(constants(known, e.group(1)), e.group(2)));
            });
  }

  /** The lines of an enum of C, with the comments that they had. */
  private static String constants(OfC known, String lines) {
    Map<String, String> before = new LinkedHashMap<>();
    Map<String, String> behind = new LinkedHashMap<>();
    List<String> had = new ArrayList<>();
    for (MatchResult m : C_CONSTANT.matcher(lines).results().toList()) {
      before.put(m.group(2), m.group(1));
      behind.put(m.group(2), m.group(4));
      had.add(m.group(2) + " = " + m.group(3));
    }
    List<String> has =
        constants(known.type()).map(c -> known.name(c) + " = " + known.number(c)).toList();
    if (has.equals(had)) {
      return lines;
    }
    return constants(known.type())
        .map(
            c -> {
              String name = known.name(c);
              return "%s  %s = %d,%s\n"
                  .formatted(
                      before.getOrDefault(name, ""),
                      name,
                      known.number(c),
                      behind.getOrDefault(name, ""));
            })
        .collect(Collectors.joining());
  }

  /**
   * A source of CUDA with Java's constants.
   *
   * @throws IllegalArgumentException of an enum that is none of Java's
   */
  static String cuda(String source) {
    return CUDA.matcher(source)
        .replaceAll(
            e -> {
              String name = e.group(1);
              if (NATIVE_OF_CUDA.contains(name)) {
                return Matcher.quoteReplacement(e.group());
              }
              if (e.group(2).contains("=")) {
                throw new IllegalArgumentException(name + " numbers its constants itself");
              }
              Class<? extends Enum<?>> type = known(OF_CUDA, name);
              Map<String, String> had = new LinkedHashMap<>();
              CUDA_CONSTANT
                  .matcher(e.group(2))
                  .results()
                  .forEach(m -> had.put(letters(m.group()), m.group()));
              List<String> has =
                  constants(type)
                      .map(c -> ofCuda(name, c))
                      .map(n -> had.getOrDefault(letters(n), n))
                      .toList();
              return Matcher.quoteReplacement(
                  has.equals(List.copyOf(had.values()))
                      ? e.group()
                      : "enum %s : int { %s };".formatted(name, String.join(", ", has)));
            });
  }

  /** {@code kGeluTanh} of GELU_TANH; where names would meet, what they are of is part of them. */
  private static String ofCuda(String type, Enum<?> constant) {
    if (constant == Causal.NONE) {
      return "kNotCausal";
    }
    String name =
        Arrays.stream(constant.name().split("_"))
            .map(word -> word.charAt(0) + word.substring(1).toLowerCase(Locale.ROOT))
            .collect(Collectors.joining());
    return (type.equals("Scales") ? "kScale" : "k") + name;
  }

  private static <T> T known(Map<String, T> enums, String name) {
    T known = enums.get(name);
    if (known == null) {
      throw new IllegalArgumentException(
          name + " is an enum without one of Java's: name it in EnumHeaders");
    }
    return known;
  }

  private static Stream<Enum<?>> constants(Class<? extends Enum<?>> type) {
    return Arrays.stream(type.getEnumConstants());
  }

  private static String letters(String name) {
    return name.replace("_", "").toLowerCase(Locale.ROOT);
  }
}
