package dev.gatun.test.architecture;

import static com.tngtech.archunit.base.DescribedPredicate.describe;
import static com.tngtech.archunit.base.DescribedPredicate.not;
import static com.tngtech.archunit.core.domain.JavaClass.Predicates.resideInAPackage;
import static com.tngtech.archunit.core.domain.JavaClass.Predicates.resideInAnyPackage;
import static com.tngtech.archunit.lang.syntax.ArchRuleDefinition.classes;
import static com.tngtech.archunit.lang.syntax.ArchRuleDefinition.noClasses;

import com.tngtech.archunit.base.DescribedPredicate;
import com.tngtech.archunit.core.domain.JavaClass;
import com.tngtech.archunit.core.importer.ImportOption;
import com.tngtech.archunit.junit.AnalyzeClasses;
import com.tngtech.archunit.junit.ArchTest;
import com.tngtech.archunit.lang.ArchCondition;
import com.tngtech.archunit.lang.ArchRule;
import com.tngtech.archunit.lang.CompositeArchRule;
import com.tngtech.archunit.lang.ConditionEvents;
import com.tngtech.archunit.lang.SimpleConditionEvent;
import com.tngtech.archunit.library.dependencies.SlicesRuleDefinition;
import java.util.Arrays;
import java.util.Set;
import java.util.stream.IntStream;
import java.util.stream.Stream;

/**
 * The way of a number: model, nn, op, kernels.api, backend, binding; no arrow upward. {@link
 * PlantedViolationsTest} has a class against each rule.
 */
@AnalyzeClasses(packages = "dev.gatun", importOptions = ImportOption.DoNotIncludeTests.class)
final class LayersTest {
  private static final String[] CORE = {
    "dev.gatun.files..",
    "dev.gatun.tensor..",
    "dev.gatun.autograd..",
    "dev.gatun.ops..",
    "dev.gatun.nn..",
    "dev.gatun.weights..",
    "dev.gatun.text.jinja..",
    "dev.gatun.text",
    "dev.gatun.text.chat..",
    "dev.gatun.models..",
    "dev.gatun.generation..",
    "dev.gatun.chat..",
    "dev.gatun.pipelines..",
    "dev.gatun.compression..",
    "dev.gatun.training.."
  };

  // The rooms of the Java API; each imports only from those before it.
  private static final String[] ROOMS =
      Stream.concat(
              Stream.of(CORE),
              Stream.of(
                  "dev.gatun.onnx..",
                  "dev.gatun.text.hf..",
                  "dev.gatun.server..",
                  "dev.gatun.langchain4j..",
                  "dev.gatun.djl..",
                  "dev.gatun.cli.."))
          .toArray(String[]::new);

  // Where a number's way is arithmetic: nothing here knows how memory is had or who computes.
  private static final String[] ABOVE_TENSORS = {
    "dev.gatun.autograd..",
    "dev.gatun.ops..",
    "dev.gatun.nn..",
    "dev.gatun.models..",
    "dev.gatun.generation..",
    "dev.gatun.chat..",
    "dev.gatun.pipelines.."
  };

  private static final DescribedPredicate<JavaClass> JAVA_API =
      resideInAPackage("dev.gatun..")
          .and(
              not(
                  resideInAnyPackage(
                      "dev.gatun.kernels..", "dev.gatun.bindings..", "dev.gatun.bench..")));

  @ArchTest
  static final ArchRule the_kernel_interfaces_need_the_jdk_only =
      classes()
          .that()
          .resideInAPackage("dev.gatun.kernels.api..")
          .should()
          .onlyDependOnClassesThat()
          .resideInAnyPackage("java..", "dev.gatun.kernels.api..");

  @ArchTest
  static final ArchRule parts_of_the_kernel_interfaces_have_no_circle =
      SlicesRuleDefinition.slices()
          .matching("dev.gatun.kernels.api.(*)..")
          .should()
          .beFreeOfCycles();

  @ArchTest
  static final ArchRule families_of_calls_have_no_circle =
      SlicesRuleDefinition.slices()
          .matching("dev.gatun.kernels.api.call.(*)..")
          .should()
          .beFreeOfCycles();

  @ArchTest
  static final ArchRule formats_need_memory_only =
      classes()
          .that()
          .resideInAPackage("dev.gatun.kernels.formats..")
          .should()
          .onlyDependOnClassesThat()
          .resideInAnyPackage(
              "java..", "dev.gatun.kernels.api.memory..", "dev.gatun.kernels.formats..");

  @ArchTest
  static final ArchRule bindings_need_the_jdk_only =
      classes()
          .that()
          .resideInAPackage("dev.gatun.bindings..")
          .should()
          .onlyDependOnClassesThat()
          .resideInAnyPackage("java..", "dev.gatun.bindings..");

  @ArchTest
  static final ArchRule backends_import_interfaces_and_bindings_only =
      classes()
          .that()
          .resideInAnyPackage("dev.gatun.kernels.cpu..", "dev.gatun.kernels.cuda..")
          .should()
          .onlyDependOnClassesThat()
          .resideInAnyPackage("java..", "dev.gatun.kernels..", "dev.gatun.bindings..");

  @ArchTest
  static final ArchRule the_reference_needs_no_native_code =
      classes()
          .that()
          .resideInAPackage("dev.gatun.kernels.reference..")
          .should()
          .onlyDependOnClassesThat()
          .resideInAnyPackage("java..", "dev.gatun.kernels..");

  @ArchTest
  static final ArchRule no_backend_imports_another =
      SlicesRuleDefinition.slices()
          .matching("dev.gatun.kernels.(*)..")
          .should()
          .notDependOnEachOther()
          .ignoreDependency(
              resideInAPackage("dev.gatun.kernels.."),
              resideInAnyPackage("dev.gatun.kernels.api..", "dev.gatun.kernels.formats.."));

  @ArchTest
  static final ArchRule only_the_cpu_kernels_import_their_binding =
      noClasses()
          .that()
          .resideOutsideOfPackages("dev.gatun.kernels.cpu..", "dev.gatun.bindings..")
          .should()
          .dependOnClassesThat()
          .resideInAPackage("dev.gatun.bindings.cpu..");

  @ArchTest
  static final ArchRule only_the_cuda_devices_import_the_driver =
      noClasses()
          .that()
          .resideOutsideOfPackages("dev.gatun.kernels.cuda..", "dev.gatun.bindings..")
          .should()
          .dependOnClassesThat()
          .resideInAPackage("dev.gatun.bindings.cuda..");

  @ArchTest
  static final ArchRule only_its_wrapper_imports_a_generated_package =
      CompositeArchRule.of(wraps("dev.gatun.bindings.generated.cpu..", "dev.gatun.bindings.cpu.."))
          .and(wraps("dev.gatun.bindings.generated.cuda..", "dev.gatun.bindings.cuda.."))
          .and(wraps("dev.gatun.bindings.generated.cublas..", "dev.gatun.bindings.cuda.."))
          .and(wraps("dev.gatun.bindings.generated.cublaslt..", "dev.gatun.bindings.cuda.."));

  private static ArchRule wraps(String generated, String wrapper) {
    return noClasses()
        .that()
        .resideOutsideOfPackages(wrapper, generated)
        .should()
        .dependOnClassesThat()
        .resideInAPackage(generated);
  }

  @ArchTest
  static final ArchRule the_java_api_names_no_backend =
      noClasses()
          .that(JAVA_API)
          .should()
          .dependOnClassesThat(
              resideInAnyPackage("dev.gatun.kernels..", "dev.gatun.bindings..")
                  .and(
                      not(
                          resideInAnyPackage(
                              "dev.gatun.kernels.api..", "dev.gatun.kernels.formats.."))));

  @ArchTest
  static final ArchRule models_and_ops_touch_no_native_memory =
      noClasses()
          .that()
          .resideInAnyPackage(ABOVE_TENSORS)
          .should()
          .dependOnClassesThat()
          .resideInAPackage("java.lang.foreign..");

  @ArchTest
  static final ArchRule models_and_ops_ask_for_no_kind_of_device =
      noClasses()
          .that()
          .resideInAnyPackage(ABOVE_TENSORS)
          .should()
          .dependOnClassesThat()
          .haveFullyQualifiedName("dev.gatun.kernels.api.device.Devices")
          .orShould()
          .callMethod("dev.gatun.tensor.Device", "cuda", "int");

  @ArchTest
  static final ArchRule a_room_imports_only_from_those_before_it =
      CompositeArchRule.of(
          IntStream.range(0, ROOMS.length - 1).mapToObj(LayersTest::knowsNoneAfterIt).toList());

  private static ArchRule knowsNoneAfterIt(int room) {
    return noClasses()
        .that()
        .resideInAPackage(ROOMS[room])
        .should()
        .dependOnClassesThat()
        .resideInAnyPackage(Arrays.copyOfRange(ROOMS, room + 1, ROOMS.length));
  }

  @ArchTest
  static final ArchRule every_package_of_the_java_api_is_a_room =
      classes().that(JAVA_API).should().resideInAnyPackage(ROOMS);

  /** What an architecture implements, or is put into. */
  private static final Set<String> FORMS =
      Set.of(
          "dev.gatun.models.BothStacks",
          "dev.gatun.models.Encoder",
          "dev.gatun.models.Decoder",
          "dev.gatun.models.CrossDecoder",
          "dev.gatun.models.EncoderDecoder");

  private static final DescribedPredicate<JavaClass> ARCHITECTURE =
      describe(
          "are an architecture",
          found ->
              FORMS.stream().anyMatch(outermost(found)::isAssignableTo)
                  && !FORMS.contains(outermost(found).getFullName()));

  /** A class or what encloses it. */
  private static JavaClass outermost(JavaClass found) {
    return Stream.iterate(found, c -> c.getEnclosingClass().orElseThrow())
        .filter(c -> c.getEnclosingClass().isEmpty())
        .findFirst()
        .orElseThrow();
  }

  @ArchTest
  static final ArchRule no_architecture_imports_another =
      classes()
          .that(ARCHITECTURE)
          .should(
              new ArchCondition<>("depend on no other architecture") {
                @Override
                public void check(JavaClass architecture, ConditionEvents events) {
                  architecture.getDirectDependenciesFromSelf().stream()
                      .filter(found -> ARCHITECTURE.test(found.getTargetClass()))
                      .filter(
                          found ->
                              !outermost(found.getTargetClass()).equals(outermost(architecture)))
                      .forEach(
                          found ->
                              events.add(
                                  SimpleConditionEvent.violated(found, found.getDescription())));
                }
              });

  @ArchTest
  static final ArchRule what_an_auto_model_builds_is_an_architecture =
      classes()
          .that(
              describe(
                  "are built by AutoModel for a model_type",
                  found ->
                      found.getConstructorReferencesToSelf().stream()
                          .anyMatch(
                              reference ->
                                  reference
                                      .getOriginOwner()
                                      .getFullName()
                                      .startsWith("dev.gatun.models.AutoModel"))))
          .should(
              new ArchCondition<>("be known as architectures to the rule above") {
                @Override
                public void check(JavaClass found, ConditionEvents events) {
                  if (!ARCHITECTURE.test(found)) {
                    events.add(
                        SimpleConditionEvent.violated(
                            found, found.getFullName() + " is none of " + FORMS));
                  }
                }
              });

  @ArchTest
  static final ArchRule only_its_modules_import_djl =
      noClasses()
          .that()
          .resideOutsideOfPackages("dev.gatun.text.hf..", "dev.gatun.djl..")
          .should()
          .dependOnClassesThat()
          .resideInAPackage("ai.djl..");

  @ArchTest
  static final ArchRule only_the_engine_imports_djls_engine_interfaces =
      noClasses()
          .that()
          .resideOutsideOfPackage("dev.gatun.djl..")
          .should()
          .dependOnClassesThat()
          .resideInAnyPackage("ai.djl.engine..", "ai.djl.ndarray..", "ai.djl.nn..");

  @ArchTest
  static final ArchRule loops_over_arrays_know_no_model =
      noClasses()
          .that()
          .resideInAPackage("dev.gatun.djl.host..")
          .should()
          .dependOnClassesThat(
              resideInAPackage("dev.gatun..")
                  .and(
                      not(
                          resideInAnyPackage(
                              "dev.gatun.djl.host..",
                              "dev.gatun.tensor..",
                              "dev.gatun.kernels.api.."))));

  @ArchTest
  static final ArchRule only_the_onnx_module_imports_protobuf =
      noClasses()
          .that()
          .resideOutsideOfPackage("dev.gatun.onnx..")
          .should()
          .dependOnClassesThat()
          .resideInAPackage("com.google.protobuf..");

  @ArchTest
  static final ArchRule tokenizers_know_text_only =
      noClasses()
          .that()
          .resideInAPackage("dev.gatun.text.hf..")
          .should()
          .dependOnClassesThat(
              resideInAPackage("dev.gatun..").and(not(resideInAPackage("dev.gatun.text.."))));

  @ArchTest
  static final ArchRule onnx_knows_weights_only =
      noClasses()
          .that()
          .resideInAPackage("dev.gatun.onnx..")
          .should()
          .dependOnClassesThat(
              resideInAPackage("dev.gatun..")
                  .and(
                      not(
                          resideInAnyPackage(
                              "dev.gatun.onnx..",
                              "dev.gatun.weights..",
                              "dev.gatun.kernels.api.memory.."))));

  @ArchTest
  static final ArchRule only_the_server_imports_the_http_server =
      noClasses()
          .that()
          .resideOutsideOfPackage("dev.gatun.server..")
          .should()
          .dependOnClassesThat()
          .resideInAPackage("com.sun.net.httpserver..");

  @ArchTest
  static final ArchRule the_server_needs_jackson_and_the_http_server_alone =
      classes()
          .that()
          .resideInAPackage("dev.gatun.server..")
          .should()
          .onlyDependOnClassesThat()
          .resideInAnyPackage(
              "java..", "dev.gatun..", "com.fasterxml.jackson..", "com.sun.net.httpserver..");

  @ArchTest
  static final ArchRule only_its_module_imports_langchain4j =
      noClasses()
          .that()
          .resideOutsideOfPackage("dev.gatun.langchain4j..")
          .should()
          .dependOnClassesThat()
          .resideInAPackage("dev.langchain4j..");

  @ArchTest
  static final ArchRule core_needs_jackson_alone =
      classes()
          .that()
          .resideInAnyPackage(CORE)
          .should()
          .onlyDependOnClassesThat()
          .resideInAnyPackage("java..", "dev.gatun..", "com.fasterxml.jackson..");
}
