package dev.gatun.test.contract.suites;

import static java.util.Map.entry;
import static org.junit.jupiter.api.Assertions.assertEquals;

import dev.gatun.bindings.generated.cpu.gatun_attention;
import dev.gatun.bindings.generated.cpu.gatun_cpu_h;
import dev.gatun.bindings.generated.cpu.gatun_factored_parameter;
import dev.gatun.bindings.loader.NativeLoader;
import dev.gatun.kernels.cpu.CpuLevel;
import dev.gatun.test.contract.frame.Subjects;
import java.io.IOException;
import java.lang.foreign.Arena;
import java.lang.foreign.FunctionDescriptor;
import java.lang.foreign.Linker;
import java.lang.foreign.MemoryLayout;
import java.lang.foreign.MemoryLayout.PathElement;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.SymbolLookup;
import java.lang.foreign.ValueLayout;
import java.lang.invoke.MethodHandle;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import java.util.function.ToIntFunction;
import java.util.regex.Pattern;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/**
 * The functions of {@code gatun_cpu.h} called as no wrapper calls them, with one argument wrong:
 * each answers that it is.
 */
final class NativeArgumentsTest {
  private static final Path LIST =
      Path.of("../kernels/cpu/src/main/cpp/include/gatun_cpu_kernels.def");

  /** Codes that an enum does not have. */
  private static final Set<String> ENUMS =
      Set.of(
          "dtype",
          "x_dtype",
          "y_dtype",
          "c_dtype",
          "copy_dtype",
          "table_dtype",
          "weight_dtype",
          "activation",
          "op",
          "comparison",
          "distribution",
          "update",
          "reduction",
          "mode",
          "format",
          "scales",
          "activations",
          "bits");

  private static final Set<String> COUNTS =
      Set.of(
          "n",
          "k",
          "m",
          "batch",
          "rows",
          "columns",
          "count",
          "axes",
          "outer",
          "reduced",
          "inner",
          "length",
          "entry_bytes",
          "row_bytes",
          "sequences",
          "sequence_count",
          "tokens",
          "heads",
          "kv_heads",
          "head_size",
          "value_head_size",
          "rotary",
          "room",
          "span",
          "buckets",
          "group",
          "block",
          "experts",
          "capacity",
          "x_rows",
          "element_bytes");

  /** What must not be 0 where there is nothing to do, of all functions or of one. */
  private static final Map<String, Long> LEAST =
      Map.ofEntries(
          entry("columns", 1L),
          entry("experts", 1L),
          entry("span", 1L),
          entry("element_bytes", 4L),
          entry("bits", 8L),
          entry("block", 32L),
          entry("expert_routing.k", 1L),
          entry("quantize.k", 32L),
          entry("dequantize.k", 32L),
          entry("quantized_pack.k", 32L),
          entry("block_matmul.k", 32L),
          entry("expert_routing.capacity", 1L));

  /** Numbers that have no meaning where there is nothing to do, and are not looked at then. */
  private static final Set<String> FREE =
      Set.of("disentangled_bias_f32.length", "expert_combine.x_rows");

  /** Codes of whole numbers. */
  private static final int[] WHOLE = {
    gatun_cpu_h.GATUN_DTYPE_I64(),
    gatun_cpu_h.GATUN_DTYPE_I32(),
    gatun_cpu_h.GATUN_DTYPE_I8(),
    gatun_cpu_h.GATUN_DTYPE_U8()
  };

  /** Pointers that change what other arguments may be. */
  private static final Set<String> NULL = Set.of("code_scales", "code_offsets");

  /** A parameter of the list. */
  record Parameter(String name, ValueLayout type) {}

  /** A function of the list. */
  record Function(String name, List<Parameter> parameters) {
    @Override
    public String toString() {
      return name;
    }
  }

  private static Arena arena;
  private static SymbolLookup library;
  private static MemorySegment zeros;

  @BeforeAll
  static void open() {
    Subjects.assumeBackend("cpu");
    arena = Arena.ofShared();
    library = SymbolLookup.libraryLookup(NativeLoader.load("gatun_cpu").file(), arena);
    zeros = arena.allocate(1 << 12, 64);
  }

  @AfterAll
  static void close() {
    Subjects.CPU.setLevel(Subjects.levels().getLast());
  }

  static Stream<Function> functions() throws IOException {
    return Pattern.compile("^GATUN_KERNEL\\((\\w+),\\s*\\(([^)]*)\\)", Pattern.MULTILINE)
        .matcher(Files.readString(LIST))
        .results()
        .filter(m -> !m.group(1).startsWith("check_"))
        .filter(m -> !m.group(2).contains("gatun_attention"))
        .map(
            m ->
                new Function(
                    m.group(1),
                    Arrays.stream(m.group(2).split(","))
                        .map(p -> p.strip().replace("const ", ""))
                        .map(NativeArgumentsTest::parameter)
                        .toList()));
  }

  private static Parameter parameter(String text) {
    String name = text.substring(Math.max(text.lastIndexOf(' '), text.lastIndexOf('*')) + 1);
    ValueLayout type =
        text.contains("*")
            ? ValueLayout.ADDRESS
            : text.contains("int64_t")
                ? ValueLayout.JAVA_LONG
                : text.startsWith("float") ? ValueLayout.JAVA_FLOAT : ValueLayout.JAVA_INT;
    return new Parameter(name, type);
  }

  @ParameterizedTest
  @MethodSource("functions")
  void a_wrong_argument_is_told(Function function) throws Throwable {
    List<String> unnoticed = new ArrayList<>();
    for (CpuLevel level : Subjects.levels()) {
      Subjects.CPU.setLevel(level);
      assertEquals(gatun_cpu_h.GATUN_OK(), call(function, null, 0), level.id());
      for (Parameter p : function.parameters()) {
        for (long wrong : wrong(function, p)) {
          if (call(function, p.name(), wrong) != gatun_cpu_h.GATUN_INVALID_ARGUMENT()) {
            unnoticed.add(level.id() + ": " + p.name() + " = " + wrong);
          }
        }
      }
    }
    assertEquals(List.of(), unnoticed);
  }

  /** Numbers that no count or code alone makes wrong. */
  private static final Map<String, List<Long>> MORE =
      Map.ofEntries(
          entry("sort.columns", List.of(1L << 31)),
          entry("sort.k", List.of(2L)),
          entry("topk.columns", List.of(1L << 32)),
          entry("topk.k", List.of(2L)),
          entry("sample.columns", List.of((1L << 22) + 1)),
          entry("expert_routing.k", List.of(0L, 2L)),
          entry("expert_routing.experts", List.of(0L, (1L << 31) - 1)),
          entry("expert_routing.tokens", List.of(1L << 31, 1L)),
          entry("rotary.rotary", List.of(1L, 2L)),
          entry("rotary_cache_update.rotary", List.of(1L, 2L)),
          entry("quantize.block", List.of(31L, 33L)),
          entry("dequantize.block", List.of(31L)),
          entry("quantized_pack.block", List.of(31L)),
          entry("block_matmul.block", List.of(31L)),
          entry("elementwise.axes", List.of(7L)),
          entry("unary.axes", List.of(7L)),
          entry("compare.axes", List.of(7L)),
          entry("where.axes", List.of(7L)),
          entry("where.element_bytes", List.of(0L, 3L)),
          entry("copy.axes", List.of(7L)),
          entry("copy.element_bytes", List.of(0L, 3L)),
          entry("dropout.probability", List.of(bits(-0.5f), bits(1f), bits(Float.NaN))));

  /** A number as {@link #call} takes it. */
  private static long bits(float value) {
    return Float.floatToRawIntBits(value);
  }

  private static List<Long> wrong(Function function, Parameter p) {
    List<Long> all =
        new ArrayList<>(MORE.getOrDefault(function.name() + "." + p.name(), List.of()));
    all.addAll(never(function, p));
    return all;
  }

  /** What a parameter of the name is never. */
  private static List<Long> never(Function function, Parameter p) {
    if (FREE.contains(function.name() + "." + p.name())) {
      return List.of();
    }
    if (p.type() instanceof ValueLayout.OfInt && ENUMS.contains(p.name())) {
      return List.of(-1L, 99L);
    }
    boolean whole = p.type() instanceof ValueLayout.OfInt || p.type() instanceof ValueLayout.OfLong;
    return whole && COUNTS.contains(p.name()) ? List.of(-1L) : List.of();
  }

  private static int call(Function function, String changed, long value) throws Throwable {
    return call(function, changed == null ? Map.of() : Map.of(changed, value));
  }

  private static int call(Function function, Map<String, Long> changed) throws Throwable {
    List<MemoryLayout> types = new ArrayList<>(List.of(ValueLayout.ADDRESS));
    List<Object> arguments = new ArrayList<>(List.of(MemorySegment.NULL));
    for (Parameter p : function.parameters()) {
      types.add(p.type());
      long least =
          LEAST.getOrDefault(function.name() + "." + p.name(), LEAST.getOrDefault(p.name(), 0L));
      long number = changed.getOrDefault(p.name(), least);
      arguments.add(
          switch (p.type()) {
            case ValueLayout.OfInt ignored -> (Object) (int) number;
            case ValueLayout.OfLong ignored -> number;
            case ValueLayout.OfFloat ignored ->
                changed.containsKey(p.name())
                    ? Float.intBitsToFloat((int) number)
                    : p.name().equals("probability") ? 0.5f : 1f;
            default ->
                NULL.contains(p.name())
                    ? MemorySegment.NULL
                    : changed.containsKey(p.name()) ? MemorySegment.ofAddress(number) : zeros;
          });
    }
    MethodHandle handle =
        Linker.nativeLinker()
            .downcallHandle(
                library.find("gatun_" + function.name()).orElseThrow(),
                FunctionDescriptor.of(ValueLayout.JAVA_INT, types.toArray(MemoryLayout[]::new)));
    return (int) handle.invokeWithArguments(arguments);
  }

  /** Of whole numbers there are few functions, and none of these. */
  @Test
  void a_function_that_whole_numbers_have_not_is_told() throws Throwable {
    Map<String, Integer> operations =
        Map.of(
            "elementwise", gatun_cpu_h.GATUN_BINARY_OP_DIVIDE(),
            "unary", gatun_cpu_h.GATUN_UNARY_OP_EXP());
    for (Function function : functions().filter(f -> operations.containsKey(f.name())).toList()) {
      long op = operations.get(function.name());
      for (CpuLevel level : Subjects.levels()) {
        Subjects.CPU.setLevel(level);
        for (int dtype : WHOLE) {
          assertEquals(
              gatun_cpu_h.GATUN_INVALID_ARGUMENT(),
              call(function, Map.of("op", op, "dtype", (long) dtype)),
              function + " of dtype " + dtype + " on " + level);
        }
      }
    }
  }

  /** Each size of a parameter of Adafactor. */
  @Test
  void a_parameter_of_a_negative_size_is_told() throws Throwable {
    Function step =
        functions().filter(f -> f.name().equals("adafactor_step")).findFirst().orElseThrow();
    for (CpuLevel level : Subjects.levels()) {
      Subjects.CPU.setLevel(level);
      for (int size = 0; size < 3; size++) {
        MemorySegment parameter = gatun_factored_parameter.allocate(arena);
        gatun_factored_parameter.batches(parameter, size == 0 ? -1 : 1);
        gatun_factored_parameter.rows(parameter, size == 1 ? -1 : 1);
        gatun_factored_parameter.columns(parameter, size == 2 ? -1 : 1);
        Map<String, Long> changed = Map.of("parameters", parameter.address(), "count", 1L);
        assertEquals(gatun_cpu_h.GATUN_INVALID_ARGUMENT(), call(step, changed), level.id());
      }
    }
  }

  @Test
  void what_the_library_has_not_is_told() {
    int unsupported = gatun_cpu_h.GATUN_UNSUPPORTED_LEVEL();
    assertEquals(unsupported, gatun_cpu_h.gatun_set_features(1 << 30));
    assertEquals(unsupported, gatun_cpu_h.gatun_set_level(99));
    int elsewhere =
        System.getProperty("os.arch").equals("aarch64")
            ? gatun_cpu_h.GATUN_LEVEL_AVX2()
            : gatun_cpu_h.GATUN_LEVEL_NEON();
    assertEquals(unsupported, gatun_cpu_h.gatun_set_level(elsewhere));
    assertEquals(-1, gatun_cpu_h.gatun_level_needs(elsewhere));
    assertEquals(0, gatun_cpu_h.gatun_level_needs(gatun_cpu_h.GATUN_LEVEL_PORTABLE()));
    for (int threads : new int[] {-1, 0, 1025}) {
      assertEquals(gatun_cpu_h.GATUN_INVALID_ARGUMENT(), gatun_cpu_h.gatun_set_threads(threads));
    }
    for (long bytes : new long[] {-1, Long.MAX_VALUE, Long.MAX_VALUE - 64}) {
      assertEquals(MemorySegment.NULL, gatun_cpu_h.gatun_allocate(bytes));
    }
    for (long bytes : new long[] {0, 1, 5L << 20}) {
      MemorySegment memory = gatun_cpu_h.gatun_allocate(bytes);
      assertEquals(0, memory.address() % 64, bytes + " bytes");
      gatun_cpu_h.gatun_free(memory);
    }
  }

  @Test
  void attention_tells_a_wrong_argument() {
    Map<String, List<Object>> all = new TreeMap<>();
    for (String size :
        List.of(
            "batch",
            "heads",
            "kv_heads",
            "query_length",
            "key_length",
            "head_size",
            "value_head_size",
            "window",
            "room")) {
      all.put(size, List.of(-1L));
    }
    all.put("kv_heads", List.of(-1L, 0L, 2L));
    all.put("causal", List.of(-1, 99));
    all.put("dtype", List.of(-1, 99));
    all.put("softcap", List.of(-1f, Float.NaN));
    all.put("dropout", List.of(-1f, 1f, Float.NaN));
    all.put("key_scales", List.of(zeros));
    all.put("value_scales", List.of(zeros));
    all.put("block_table", List.of(zeros));
    List<String> unnoticed = new ArrayList<>();
    for (CpuLevel level : Subjects.levels()) {
      Subjects.CPU.setLevel(level);
      assertEquals(gatun_cpu_h.GATUN_OK(), attend(Map.of()), level.id());
      all.forEach(
          (name, values) -> {
            for (Object value : values) {
              if (attend(Map.of(name, value)) != gatun_cpu_h.GATUN_INVALID_ARGUMENT()) {
                unnoticed.add(level.id() + ": " + name + " = " + value);
              }
            }
          });
      Map<String, Object> pages = Map.of("block_table", zeros, "key_lengths", zeros);
      if (attend(pages) != gatun_cpu_h.GATUN_INVALID_ARGUMENT()) {
        unnoticed.add(level.id() + ": page_size = 0");
      }
      assertEquals(gatun_cpu_h.GATUN_OK(), attendBackward(Map.of()), level.id());
      Map<String, Object> headless = Map.of("heads", 0L, "kv_heads", 0L);
      assertEquals(gatun_cpu_h.GATUN_OK(), attend(headless), level.id());
      assertEquals(gatun_cpu_h.GATUN_OK(), attendBackward(headless), level.id());
      all.forEach(
          (name, values) -> {
            for (Object value : name.equals("room") ? List.of() : values) {
              if (attendBackward(Map.of(name, value)) != gatun_cpu_h.GATUN_INVALID_ARGUMENT()) {
                unnoticed.add(level.id() + ": backward, " + name + " = " + value);
              }
            }
          });
    }
    assertEquals(List.of(), unnoticed);
  }

  /** Attention of no sequence, with some of its arguments set. */
  private static int attend(Map<String, Object> set) {
    return with(
        set,
        arguments -> gatun_cpu_h.gatun_scaled_dot_product_attention(MemorySegment.NULL, arguments));
  }

  /** The same of its gradients, none of which is there. */
  private static int attendBackward(Map<String, Object> set) {
    return with(
        set,
        arguments -> gatun_cpu_h.gatun_attention_backward(MemorySegment.NULL, arguments, zeros));
  }

  private static int with(Map<String, Object> set, ToIntFunction<MemorySegment> call) {
    try (Arena own = Arena.ofConfined()) {
      MemorySegment arguments = gatun_attention.allocate(own);
      arguments.fill((byte) 0);
      Map<String, Object> all = new TreeMap<>(Map.of("heads", 1L, "kv_heads", 1L));
      all.putAll(set);
      all.forEach(
          (name, value) -> {
            var path = PathElement.groupElement(name);
            long at = gatun_attention.layout().byteOffset(path);
            switch (value) {
              case Long n -> arguments.set(ValueLayout.JAVA_LONG, at, n);
              case Integer n -> arguments.set(ValueLayout.JAVA_INT, at, n);
              case Float n -> arguments.set(ValueLayout.JAVA_FLOAT, at, n);
              default -> arguments.set(ValueLayout.ADDRESS, at, (MemorySegment) value);
            }
          });
      return call.applyAsInt(arguments);
    }
  }
}
