package dev.gatun.kernels.api.call;

import dev.gatun.kernels.api.call.attention.AttentionCall;
import dev.gatun.kernels.api.call.elementwise.ElementwiseCall;
import dev.gatun.kernels.api.call.experts.ExpertCall;
import dev.gatun.kernels.api.call.indexing.IndexingCall;
import dev.gatun.kernels.api.call.loss.LossCall;
import dev.gatun.kernels.api.call.matmul.MatmulCall;
import dev.gatun.kernels.api.call.norm.NormCall;
import dev.gatun.kernels.api.call.optim.OptimCall;
import dev.gatun.kernels.api.call.reduction.ReductionCall;
import dev.gatun.kernels.api.memory.Operand;
import java.util.List;

/** One call of a kernel with its arguments, checked when made; a record of one of the families. */
public sealed interface KernelCall
    permits AttentionCall,
        ElementwiseCall,
        ExpertCall,
        IndexingCall,
        LossCall,
        MatmulCall,
        NormCall,
        OptimCall,
        ReductionCall {
  /** {@return the kernel's name, as error messages begin} */
  String kernel();

  /** {@return everything read} */
  List<Operand> inputs();

  /** {@return everything written} */
  List<Operand> outputs();
}
