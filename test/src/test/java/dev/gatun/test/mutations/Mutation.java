package dev.gatun.test.mutations;

import dev.gatun.kernels.cpu.CpuFeature;
import dev.gatun.test.contract.frame.Subjects;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.stream.Stream;

/**
 * A fault of one line, and the test that must notice it. In a list of {@code test/mutations} it is
 * a paragraph:
 *
 * <pre>
 * what is wrong then
 * file kernels/cpu/src/main/cpp/src/attention.h
 * - the text that stands there, once in the file
 * + what stands there instead
 * test KernelContractTest#agrees_with_the_reference kernel=scaled_dot_product_attention
 * </pre>
 *
 * The texts may have {@code \\n} in them for the end of a line. A test is a class, perhaps one
 * method of it, and properties: {@code kernel=x} is {@code -Dgatun.test.kernel=x}. {@code
 * level=avx2} also says which level of the processor is built. Two lines may follow: {@code objects
 * a b} names the objects that are built anew, where a header is in many; {@code module
 * java-api/core} the module of the test, where it is not {@code test}. {@code needs AVX512_BF16}
 * names what a processor must have for the place to be come to; on others the fault is left out.
 *
 * @param title what is wrong
 * @param file below the root
 * @param from the text that stands there
 * @param to what it becomes
 * @param test the class, and perhaps behind a # the method
 * @param properties of the test's JVM, {@code name=value}
 * @param objects that are built, or none for all that the file is in
 * @param module the test's
 * @param needs a {@link CpuFeature}, or empty
 */
record Mutation(
    String title,
    String file,
    String from,
    String to,
    String test,
    List<String> properties,
    List<String> objects,
    String module,
    String needs) {

  static final Path ROOT = Path.of("..").toAbsolutePath().normalize();

  /** All of a folder's lists. */
  static List<Mutation> all(Path folder) throws IOException {
    try (Stream<Path> lists = Files.list(folder)) {
      return lists
          .filter(list -> list.toString().endsWith(".txt"))
          .sorted()
          .flatMap(Mutation::read)
          .toList();
    }
  }

  private static Stream<Mutation> read(Path list) {
    try {
      return Stream.of(Files.readString(list).split("\n\n+"))
          .map(String::strip)
          .filter(paragraph -> !paragraph.isEmpty())
          .map(paragraph -> of(list, paragraph.lines().toList()));
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  private static Mutation of(Path list, List<String> lines) {
    String[] words = rest(list, lines, "test ").split(" ");
    return new Mutation(
        lines.getFirst(),
        rest(list, lines, "file "),
        rest(list, lines, "- ").replace("\\n", "\n"),
        rest(list, lines, "+ ").replace("\\n", "\n"),
        words[0],
        List.of(words).subList(1, words.length),
        optional(lines, "objects ").map(some -> List.of(some.split(" "))).orElse(List.of()),
        optional(lines, "module ").orElse("test"),
        optional(lines, "needs ").orElse(""));
  }

  private static String rest(Path list, List<String> lines, String start) {
    return optional(lines, start)
        .orElseThrow(
            () ->
                new IllegalArgumentException(
                    "%s: '%s' has no line that begins with '%s'"
                        .formatted(list, lines.getFirst(), start)));
  }

  private static java.util.Optional<String> optional(List<String> lines, String start) {
    return lines.stream()
        .skip(1)
        .filter(line -> line.startsWith(start))
        .map(line -> line.substring(start.length()))
        .findFirst();
  }

  /** The file's text with the fault. */
  String applied() throws IOException {
    String text = Files.readString(ROOT.resolve(file));
    int at = text.indexOf(from);
    if (at < 0 || text.indexOf(from, at + 1) >= 0) {
      throw new IllegalArgumentException(
          "%s: '%s' stands %s in it, expected once"
              .formatted(file, from, at < 0 ? "nowhere" : "more than once"));
    }
    return text.substring(0, at) + to + text.substring(at + from.length());
  }

  /** Whether this processor comes to the place. */
  boolean isReached() {
    return needs.isEmpty() || Subjects.features().contains(CpuFeature.valueOf(needs));
  }

  /** The value of a property of the test, or null. */
  String property(String name) {
    return properties.stream()
        .filter(p -> p.startsWith(name + "="))
        .map(p -> p.substring(name.length() + 1))
        .findFirst()
        .orElse(null);
  }

  /** What the test is without the fault. */
  Mutation baseline() {
    return new Mutation("without a fault", "", "", "", test, properties, List.of(), module, "");
  }

  /** Options of the test's JVM. */
  List<String> options() {
    List<String> options = new ArrayList<>();
    properties.forEach(p -> options.add("-Dgatun.test." + p));
    return options;
  }

  @Override
  public String toString() {
    return file + ": " + title;
  }
}
