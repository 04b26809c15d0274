package dev.gatun.test.gradients;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.tngtech.archunit.core.domain.JavaClass;
import com.tngtech.archunit.core.domain.JavaClasses;
import com.tngtech.archunit.core.domain.JavaMethod;
import com.tngtech.archunit.core.domain.JavaModifier;
import com.tngtech.archunit.core.importer.ClassFileImporter;
import dev.gatun.autograd.Tape;
import dev.gatun.ops.Optim;
import java.util.ArrayDeque;
import java.util.Deque;
import java.util.HashSet;
import java.util.Set;
import java.util.TreeSet;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;

/**
 * Every public op passes gradients on, or refuses what is tracked, or gives what has no slope; none
 * cuts them off in silence. Plain forms are made of ops.
 */
final class EveryOpTest {
  /** Ops whose results are whole numbers or steps of their inputs, or have no inputs. */
  private static final Set<String> CONSTANT =
      Set.of(
          "Elementwise.compare",
          "Elementwise.equal",
          "Elementwise.less",
          "Elementwise.random",
          "Elementwise.remainder",
          "Reductions.argmax",
          "Reductions.argsort",
          "Packing.allocate",
          "Packing.allocateExperts",
          // Their inputs are blocks.
          "Quantization.dequantize",
          "Quantization.pack",
          "Packing.packBlocks");

  /** Ops that are other ops, one after another. */
  private static final Set<String> COMPOSED = Set.of("Loss.mean");

  private static final JavaClasses OPS = new ClassFileImporter().importPackages("dev.gatun.ops");

  /** What refuses, or records, in a test of all fused ops: {@code PlainFormsTest}. */
  private static final String FORMS = "dev.gatun.test.contract.forms.Forms";

  private static final JavaClasses TESTS =
      new ClassFileImporter()
          .importPackages("dev.gatun.test.gradients", "dev.gatun.test.contract.forms");

  private static Stream<JavaMethod> ops() {
    return OPS.stream()
        .filter(c -> c.getModifiers().contains(JavaModifier.PUBLIC))
        .flatMap(c -> c.getMethods().stream())
        .filter(m -> m.getModifiers().contains(JavaModifier.PUBLIC))
        .filter(m -> m.getModifiers().contains(JavaModifier.STATIC))
        .filter(m -> m.getOwner().getEnclosingClass().isEmpty())
        .filter(m -> !m.getName().startsWith("plain"))
        // What runs behind a tape.
        .filter(m -> !m.getName().endsWith("Backward"))
        .filter(m -> !m.getOwner().isEquivalentTo(Optim.class));
  }

  private static String name(JavaMethod op) {
    return op.getOwner().getSimpleName() + "." + op.getName();
  }

  /** Whether a class is one that ops are made with, and no op by itself. */
  private static boolean isBehindOps(JavaClass type) {
    return type.getPackageName().equals("dev.gatun.ops")
        && !type.getModifiers().contains(JavaModifier.PUBLIC);
  }

  /** The names of the tape's methods that an op calls, by way of what it calls in its room. */
  private static Set<String> callsOfTape(JavaMethod op) {
    Set<String> found = new TreeSet<>();
    Set<JavaMethod> seen = new HashSet<>();
    Deque<JavaMethod> open = new ArrayDeque<>();
    open.add(op);
    while (!open.isEmpty()) {
      JavaMethod method = open.pop();
      if (!seen.add(method)) {
        continue;
      }
      method.getMethodCallsFromSelf().stream()
          .map(call -> call.getTarget())
          .forEach(
              target -> {
                if (target.getOwner().isEquivalentTo(Tape.class)) {
                  found.add(target.getName());
                } else if (target.getOwner().equals(op.getOwner())
                    || isBehindOps(target.getOwner())) {
                  target.resolveMember().ifPresent(open::add);
                }
              });
    }
    return found;
  }

  /** Whether an op is called by a test, or by another op of its class that is. */
  private static Set<String> called(String test) {
    return TESTS.get(test).getMethods().stream()
        .flatMap(
            m ->
                Stream.concat(
                    m.getMethodCallsFromSelf().stream().map(c -> c.getTarget()),
                    m.getMethodReferencesFromSelf().stream().map(c -> c.getTarget())))
        .filter(target -> target.getOwner().getPackageName().equals("dev.gatun.ops"))
        .map(target -> target.getOwner().getSimpleName() + "." + target.getName())
        .collect(Collectors.toSet());
  }

  @Test
  void every_op_records_or_refuses() {
    Set<String> silent = new TreeSet<>();
    ops()
        .filter(op -> !CONSTANT.contains(name(op)) && !COMPOSED.contains(name(op)))
        .forEach(
            op -> {
              Set<String> calls = callsOfTape(op);
              if (!calls.contains("node")
                  && !calls.contains("refuse")
                  && !calls.contains("refuseInPlace")) {
                silent.add(op.getFullName());
              }
            });
    assertEquals(Set.of(), silent, "ops that neither record nor refuse");
    assertTrue(ops().count() > 40, "found the ops");
  }

  @Test
  void what_is_named_is_there() {
    Set<String> gone = new TreeSet<>(CONSTANT);
    gone.addAll(COMPOSED);
    ops().forEach(op -> gone.remove(name(op)));
    assertEquals(Set.of(), gone);
  }

  @Test
  void every_gradient_and_every_refusal_is_tested() {
    Set<String> compared = called(OpGradientsTest.class.getName());
    Set<String> refused = new HashSet<>(called(RefusalsTest.class.getName()));
    refused.addAll(called(FORMS));
    Set<String> missing = new TreeSet<>();
    ops()
        .filter(op -> !CONSTANT.contains(name(op)))
        .forEach(
            op -> {
              Set<String> calls = callsOfTape(op);
              boolean gradient = calls.contains("node") || COMPOSED.contains(name(op));
              if (gradient && !compared.contains(name(op))) {
                missing.add(name(op) + " is compared with no differences");
              }
              if (!gradient && !refused.contains(name(op))) {
                missing.add(name(op) + ": its refusal is not tested");
              }
            });
    assertEquals(Set.of(), missing);
  }
}
