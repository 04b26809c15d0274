package dev.gatun.test.contract.forms;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.tngtech.archunit.core.domain.JavaClasses;
import com.tngtech.archunit.core.domain.JavaCodeUnit;
import com.tngtech.archunit.core.domain.JavaConstructorCall;
import com.tngtech.archunit.core.domain.JavaMethod;
import com.tngtech.archunit.core.importer.ClassFileImporter;
import dev.gatun.kernels.api.call.indexing.PackedEmbedding;
import java.util.Set;
import java.util.TreeSet;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;

/** Every kernel has its op, and every op that is fused of others its plain form. */
final class OpsTest {
  private static final JavaClasses OPS = new ClassFileImporter().importPackages("dev.gatun.ops");

  /** What differs from another op by how a weight lies, and has the other's plain form. */
  private static final Set<Class<?>> OF_ANOTHER = Set.of(PackedEmbedding.class);

  /** Where ops make records. */
  private static Stream<JavaConstructorCall> made() {
    return OPS.stream().flatMap(c -> c.getConstructorCallsFromSelf().stream());
  }

  private static Set<String> names(Set<? extends Class<?>> classes) {
    return classes.stream().map(Class::getName).collect(Collectors.toCollection(TreeSet::new));
  }

  @Test
  void every_kernel_record_has_an_op_that_makes_it() {
    Set<String> without = names(Records.all());
    assertTrue(without.size() > 30, "found the records");
    made().map(call -> call.getTargetOwner().getName()).forEach(without::remove);
    assertEquals(Set.of(), without, "records that no op of dev.gatun.ops makes");
  }

  @Test
  void every_fused_op_has_its_plain_form_beside_it() {
    Set<String> without = names(Records.fused());
    assertTrue(without.size() > 20, "found the fused ones");
    without.removeAll(names(OF_ANOTHER));
    made()
        .filter(call -> hasPlainForm(call.getOrigin()))
        .forEach(call -> without.remove(call.getTargetOwner().getName()));
    assertEquals(
        Set.of(),
        without,
        "records that no op makes which has a plain form, as rmsNorm has plainRmsNorm;"
            + " what plain forms are made of is named in Records");
  }

  /** Whether it, or what calls it in its class, is an op with a plain form. */
  private static boolean hasPlainForm(JavaCodeUnit unit) {
    String op = unit.getName();
    String plain = "plain" + Character.toUpperCase(op.charAt(0)) + op.substring(1);
    return unit.getOwner().getMethods().stream().anyMatch(m -> m.getName().equals(plain))
        || unit instanceof JavaMethod method
            && method.getCallsOfSelf().stream()
                .map(call -> call.getOrigin())
                .filter(caller -> caller.getOwner().equals(unit.getOwner()))
                .filter(caller -> !caller.equals(unit))
                .anyMatch(OpsTest::hasPlainForm);
  }
}
