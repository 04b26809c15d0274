package dev.gatun.kernels.api.call.optim;

import dev.gatun.kernels.api.checks.Checks;
import dev.gatun.kernels.api.memory.DType;
import dev.gatun.kernels.api.memory.Operand;
import java.util.ArrayList;
import java.util.List;

/**
 * The norm of a list of gradients: {@code norms[i] = √Σ (scale · gradients[i])²} and {@code norm =
 * √Σ norms²}, as PyTorch's {@code clip_grad_norm_} computes it. Sums run in an order that follows
 * from the shapes. A NaN or an infinity among the gradients makes its norm and the whole one no
 * finite number, and so does a scaled gradient whose square is beyond F32.
 *
 * @param gradients F32 of any shapes, contiguous
 * @param scale of all of them: 1, or 1 divided by what the loss was multiplied by
 * @param norms F32 [gradients] contiguous, the norm of each; or null
 * @param norm F32 [1], that of all
 */
public record GlobalNorm(List<Operand> gradients, float scale, Operand norms, Operand norm)
    implements OptimCall {
  private static final String NAME = "global_norm";

  /**
   * Checks the arguments.
   *
   * @throws IllegalArgumentException naming the argument that does not fit, and what would
   */
  public GlobalNorm {
    gradients = Spans.copy(NAME, "gradient", Checks.required(NAME, "gradients", gradients));
    for (int i = 0; i < gradients.size(); i++) {
      Spans.whole(NAME, "gradient", i, gradients.get(i));
    }
    if (!Float.isFinite(scale)) {
      throw Checks.bad(NAME, "scale is %s, expected a finite number", scale);
    }
    if (norms != null) {
      Checks.shaped(NAME, "norms", norms, DType.F32, gradients.size());
      Checks.contiguous(NAME, "norms", norms);
    }
    Checks.shaped(NAME, "norm", norm, DType.F32, 1);
    Spans.disjoint(NAME, gradients, Checks.present(norms, norm));
  }

  @Override
  public String kernel() {
    return NAME;
  }

  @Override
  public List<Operand> inputs() {
    return new ArrayList<>(gradients);
  }

  @Override
  public List<Operand> outputs() {
    return Checks.present(norms, norm);
  }
}
