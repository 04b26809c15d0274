package dev.gatun.test.architecture;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.tngtech.archunit.core.domain.JavaClasses;
import com.tngtech.archunit.core.domain.properties.HasName;
import com.tngtech.archunit.core.importer.ClassFileImporter;
import com.tngtech.archunit.junit.ArchTest;
import com.tngtech.archunit.lang.ArchRule;
import java.io.IOException;
import java.lang.reflect.Field;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeSet;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import javax.tools.JavaCompiler;
import javax.tools.ToolProvider;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/** Each rule of {@link LayersTest} finds the class that is against it. */
final class PlantedViolationsTest {
  private static final String CPU = "dev.gatun.kernels.cpu: int x;";

  /** What is planted against a rule: {@code package: a class's body}, for each class. */
  private static final Map<String, List<String>> PLANTED =
      Map.ofEntries(
          Map.entry(
              "the_kernel_interfaces_need_the_jdk_only",
              List.of("dev.gatun.kernels.api.memory: dev.gatun.kernels.formats.Packer up;")),
          Map.entry(
              "parts_of_the_kernel_interfaces_have_no_circle",
              List.of(
                  "dev.gatun.kernels.api.one: dev.gatun.kernels.api.two.Planted there;",
                  "dev.gatun.kernels.api.two: dev.gatun.kernels.api.one.Planted back;")),
          Map.entry(
              "families_of_calls_have_no_circle",
              List.of(
                  "dev.gatun.kernels.api.call.one: dev.gatun.kernels.api.call.two.Planted there;",
                  "dev.gatun.kernels.api.call.two: dev.gatun.kernels.api.call.one.Planted back;")),
          Map.entry(
              "formats_need_memory_only",
              List.of("dev.gatun.kernels.formats: dev.gatun.kernels.api.device.Backend up;")),
          Map.entry(
              "bindings_need_the_jdk_only",
              List.of("dev.gatun.bindings.cpu: dev.gatun.kernels.api.memory.DType up;")),
          Map.entry(
              "backends_import_interfaces_and_bindings_only",
              List.of("dev.gatun.kernels.cpu: dev.gatun.tensor.Tensor up;")),
          Map.entry(
              "the_reference_needs_no_native_code",
              List.of("dev.gatun.kernels.reference: dev.gatun.bindings.cpu.CpuLibrary native_;")),
          Map.entry(
              "no_backend_imports_another",
              List.of("dev.gatun.kernels.cuda: dev.gatun.kernels.cpu.Planted other;", CPU)),
          Map.entry(
              "only_the_cpu_kernels_import_their_binding",
              List.of("dev.gatun.kernels.cuda: dev.gatun.bindings.cpu.CpuLibrary other;")),
          Map.entry(
              "only_the_cuda_devices_import_the_driver",
              List.of("dev.gatun.bench: dev.gatun.bindings.cuda.CudaDriver driver;")),
          Map.entry(
              "only_its_wrapper_imports_a_generated_package",
              List.of("dev.gatun.bindings.cpu: dev.gatun.bindings.generated.cuda.cuda_h other;")),
          Map.entry(
              "the_java_api_names_no_backend",
              List.of("dev.gatun.training: dev.gatun.kernels.cpu.Planted backend;", CPU)),
          Map.entry(
              "models_and_ops_touch_no_native_memory",
              List.of("dev.gatun.models: java.lang.foreign.MemorySegment memory;")),
          Map.entry(
              "models_and_ops_ask_for_no_kind_of_device",
              List.of("dev.gatun.nn: Object cuda = dev.gatun.tensor.Device.cuda(0);")),
          Map.entry(
              "a_room_imports_only_from_those_before_it",
              List.of("dev.gatun.nn: dev.gatun.weights.TensorFile later;")),
          Map.entry(
              "every_package_of_the_java_api_is_a_room", List.of("dev.gatun.somewhere: int x;")),
          Map.entry(
              "no_architecture_imports_another",
              List.of("dev.gatun.models implements Encoder: Bert another;")),
          Map.entry(
              "what_an_auto_model_builds_is_an_architecture",
              List.of(
                  "dev.gatun.models: } class AutoModel {"
                      + " java.util.function.Supplier<Planted> builds = Planted::new;")),
          Map.entry(
              "only_its_modules_import_djl",
              List.of(
                  "dev.gatun.pipelines: ai.djl.huggingface.tokenizers.HuggingFaceTokenizer t;")),
          Map.entry(
              "only_the_engine_imports_djls_engine_interfaces",
              List.of("dev.gatun.text.hf: ai.djl.ndarray.NDArray array;")),
          Map.entry(
              "loops_over_arrays_know_no_model",
              List.of("dev.gatun.djl.host: dev.gatun.models.Config config;")),
          Map.entry(
              "only_the_onnx_module_imports_protobuf",
              List.of("dev.gatun.weights: com.google.protobuf.ByteString bytes;")),
          Map.entry(
              "tokenizers_know_text_only",
              List.of("dev.gatun.text.hf: dev.gatun.tensor.Tensor tensor;")),
          Map.entry(
              "onnx_knows_weights_only",
              List.of("dev.gatun.onnx: dev.gatun.tensor.Tensor tensor;")),
          Map.entry(
              "only_the_server_imports_the_http_server",
              List.of("dev.gatun.cli: com.sun.net.httpserver.HttpServer server;")),
          Map.entry(
              "the_server_needs_jackson_and_the_http_server_alone",
              List.of("dev.gatun.server: org.junit.jupiter.api.Test other;")),
          Map.entry(
              "only_its_module_imports_langchain4j",
              List.of("dev.gatun.chat: dev.langchain4j.data.message.ChatMessage message;")),
          Map.entry(
              "core_needs_jackson_alone",
              List.of("dev.gatun.files: org.junit.jupiter.api.Test other;")));

  private static JavaClasses planted;

  static Stream<String> rules() {
    return PLANTED.keySet().stream().sorted();
  }

  /** Compiles what is planted and reads it: classes named as the rule, each in its package. */
  @BeforeAll
  static void plant(@TempDir Path folder) throws IOException {
    Path classes = folder.resolve("classes");
    List<String> options =
        new ArrayList<>(List.of("-proc:none", "-nowarn", "-d", classes.toString(), "-cp"));
    options.add(System.getProperty("java.class.path"));
    for (Map.Entry<String, List<String>> rule : PLANTED.entrySet()) {
      for (String each : rule.getValue()) {
        String[] head = each.substring(0, each.indexOf(':')).split(" implements ");
        String source =
            "package %s; public %s { %s }"
                .formatted(
                    head[0],
                    head.length == 1
                        ? "class Planted"
                        : "abstract class Planted implements " + head[1],
                    each.substring(each.indexOf(':') + 1));
        Path file = folder.resolve(head[0]).resolve(rule.getKey() + ".java");
        Files.createDirectories(file.getParent());
        Files.writeString(file, source.replace("Planted", rule.getKey()));
        options.add(file.toString());
      }
    }
    JavaCompiler compiler = ToolProvider.getSystemJavaCompiler();
    int status = compiler.run(null, null, null, options.toArray(String[]::new));
    assertEquals(0, status, "what is planted compiles");
    planted = new ClassFileImporter().importPath(classes);
  }

  @Test
  void each_rule_has_a_class_against_it() {
    Set<String> rules =
        Arrays.stream(LayersTest.class.getDeclaredFields())
            .filter(field -> field.isAnnotationPresent(ArchTest.class))
            .map(Field::getName)
            .collect(Collectors.toCollection(TreeSet::new));
    assertEquals(rules, new TreeSet<>(PLANTED.keySet()));
  }

  @ParameterizedTest
  @MethodSource("rules")
  void a_rule_finds_what_is_against_it(String name) throws Exception {
    ArchRule rule = (ArchRule) LayersTest.class.getDeclaredField(name).get(null);
    JavaClasses own = planted.that(HasName.Predicates.nameMatching(".*\\." + name));
    assertEquals(PLANTED.get(name).size(), own.size(), "classes that are planted");
    assertTrue(
        rule.allowEmptyShould(true).evaluate(own).hasViolation(),
        () -> name + " finds nothing in " + PLANTED.get(name));
  }
}
