package dev.gatun.test.contract.forms;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.tngtech.archunit.core.domain.JavaClass;
import com.tngtech.archunit.core.domain.JavaClasses;
import com.tngtech.archunit.core.importer.ClassFileImporter;
import dev.gatun.kernels.api.call.KernelCall;
import dev.gatun.kernels.api.call.elementwise.Activate;
import dev.gatun.kernels.api.call.elementwise.Cast;
import dev.gatun.kernels.api.call.elementwise.Compare;
import dev.gatun.kernels.api.call.elementwise.DropElements;
import dev.gatun.kernels.api.call.elementwise.Elementwise;
import dev.gatun.kernels.api.call.elementwise.Unary;
import dev.gatun.kernels.api.call.elementwise.Where;
import dev.gatun.kernels.api.call.indexing.Copy;
import dev.gatun.kernels.api.call.indexing.IndexAdd;
import dev.gatun.kernels.api.call.indexing.IndexSelect;
import dev.gatun.kernels.api.call.indexing.ScatterRows;
import dev.gatun.kernels.api.call.matmul.BatchedMatmul;
import dev.gatun.kernels.api.call.matmul.Dequantize;
import dev.gatun.kernels.api.call.matmul.MatmulPack;
import dev.gatun.kernels.api.call.matmul.Quantize;
import dev.gatun.kernels.api.call.matmul.QuantizedPack;
import dev.gatun.kernels.api.call.norm.Softmax;
import dev.gatun.kernels.api.call.optim.GlobalNorm;
import dev.gatun.kernels.api.call.optim.OptimizerStep;
import dev.gatun.kernels.api.call.reduction.ArgMax;
import dev.gatun.kernels.api.call.reduction.Reduce;
import dev.gatun.kernels.api.call.reduction.Sample;
import dev.gatun.kernels.api.call.reduction.Scan;
import dev.gatun.kernels.api.call.reduction.TopK;
import java.util.Arrays;
import java.util.HashSet;
import java.util.Set;
import java.util.TreeSet;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;

/** Every kernel has its op, and every op that is fused of others its plain form. */
final class OpsTest {
  /** What plain forms are made of, and what lays weights out, which is a backend's own. */
  private static final Set<Class<? extends KernelCall>> PRIMITIVE =
      Set.of(
          Activate.class,
          Cast.class,
          DropElements.class,
          Elementwise.class,
          Copy.class,
          IndexAdd.class,
          IndexSelect.class,
          ScatterRows.class,
          BatchedMatmul.class,
          Dequantize.class,
          MatmulPack.class,
          Quantize.class,
          QuantizedPack.class,
          Softmax.class,
          ArgMax.class,
          Reduce.class,
          Sample.class,
          Scan.class,
          TopK.class,
          Unary.class,
          Compare.class,
          Where.class);

  /** What changes parameters in place, which no gradient passes through: there is one form. */
  private static final Set<Class<? extends KernelCall>> UPDATES =
      Set.of(GlobalNorm.class, OptimizerStep.class);

  private static final JavaClasses OPS = new ClassFileImporter().importPackages("dev.gatun.ops");

  /** The records that a sealed interface permits, at any depth. */
  private static Stream<Class<?>> records(Class<?> sealed) {
    return sealed.isSealed()
        ? Arrays.stream(sealed.getPermittedSubclasses()).flatMap(OpsTest::records)
        : Stream.of(sealed);
  }

  private static Set<String> names(Stream<? extends Class<?>> classes) {
    return classes.map(Class::getName).collect(Collectors.toCollection(TreeSet::new));
  }

  @Test
  void every_kernel_record_has_an_op_that_makes_it() {
    Set<String> made =
        OPS.stream()
            .flatMap(c -> c.getConstructorCallsFromSelf().stream())
            .map(call -> call.getTargetOwner().getName())
            .collect(Collectors.toSet());
    Set<String> without = names(records(KernelCall.class));
    assertTrue(without.size() > 30, "found the records");
    without.removeAll(made);
    assertEquals(Set.of(), without, "records that no op of dev.gatun.ops makes");
  }

  @Test
  void every_record_is_primitive_or_fused_or_an_update() {
    Set<Class<?>> both = new HashSet<>(PRIMITIVE);
    both.addAll(PlainForms.FUSED.keySet());
    both.addAll(UPDATES);
    assertEquals(
        PRIMITIVE.size() + PlainForms.FUSED.size() + UPDATES.size(), both.size(), "not in both");
    assertEquals(names(both.stream()), names(records(KernelCall.class)));
  }

  @Test
  void every_fused_op_has_its_plain_form_beside_it() {
    PlainForms.FUSED.forEach(
        (record, form) -> {
          String[] names = form.split("\\.");
          JavaClass family = OPS.get("dev.gatun.ops." + names[0]);
          String kernel = names[1].substring("plain".length());
          String op = Character.toLowerCase(kernel.charAt(0)) + kernel.substring(1);
          for (String name : new String[] {op, names[1]}) {
            assertTrue(
                family.getMethods().stream().anyMatch(m -> m.getName().equals(name)),
                "%s: there is no %s in %s".formatted(record.getSimpleName(), name, names[0]));
          }
          assertTrue(
              family.getConstructorCallsFromSelf().stream()
                  .anyMatch(call -> call.getTargetOwner().getName().equals(record.getName())),
              "%s is not made in %s".formatted(record.getSimpleName(), names[0]));
        });
  }
}
