package dev.gatun.test.packaging;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import java.util.TreeSet;
import java.util.regex.MatchResult;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Collectors;
import java.util.stream.Stream;

/**
 * The structures that CUDA's kernels take by value are declared once, in {@code cuda-src}: this
 * program writes the fields that Java sets, {@code Declarations.java}, by those that the lines of
 * {@code kernels.list} name, and with them the constants that grids are computed by. {@code ./gatun
 * dev declarations} starts it, in the repository's folder.
 */
final class CudaDeclarations {
  /** What it writes. */
  static final Path FILE =
      Path.of("kernels/cuda/src/main/java/dev/gatun/kernels/cuda/Declarations.java");

  /** What the host reads, or makes room for, without being an argument of a kernel. */
  private static final Map<String, String> IN_MEMORY =
      Map.of(
          "QuerySums", "attention/backward.cu",
          "IndexFault", "include/index_fault.h",
          "Entry", "rows/sort.cu");

  /** The constants that launches are planned by, each behind its source. */
  private static final List<String> CONSTANTS =
      List.of(
          "attention/backward.cu kWarps",
          "attention/decode.cu kRows",
          "attention/general.cu kWarps",
          "attention/tiles.cu kQueries",
          "attention/tiles_sm90a.cu kQueries",
          "attention/tiles_sm90a.cu kKeys",
          "attention/tiles_sm90a.cu kBox",
          "optim/adafactor.cu kRows",
          "optim/adafactor.cu kElements",
          "optim/optim.cu kStepChunk",
          "optim/optim.cu kNormChunk",
          "quantized/activations.cu kKept",
          "quantized/split_k.h kTileCounters",
          "quantized/weight_only_sm90a.h kTurn",
          "rows/kept_rows.cu kKept",
          "rows/sort.cu kPart");

  /** What the driver's structures are called, which Java gets from it whole. */
  private static final Set<String> OF_THE_DRIVER = Set.of("TensorMap");

  private static final Pattern ARGUMENTS = Pattern.compile("// kernels\\.list: *\\S+ \\d+ (\\S+)");
  private static final Pattern NAME = Pattern.compile("\\{(\\w+)\\}");
  private static final Pattern FIELDS =
      Pattern.compile("(?:const )?[\\w ]+\\* ?(?<pointers>.*)|(?<type>\\w+) (?<names>.*)");
  private static final Pattern FIELD = Pattern.compile("(\\w+)((?:\\[\\w+\\])*)");

  private static final Map<String, String> KINDS =
      Map.of(
          "int", "integer",
          "uint32_t", "integer",
          "unsigned", "integer",
          "long", "number",
          "int64_t", "number",
          "uint64_t", "number",
          "float", "real");

  private static final Map<String, String> TYPES =
      Map.of(
          "address", "AddressField",
          "integer", "IntField",
          "number", "LongField",
          "real", "FloatField");

  /**
   * A field of Java's.
   *
   * @param kind the method of {@code Struct} that makes it
   * @param count of an array, 1 of what is none
   */
  private record Field(String kind, String name, int count) {}

  private final Map<String, String> sources;
  private final Map<String, String> written = new LinkedHashMap<>();

  /**
   * Of some sources.
   *
   * @param sources by their names in {@code cuda-src}
   */
  private CudaDeclarations(Map<String, String> sources) {
    this.sources = sources;
  }

  public static void main(String... arguments) throws IOException {
    String text = written(Path.of(""));
    if (!Files.exists(FILE) || !Files.readString(FILE).equals(text)) {
      Files.writeString(FILE, text);
      System.out.println("written: " + FILE);
    }
  }

  /** What the file of a repository is to be. */
  static String written(Path repository) throws IOException {
    Path folder = repository.resolve("cuda-src");
    Map<String, String> sources = new TreeMap<>();
    try (Stream<Path> all = Files.walk(folder)) {
      for (Path file : all.filter(f -> f.toString().matches(".*\\.(h|cu)")).toList()) {
        sources.put(folder.relativize(file).toString(), Files.readString(file));
      }
    }
    return written(sources, CONSTANTS, IN_MEMORY);
  }

  /**
   * The text of {@code Declarations.java}.
   *
   * @param sources by their names
   * @param constants each behind its source
   * @param inMemory the source of each structure that no kernel takes
   * @throws IllegalArgumentException of what is not found, or has a type that Java sets no field of
   */
  static String written(
      Map<String, String> sources, List<String> constants, Map<String, String> inMemory) {
    CudaDeclarations to = new CudaDeclarations(sources);
    for (String source : new TreeSet<>(sources.keySet())) {
      to.addArguments(source);
    }
    new TreeMap<>(inMemory).forEach((name, source) -> to.add(source, name));
    StringBuilder text = new StringBuilder();
    text.append(
        """
        package dev.gatun.kernels.cuda;

        """);
    new TreeSet<>(TYPES.values())
        .forEach(type -> text.append("import dev.gatun.kernels.cuda.Struct.%s;\n".formatted(type)));
    text.append(
        """

        /**
         * What {@code cuda-src} declares and launches need: constants, and structures that kernels take by
         * value or leave in memory. Not to be edited: {@code ./gatun dev declarations} writes it.
         */
        final class Declarations {
        """);
    for (String constant : constants) {
      String[] words = constant.split(" ");
      text.append(to.constant(words[0], words[1]));
    }
    text.append("  private Declarations() {}\n");
    to.written.values().forEach(text::append);
    return text.append("}\n").toString();
  }

  private void addArguments(String source) {
    Set<String> names = new LinkedHashSet<>();
    for (MatchResult line : ARGUMENTS.matcher(sources.get(source)).results().toList()) {
      NAME.matcher(line.group(1)).results().forEach(m -> names.add(m.group(1)));
    }
    names.removeAll(OF_THE_DRIVER);
    for (String name : names) {
      add(source, name);
    }
  }

  /** Adds a structure that a source names, and what it is a list of before it. */
  private void add(String source, String name) {
    String declared = declaring(source, name);
    List<String> fields = statements(sources.get(declared), name);
    String text;
    Matcher list = Pattern.compile("(\\w+) of\\[(\\w+)\\]").matcher(fields.getFirst());
    if (list.matches() && !KINDS.containsKey(list.group(1))) {
      add(declared, list.group(1));
      text =
          "    static final Struct STRUCT = new Struct(\"%s\", %s.STRUCT, %d);\n"
              .formatted(name, list.group(1), number(declared, list.group(2)));
    } else {
      text =
          "    static final Struct STRUCT = new Struct(\"%s\");\n".formatted(name)
              + fields(declared, name, "", fields).stream()
                  .map(CudaDeclarations::line)
                  .collect(Collectors.joining());
    }
    text =
        """

          /** Of {@code %s}. */
          static final class %s {
        %s
            private %s() {}
          }
        """
            .formatted(declared, name, text, name);
    String before = written.putIfAbsent(name, text);
    if (before != null && !before.equals(text)) {
      throw new IllegalArgumentException(
          name
              + " of "
              + source
              + " is another one than before: kernels' structures have one each");
    }
  }

  private static String line(Field field) {
    return "    static final %s %s = STRUCT.%s(\"%s\", %d);\n"
        .formatted(
            TYPES.get(field.kind()),
            field.name().toUpperCase(Locale.ROOT),
            field.kind(),
            field.name(),
            field.count());
  }

  /** The source that declares what another one names: itself, or a header. */
  private String declaring(String source, String name) {
    return Stream.concat(Stream.of(source), sources.keySet().stream().filter(s -> s.endsWith(".h")))
        .filter(s -> struct(name).matcher(sources.get(s)).find())
        .findFirst()
        .orElseThrow(
            () -> new IllegalArgumentException(source + ": no header declares struct " + name));
  }

  private static Pattern struct(String name) {
    return Pattern.compile("\nstruct %s \\{\n(.*?)\n\\};".formatted(name), Pattern.DOTALL);
  }

  /** The declarations of fields, which end at the first function. */
  private static List<String> statements(String source, String name) {
    Matcher found = struct(name).matcher(source);
    found.find();
    List<String> statements = new ArrayList<>();
    for (String part : found.group(1).replaceAll("//[^\n]*", "").split(";")) {
      String statement = part.strip().replaceAll("\\s+", " ");
      if (statement.contains("(")) {
        break;
      }
      if (!statement.isEmpty()) {
        statements.add(statement);
      }
    }
    return statements;
  }

  /** The fields that statements declare; those of a structure among them have its name before. */
  private List<Field> fields(String source, String struct, String prefix, List<String> statements) {
    List<Field> fields = new ArrayList<>();
    for (String statement : statements) {
      Matcher m = FIELDS.matcher(statement);
      if (!m.matches()) {
        throw new IllegalArgumentException(struct + ": what is \"" + statement + "\"?");
      }
      String type = m.group("type");
      String names = m.group(type == null ? "pointers" : "names");
      for (String declared : names.split(", *")) {
        Matcher field = FIELD.matcher(declared);
        if (!field.matches()) {
          throw new IllegalArgumentException(struct + ": what is \"" + declared + "\"?");
        }
        String name = prefix + field.group(1);
        int count = 1;
        for (MatchResult length :
            Pattern.compile("\\w+").matcher(field.group(2)).results().toList()) {
          count *= (int) number(source, length.group());
        }
        String kind = type == null ? "address" : KINDS.get(type);
        if (kind != null) {
          fields.add(new Field(kind, name, count));
        } else if (count == 1) {
          String at = declaring(source, type);
          fields.addAll(fields(at, type, name + "_", statements(sources.get(at), type)));
        } else {
          throw new IllegalArgumentException(
              "%s: \"%s %s\" is a list of structures, expected one that is called of and is all there is"
                  .formatted(struct, type, declared));
        }
      }
    }
    return fields;
  }

  /** A number, or the value of a constant of this source or of a header. */
  private long number(String source, String text) {
    if (text.matches("\\d+")) {
      return Long.parseLong(text);
    }
    Pattern constant = Pattern.compile("constexpr [^;]*\\b%s = (\\d+)[,;]".formatted(text));
    return Stream.concat(Stream.of(source), sources.keySet().stream().filter(s -> s.endsWith(".h")))
        .map(s -> constant.matcher(sources.get(s)))
        .filter(Matcher::find)
        .map(m -> Long.parseLong(m.group(1)))
        .findFirst()
        .orElseThrow(
            () -> new IllegalArgumentException(source + " has no number that is called " + text));
  }

  /** A constant of a source, which is part of its name. */
  private String constant(String source, String name) {
    String file = source.replaceAll(".*/|\\..*", "");
    String words = name.substring(1).replaceAll("(?<=[a-z])(?=[A-Z])", "_");
    return "  /** {@code %s} of {@code %s}. */\n  static final int %s_%s = %d;\n\n"
        .formatted(
            name,
            source,
            file.toUpperCase(Locale.ROOT),
            words.toUpperCase(Locale.ROOT),
            number(source, name));
  }
}
