package dev.gatun.test.contract.programs;

import dev.gatun.kernels.api.device.Backend;
import dev.gatun.kernels.api.device.Devices;
import dev.gatun.test.contract.cases.Cases;
import dev.gatun.test.contract.cases.Draw;
import dev.gatun.test.contract.cases.Family;
import dev.gatun.test.contract.frame.Case;
import dev.gatun.test.contract.frame.CudaAgreement;
import dev.gatun.test.contract.frame.Runs;
import dev.gatun.test.contract.frame.Target;
import dev.gatun.test.emulator.Emulator;
import dev.gatun.test.emulator.Emulator.Policy;
import java.util.Arrays;
import java.util.Comparator;
import java.util.List;

/** A program: cases for compute capability 9.0 on every device that the emulated driver shows. */
public final class CapabilityRuns {
  private static final int INVALID_VALUE = 1;

  private CapabilityRuns() {}

  /** Prints each device, and of each case whether TMA was told of a tensor. */
  public static void main(String[] arguments) {
    Emulator.open();
    List<Case> cases =
        List.of(
            least("matmul", ""),
            least("scaled_dot_product_attention", ""),
            least("quantized_matmul", "INT8 INT8_PER_TOKEN"),
            least("quantized_matmul", "INT8 EXACT"),
            least("quantized_matmul", "INT4"));
    for (int ordinal = 0; ordinal < Integer.parseInt(arguments[0]); ordinal++) {
      Backend device = Devices.open("cuda", ordinal);
      StringBuilder line = new StringBuilder(device.description());
      for (Case c : cases) {
        CudaAgreement.check(c, device, true, List.of(Policy.ROUND_ROBIN));
        line.append(usesTma(c, device) ? " yes" : " no");
      }
      System.out.println(line);
    }
  }

  private static Case least(String kernel, String kind) {
    return Cases.draws(Family.HOPPER, Target.EMULATED_HOPPER, 20)
        .filter(draw -> draw.generator().name().equals(kernel))
        .map(Draw::make)
        .filter(c -> c.description().contains(kind))
        .filter(c -> !c.description().contains("paged"))
        .min(Comparator.comparingLong(CapabilityRuns::elements))
        .orElseThrow();
  }

  private static long elements(Case c) {
    return c.data().stream()
        .mapToLong(d -> Arrays.stream(d.shape()).reduce(1, (x, y) -> x * y))
        .sum();
  }

  private static boolean usesTma(Case c, Backend device) {
    Emulator.fail("cuTensorMapEncodeTiled", 0, INVALID_VALUE);
    try {
      Runs.run(c, device, true);
      return false;
    } catch (RuntimeException e) {
      if (!e.getMessage().contains("cuTensorMapEncodeTiled")) {
        throw e;
      }
      return true;
    } finally {
      Emulator.reset();
    }
  }
}
