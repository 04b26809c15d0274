package dev.gatun.test.architecture;

import static com.tngtech.archunit.base.DescribedPredicate.not;
import static com.tngtech.archunit.core.domain.JavaClass.Predicates.resideInAPackage;
import static com.tngtech.archunit.core.domain.JavaClass.Predicates.resideInAnyPackage;
import static com.tngtech.archunit.lang.syntax.ArchRuleDefinition.classes;
import static com.tngtech.archunit.lang.syntax.ArchRuleDefinition.noClasses;

import com.tngtech.archunit.core.domain.JavaClass;
import com.tngtech.archunit.core.domain.JavaModifier;
import com.tngtech.archunit.core.importer.ImportOption;
import com.tngtech.archunit.junit.AnalyzeClasses;
import com.tngtech.archunit.junit.ArchTest;
import com.tngtech.archunit.lang.ArchCondition;
import com.tngtech.archunit.lang.ArchRule;
import com.tngtech.archunit.lang.CompositeArchRule;
import com.tngtech.archunit.lang.ConditionEvents;
import com.tngtech.archunit.lang.SimpleConditionEvent;
import com.tngtech.archunit.library.dependencies.SlicesRuleDefinition;
import dev.gatun.models.EncoderModel;
import java.util.Arrays;
import java.util.stream.IntStream;
import java.util.stream.Stream;

/** The way of a number: model, nn, op, kernels.api, backend, binding; no arrow upward. */
@AnalyzeClasses(packages = "dev.gatun", importOptions = ImportOption.DoNotIncludeTests.class)
final class LayersTest {
  private static final String[] CORE = {
    "dev.gatun.files..",
    "dev.gatun.generation..",
    "dev.gatun.models..",
    "dev.gatun.nn..",
    "dev.gatun.ops..",
    "dev.gatun.pipelines..",
    "dev.gatun.tensor..",
    "dev.gatun.text",
    "dev.gatun.weights.."
  };

  // The rooms of the Java API; each imports only from those before it.
  private static final String[] JAVA_API = {
    "dev.gatun.tensor..",
    "dev.gatun.ops..",
    "dev.gatun.nn..",
    "dev.gatun.weights..",
    "dev.gatun.text",
    "dev.gatun.models..",
    "dev.gatun.generation..",
    "dev.gatun.pipelines..",
    "dev.gatun.onnx..",
    "dev.gatun.text.hf..",
    "dev.gatun.cli.."
  };

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
          .resideInAnyPackage(
              "dev.gatun.kernels.cpu..",
              "dev.gatun.kernels.cuda..",
              "dev.gatun.kernels.reference..")
          .should()
          .onlyDependOnClassesThat()
          .resideInAnyPackage("java..", "dev.gatun.kernels..", "dev.gatun.bindings..");

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
  static final ArchRule no_backend_imports_another =
      SlicesRuleDefinition.slices()
          .matching("dev.gatun.kernels.(*)..")
          .should()
          .notDependOnEachOther()
          .ignoreDependency(
              resideInAPackage("dev.gatun.kernels.."),
              resideInAnyPackage("dev.gatun.kernels.api..", "dev.gatun.kernels.formats.."));

  @ArchTest
  static final ArchRule the_java_api_names_no_backend =
      noClasses()
          .that()
          .resideInAnyPackage(JAVA_API)
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
          .resideInAnyPackage(
              "dev.gatun.ops..", "dev.gatun.nn..", "dev.gatun.models..", "dev.gatun.pipelines..")
          .should()
          .dependOnClassesThat()
          .resideInAPackage("java.lang.foreign..");

  @ArchTest
  static final ArchRule only_its_wrapper_imports_a_generated_package =
      noClasses()
          .that()
          .resideOutsideOfPackage("dev.gatun.bindings..")
          .should()
          .dependOnClassesThat()
          .resideInAPackage("dev.gatun.bindings.generated..");

  @ArchTest
  static final ArchRule a_room_imports_only_from_those_before_it =
      CompositeArchRule.of(
          IntStream.range(0, JAVA_API.length - 1).mapToObj(LayersTest::knowsNoneAfterIt).toList());

  @ArchTest
  static final ArchRule every_package_is_in_a_room =
      classes()
          .should()
          .resideInAnyPackage(
              Stream.of(
                      Stream.of(JAVA_API),
                      Stream.of(CORE),
                      Stream.of("dev.gatun.bindings..", "dev.gatun.kernels.."))
                  .flatMap(rooms -> rooms)
                  .toArray(String[]::new));

  private static ArchRule knowsNoneAfterIt(int room) {
    return noClasses()
        .that()
        .resideInAPackage(JAVA_API[room])
        .should()
        .dependOnClassesThat()
        .resideInAnyPackage(Arrays.copyOfRange(JAVA_API, room + 1, JAVA_API.length));
  }

  @ArchTest
  static final ArchRule no_architecture_imports_another =
      classes()
          .that()
          .areAssignableTo(EncoderModel.class)
          .and()
          .doNotHaveModifier(JavaModifier.ABSTRACT)
          .should(
              new ArchCondition<>("depend on no other architecture") {
                @Override
                public void check(JavaClass architecture, ConditionEvents events) {
                  architecture.getDirectDependenciesFromSelf().stream()
                      .filter(found -> isAnother(architecture, found.getTargetClass()))
                      .forEach(
                          found ->
                              events.add(
                                  SimpleConditionEvent.violated(found, found.getDescription())));
                }
              });

  private static boolean isAnother(JavaClass architecture, JavaClass other) {
    return other.isAssignableTo(EncoderModel.class)
        && !other.getModifiers().contains(JavaModifier.ABSTRACT)
        && !other.equals(architecture);
  }

  @ArchTest
  static final ArchRule only_the_tokenizers_module_imports_djl =
      noClasses()
          .that()
          .resideOutsideOfPackage("dev.gatun.text.hf..")
          .should()
          .dependOnClassesThat()
          .resideInAPackage("ai.djl..");

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
  static final ArchRule core_needs_jackson_alone =
      classes()
          .that()
          .resideInAnyPackage(CORE)
          .should()
          .onlyDependOnClassesThat()
          .resideInAnyPackage("java..", "dev.gatun..", "com.fasterxml.jackson..");
}
