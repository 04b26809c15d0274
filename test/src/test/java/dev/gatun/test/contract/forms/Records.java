package dev.gatun.test.contract.forms;

import dev.gatun.kernels.api.call.KernelCall;
import dev.gatun.kernels.api.call.elementwise.Activate;
import dev.gatun.kernels.api.call.elementwise.Cast;
import dev.gatun.kernels.api.call.elementwise.Compare;
import dev.gatun.kernels.api.call.elementwise.DropElements;
import dev.gatun.kernels.api.call.elementwise.Elementwise;
import dev.gatun.kernels.api.call.elementwise.RandomNumbers;
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
import dev.gatun.kernels.api.call.optim.AdafactorStep;
import dev.gatun.kernels.api.call.optim.GlobalNorm;
import dev.gatun.kernels.api.call.optim.OptimizerStep;
import dev.gatun.kernels.api.call.reduction.ArgMax;
import dev.gatun.kernels.api.call.reduction.Reduce;
import dev.gatun.kernels.api.call.reduction.Sample;
import dev.gatun.kernels.api.call.reduction.Scan;
import dev.gatun.kernels.api.call.reduction.Sort;
import dev.gatun.kernels.api.call.reduction.TopK;
import java.util.Arrays;
import java.util.Locale;
import java.util.Set;
import java.util.stream.Collectors;
import java.util.stream.Stream;

/** The records of kernels, by what their ops are: what is not named here is fused of others. */
final class Records {
  /** What plain forms are made of, and what lays weights out, which is a backend's own. */
  static final Set<Class<? extends KernelCall>> PRIMITIVE =
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
          Sort.class,
          TopK.class,
          Unary.class,
          RandomNumbers.class,
          Compare.class,
          Where.class);

  /** What changes parameters in place, which no gradient passes through: there is one form. */
  static final Set<Class<? extends KernelCall>> UPDATES =
      Set.of(GlobalNorm.class, OptimizerStep.class, AdafactorStep.class);

  private Records() {}

  /** All of them. */
  static Set<Class<?>> all() {
    return permitted(KernelCall.class).collect(Collectors.toSet());
  }

  /** The records whose ops are fused of others, and have a plain form beside them. */
  static Set<Class<?>> fused() {
    Set<Class<?>> fused = all();
    fused.removeAll(PRIMITIVE);
    fused.removeAll(UPDATES);
    return fused;
  }

  /** The kernel's name by the record's: {@code rms_norm} of {@code RmsNorm}. */
  static String kernel(Class<?> fused) {
    return fused.getSimpleName().replaceAll("([a-z0-9])([A-Z])", "$1_$2").toLowerCase(Locale.ROOT);
  }

  private static Stream<Class<?>> permitted(Class<?> sealed) {
    return sealed.isSealed()
        ? Arrays.stream(sealed.getPermittedSubclasses()).flatMap(Records::permitted)
        : Stream.of(sealed);
  }
}
