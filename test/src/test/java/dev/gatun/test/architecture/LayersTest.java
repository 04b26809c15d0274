package dev.gatun.test.architecture;

import static com.tngtech.archunit.base.DescribedPredicate.not;
import static com.tngtech.archunit.core.domain.JavaClass.Predicates.resideInAPackage;
import static com.tngtech.archunit.core.domain.JavaClass.Predicates.resideInAnyPackage;
import static com.tngtech.archunit.lang.syntax.ArchRuleDefinition.classes;
import static com.tngtech.archunit.lang.syntax.ArchRuleDefinition.noClasses;

import com.tngtech.archunit.core.importer.ImportOption;
import com.tngtech.archunit.junit.AnalyzeClasses;
import com.tngtech.archunit.junit.ArchTest;
import com.tngtech.archunit.lang.ArchRule;
import com.tngtech.archunit.library.dependencies.SlicesRuleDefinition;

/** The way of a number: model, nn, op, kernels.api, backend, binding; no arrow upward. */
@AnalyzeClasses(packages = "dev.gatun", importOptions = ImportOption.DoNotIncludeTests.class)
final class LayersTest {
  private static final String[] JAVA_API = {
    "dev.gatun.tensor..",
    "dev.gatun.ops..",
    "dev.gatun.nn..",
    "dev.gatun.models..",
    "dev.gatun.pipelines..",
    "dev.gatun.text..",
    "dev.gatun.weights..",
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
          .resideInAnyPackage("dev.gatun.ops..", "dev.gatun.nn..", "dev.gatun.pipelines..")
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
  static final ArchRule lower_layers_do_not_know_upper_ones =
      noClasses()
          .that()
          .resideInAnyPackage("dev.gatun.tensor..", "dev.gatun.ops..", "dev.gatun.nn..")
          .should()
          .dependOnClassesThat()
          .resideInAnyPackage("dev.gatun.models..", "dev.gatun.pipelines..", "dev.gatun.cli..");

  @ArchTest
  static final ArchRule tokenizers_are_behind_text =
      noClasses()
          .that()
          .resideOutsideOfPackage("dev.gatun.text..")
          .should()
          .dependOnClassesThat()
          .resideInAPackage("ai.djl..");
}
