package dev.gatun.test.contract.forms;

import dev.gatun.autograd.Tape;
import dev.gatun.kernels.api.call.KernelCall;
import dev.gatun.tensor.Device;
import dev.gatun.tensor.Scope;
import dev.gatun.tensor.Tensor;
import dev.gatun.test.contract.cases.Cases;
import dev.gatun.test.contract.cases.Draw;
import dev.gatun.test.contract.cases.Family;
import dev.gatun.test.contract.frame.Case;
import dev.gatun.test.contract.frame.Data;
import dev.gatun.test.contract.frame.Runs;
import dev.gatun.test.contract.frame.Target;
import dev.gatun.test.contract.frame.Tolerance;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeSet;
import java.util.function.BiConsumer;
import java.util.stream.Collectors;
import java.util.stream.Stream;

/** Holds an op's two forms, on a backend, to what is right and to each other. */
final class PlainForms {
  private static final Set<Class<?>> FUSED = Records.fused();

  /** Generators beside those that have a kernel's name. */
  private static final Set<String> SPECIAL =
      Set.of(
          "scaled_dot_product_attention-codes",
          "attention_backward-shifted",
          "rotary_cache_update-codes");

  /**
   * Products whose plain form multiplies floats, where the kernel and the computations that bound
   * it multiply whole numbers: what its worst result errs by is luck, so their cases are always the
   * same.
   */
  private static final Set<String> BY_CODES =
      Set.of("quantized_matmul", "block_matmul", "grouped_quantized_matmul");

  private PlainForms() {}

  /** The generators of the contract whose cases both forms run. */
  static Set<String> generators() {
    return Stream.concat(FUSED.stream().map(Records::kernel), SPECIAL.stream())
        .collect(Collectors.toCollection(TreeSet::new));
  }

  /** Cases whose forms are compared. */
  static List<Case> cases(Target target, int each) {
    Set<String> generators = generators();
    Stream<Draw> drawn =
        Cases.draws(Family.PLAIN, target, each)
            .filter(draw -> !BY_CODES.contains(draw.generator().name()));
    Stream<Draw> same =
        Cases.draws(Family.PLAIN, target, 1, 0, each)
            .filter(draw -> BY_CODES.contains(draw.generator().name()));
    return Stream.concat(drawn, same)
        .filter(draw -> generators.contains(draw.generator().name()))
        .map(Draw::make)
        // Plain forms multiply what is not seen by 0.
        .filter(c -> !c.description().contains("with NaN"))
        .map(PlainForms::seenByAll)
        .toList();
  }

  /** The same case with finite values of attention, which its plain form multiplies by 0. */
  private static Case seenByAll(Case c) {
    List<Data> data =
        c.data().stream()
            .map(
                d ->
                    !d.name().equals("value") && !d.name().equals("value scales")
                        ? d
                        : d.withValues(d.contents().changed(PlainForms::finite)))
            .toList();
    return new Case(c.description(), data, c.call(), c.exact(), c.oracle());
  }

  private static double[] finite(double[] values) {
    for (int i = 0; i < values.length; i++) {
      values[i] = Double.isFinite(values[i]) && Math.abs(values[i]) < 1e20 ? values[i] : 0.5;
    }
    return values;
  }

  /**
   * Runs both forms of a case: each is as right as the contract asks of a kernel, the kernel form
   * also by what the plain one errs; the one makes one call, the other none of a fused kernel.
   *
   * @return whether there were two forms to compare
   */
  static boolean check(Case c, Recorder backend) {
    Device device = Device.of(backend);
    try (Scope _ = Scope.open()) {
      KernelCall call = new Operands(c, device).call();
      if (!Forms.has(call)) {
        return false;
      }
      Runs.References references = Runs.references(c);
      Map<String, int[]> plain = run(c, device, backend, references, Forms::plain);
      for (KernelCall made : backend.calls) {
        if (FUSED.contains(made.getClass())) {
          throw new AssertionError(c + ": the plain form ran " + made.kernel());
        }
      }
      Tolerance.check(c, references, plain);
      Map<String, int[]> kernel = run(c, device, backend, references, Forms::kernel);
      if (backend.calls.size() != 1 || backend.calls.getFirst().getClass() != call.getClass()) {
        throw new AssertionError(c + ": the kernel form ran " + backend.calls);
      }
      // In few results the one plain form may err less than such computations do.
      Tolerance.check(c, references, List.of(plain), kernel);
      return true;
    }
  }

  /**
   * Requires of the op of a case, while a tape tracks what it reads, that it gives something with a
   * gradient or refuses by its name: that it does not cut gradients off in silence.
   */
  static void checkTracked(Case c, Recorder backend) {
    try (Scope _ = Scope.open()) {
      Operands operands = new Operands(c, Device.of(backend));
      KernelCall call = operands.call();
      List<Tensor> read = operands.floats(call);
      if (!Forms.has(call) || read.isEmpty()) {
        return;
      }
      try (Tape _ = Tape.record(read)) {
        Forms.kernel(call, operands);
        if (!operands.hasGradient()) {
          throw new AssertionError(c + ": neither refused nor recorded, see Tape.refuse");
        }
      } catch (UnsupportedOperationException e) {
        if (!e.getMessage().startsWith(call.kernel()) || !e.getMessage().contains("tracked")) {
          throw new AssertionError(c + ": refused by '" + e.getMessage() + "'", e);
        }
      }
    }
  }

  private static Map<String, int[]> run(
      Case c,
      Device device,
      Recorder backend,
      Runs.References references,
      BiConsumer<KernelCall, Operands> form) {
    try (Scope _ = Scope.open()) {
      Operands operands = new Operands(c, device);
      KernelCall call = operands.call();
      backend.calls.clear();
      form.accept(call, operands);
      return operands.results(references.exact());
    }
  }
}
