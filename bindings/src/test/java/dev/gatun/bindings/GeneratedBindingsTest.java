package dev.gatun.bindings;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import java.io.IOException;
import java.lang.foreign.GroupLayout;
import java.lang.foreign.MemoryLayout;
import java.lang.foreign.MemoryLayout.PathElement;
import java.lang.foreign.MemorySegment;
import java.lang.reflect.Method;
import java.lang.reflect.Modifier;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** What the generated bindings believe, against what a compiler says of the same headers. */
class GeneratedBindingsTest {
  private static final String PACKAGE = "dev.gatun.bindings.generated.";

  private static final String PRELUDE =
      """
      #include <cstddef>
      #include <cstdio>
      #include <type_traits>
      template <class T> constexpr char code() {
        if constexpr (std::is_void_v<T>) return 'V';
        else if constexpr (std::is_pointer_v<T>) return 'P';
        else if constexpr (std::is_floating_point_v<T>) return sizeof(T) == 4 ? 'F' : 'D';
        else if constexpr (std::is_integral_v<T> || std::is_enum_v<T>)
          return sizeof(T) == 1 ? 'B' : sizeof(T) == 2 ? 'S' : sizeof(T) == 4 ? 'I' : 'L';
        else return '?';
      }
      template <class F> struct signature;
      template <class R, class... A> struct signature<R (*)(A...)> {
        static void print(const char *name) {
          const char codes[] = {code<R>(), code<A>()..., 0};
          std::printf("function %s=%s\\n", name, codes);
        }
      };
      int main() {
      """;

  // Under C++ the header overloads some of its functions; this shows it as C does. What it includes
  // comes first, for that needs C++.
  private static final String CUBLAS =
      """
      #include <cuda_bf16.h>
      #include <cuda_fp16.h>
      #include <cuComplex.h>
      #include <driver_types.h>
      #include <library_types.h>
      #undef __cplusplus
      #include <cublas_v2.h>
      #define __cplusplus 201703L
      """;

  // jextract does not know alignas: whoever allocates one of these asks for its alignment.
  private static final Map<String, Long> ALIGNED =
      Map.of("CUtensorMap", 128L, "CUtensorMap_st", 128L);

  @TempDir Path folder;

  /** Facts by name from the classes, and the statements that print them from the headers. */
  private static final class Facts {
    final Map<String, String> java = new TreeMap<>();
    final StringBuilder statements = new StringBuilder();

    void number(String name, long value, String expression) {
      java.put(name, Long.toString(value));
      statements.append(
          "std::printf(\"%s=%%lld\\n\", (long long)(%s));%n".formatted(name, expression));
    }

    void function(Method method) {
      StringBuilder codes = new StringBuilder().append(code(method.getReturnType()));
      Arrays.stream(method.getParameterTypes()).forEach(type -> codes.append(code(type)));
      java.put("function " + method.getName(), codes.toString());
      statements.append(
          "signature<decltype(&%1$s)>::print(\"%1$s\");%n".formatted(method.getName()));
    }

    void struct(Class<?> type, String expression) throws ReflectiveOperationException {
      GroupLayout layout = (GroupLayout) type.getMethod("layout").invoke(null);
      String name = type.getName().substring(type.getPackageName().length() + 1);
      number("sizeof " + name, layout.byteSize(), "sizeof(" + expression + ")");
      number(
          "alignof " + name,
          ALIGNED.getOrDefault(name, layout.byteAlignment()),
          "alignof(" + expression + ")");
      for (MemoryLayout member : layout.memberLayouts()) {
        if (member.name().isEmpty()) {
          continue; // padding
        }
        String field = member.name().get();
        PathElement path = PathElement.groupElement(field);
        number(
            "offsetof " + name + "." + field,
            layout.byteOffset(path),
            "offsetof(" + expression + ", " + field + ")");
        String memberType = "std::remove_reference_t<decltype(((%s*)0)->%s)>";
        number(
            "sizeof " + name + "." + field,
            member.byteSize(),
            "sizeof(" + memberType.formatted(expression, field) + ")");
      }
      for (Class<?> nested : type.getDeclaredClasses()) {
        if (isStruct(nested)) {
          struct(
              nested,
              "std::remove_reference_t<decltype(((%s*)0)->%s)>"
                  .formatted(expression, nested.getSimpleName()));
        }
      }
    }

    private static char code(Class<?> type) {
      return type == MemorySegment.class
          ? 'P'
          : switch (type.getName()) {
            case "void" -> 'V';
            case "byte", "boolean" -> 'B';
            case "short", "char" -> 'S';
            case "int" -> 'I';
            case "long" -> 'L';
            case "float" -> 'F';
            case "double" -> 'D';
            default -> throw new AssertionError("no code for " + type);
          };
    }
  }

  @Test
  void cpu() throws Exception {
    Path include =
        Path.of(System.getProperty("basedir", "."), "../kernels/cpu/src/main/cpp/include");
    compare("cpu", "gatun_cpu_h", "#include <gatun_cpu.h>", List.of(include));
  }

  @Test
  void cuda() throws Exception {
    Path include = cudaInclude();
    assumeVersion(include.resolve("cuda.h"), "CUDA_VERSION", "cuda");
    compare("cuda", "cuda_h", "#include <cuda.h>", List.of(include));
  }

  @Test
  void cublas() throws Exception {
    compare("cublas", "cublas_v2_h", CUBLAS, cublasIncludes());
  }

  @Test
  void cublasLt() throws Exception {
    compare("cublaslt", "cublasLt_h", "#include <cublasLt.h>", cublasIncludes());
  }

  private static Path cudaInclude() {
    String home = System.getenv().getOrDefault("CUDA_HOME", "/usr/local/cuda");
    return Path.of(home, "include");
  }

  private static List<Path> cublasIncludes() throws IOException {
    Path cuda = cudaInclude();
    String folder = System.getenv("CUBLAS_INCLUDE");
    Path include = folder == null ? cuda : Path.of(folder);
    Path api = include.resolve("cublas_api.h");
    assumeVersion(cuda.resolve("cuda.h"), "CUDA_VERSION", "cuda");
    assumeVersion(api, "CUBLAS_VER_MAJOR", "cublas");
    assumeVersion(api, "CUBLAS_VER_MINOR", "cublas");
    return List.of(include, cuda);
  }

  /** Skips unless the header is here, in the version that the bindings were generated from. */
  private static void assumeVersion(Path header, String macro, String name) throws IOException {
    assumeTrue(
        Files.exists(header),
        () -> "no " + header + ": set CUDA_HOME or CUBLAS_INCLUDE to its place");
    Matcher found =
        Pattern.compile("#define " + macro + "\\s+(\\d+)").matcher(Files.readString(header));
    assertTrue(found.find(), () -> header + " does not define " + macro);
    int here = Integer.parseInt(found.group(1));
    int ours =
        switch (macro) {
          case "CUDA_VERSION" -> dev.gatun.bindings.generated.cuda.cuda_h.CUDA_VERSION();
          case "CUBLAS_VER_MAJOR" -> cublasVersion() / 10000;
          default -> cublasVersion() / 100 % 100;
        };
    assumeTrue(
        here == ours,
        () -> "%s has %s %d, the bindings were made with %d".formatted(header, macro, here, ours));
  }

  private static int cublasVersion() {
    return dev.gatun.bindings.generated.cublas.cublas_v2_h.CUBLAS_VERSION();
  }

  private void compare(String name, String header, String include, List<Path> folders)
      throws Exception {
    Facts facts = new Facts();
    Class<?> root = Class.forName(PACKAGE + name + "." + header);
    List<String> functions =
        Arrays.stream(root.getDeclaredClasses()).map(Class::getSimpleName).toList();
    for (Method method : root.getDeclaredMethods()) {
      if (!Modifier.isPublic(method.getModifiers()) || method.getName().contains("$")) {
        continue;
      }
      if (functions.contains(method.getName())) {
        facts.function(method);
      } else {
        Number value = (Number) method.invoke(null);
        facts.number("constant " + method.getName(), value.longValue(), method.getName());
      }
    }
    Path classes = Path.of(root.getResource(header + ".class").toURI()).getParent();
    try (Stream<Path> files = Files.list(classes)) {
      for (Path file : files.sorted().toList()) {
        String type = file.getFileName().toString().replace(".class", "");
        if (!type.contains("$") && !type.equals(header)) {
          Class<?> struct = Class.forName(PACKAGE + name + "." + type);
          assertTrue(isStruct(struct), () -> "not a struct: " + struct);
          facts.struct(struct, type);
        }
      }
    }
    String program = include + "\n" + PRELUDE + facts.statements + "}\n";
    Map<String, String> compiled = run(program, folders);
    assertTrue(facts.java.keySet().stream().anyMatch(fact -> fact.startsWith("function ")));
    assertTrue(facts.java.keySet().stream().anyMatch(fact -> fact.startsWith("constant ")));
    List<String> differences = new ArrayList<>();
    facts.java.forEach(
        (fact, value) -> {
          if (!value.equals(compiled.get(fact))) {
            differences.add(
                "%s is %s in the header, %s in Java".formatted(fact, compiled.get(fact), value));
          }
        });
    assertEquals(List.of(), differences);
  }

  private static boolean isStruct(Class<?> type) {
    return Arrays.stream(type.getMethods()).anyMatch(method -> method.getName().equals("layout"));
  }

  private Map<String, String> run(String program, List<Path> folders) throws Exception {
    Path source = Files.writeString(folder.resolve("facts.cpp"), program);
    Path binary = folder.resolve("facts");
    List<String> command = new ArrayList<>(List.of("g++", "-std=c++17", "-w", "-O0"));
    folders.forEach(path -> command.add("-I" + path));
    command.addAll(List.of("-o", binary.toString(), source.toString()));
    execute(command);
    Map<String, String> facts = new TreeMap<>();
    for (String line : execute(List.of(binary.toString())).lines().toList()) {
      int equals = line.lastIndexOf('=');
      facts.put(line.substring(0, equals), line.substring(equals + 1));
    }
    return facts;
  }

  private String execute(List<String> command) throws Exception {
    Path output = folder.resolve("output");
    Process process =
        new ProcessBuilder(command)
            .redirectErrorStream(true)
            .redirectOutput(output.toFile())
            .start();
    int status = process.waitFor();
    String text = Files.readString(output);
    assertEquals(0, status, () -> String.join(" ", command) + "\n" + text);
    return text;
  }
}
