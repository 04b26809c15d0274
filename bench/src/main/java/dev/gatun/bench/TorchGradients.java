package dev.gatun.bench;

import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDList;
import java.util.Arrays;

/** The programs of libtorch that compute cases of training, and their inputs. */
final class TorchGradients {
  private final TorchKernels kernels;
  private final KernelCase c;
  private final long[] shape;

  TorchGradients(TorchKernels kernels, KernelCase c) {
    this.kernels = kernels;
    this.c = c;
    this.shape = Arrays.stream(c.sizes()).asLongStream().toArray();
  }

  TorchKernels.Call call() throws Exception {
    if (c.isAttention()) {
      return attention();
    }
    if (c.isProduct()) {
      boolean isOfWeight = c.kernel().equals(KernelCase.DWEIGHT);
      NDArray a =
          isOfWeight
              ? kernels.array(c, c.left(), shape[2], shape[0])
              : kernels.array(c, c.left(), shape[0], shape[2]);
      NDArray b = kernels.array(c, c.right(), shape[2], shape[1]);
      return kernels.call(c.kernel(), new NDList(a, b));
    }
    return rows();
  }

  private TorchKernels.Call attention() throws Exception {
    int[] s = c.sizes();
    NDList inputs = new NDList();
    for (int i = 0; i < 3; i++) {
      inputs.add(kernels.array(c, c.head(i), s[0], s[1], i == 0 ? s[2] : s[3], s[4]));
    }
    String causal = c.isCausal() ? "causal_" : "";
    NDList made = kernels.made(causal + "attention_lse", inputs);
    inputs.addAll(made);
    inputs.add(kernels.array(c, c.head(3), s[0], s[1], s[2], s[4]));
    return kernels.call(causal + "attention_backward", inputs);
  }

  private TorchKernels.Call rows() throws Exception {
    int columns = c.sizes()[1];
    NDArray first = kernels.array(c, KernelCase.many(1, c.count()), shape);
    NDArray second = kernels.array(c, KernelCase.many(2, c.count()), shape);
    NDList inputs = new NDList(first, second);
    switch (RowKernel.of(c)) {
      case LAYER_NORM_BACKWARD -> {
        NDArray weight = kernels.array(c, KernelCase.numbers(3, columns, 1), columns);
        inputs.add(weight);
        inputs.addAll(kernels.made("layer_norm_sums", new NDList(second, weight)));
      }
      case RMS_NORM_BACKWARD -> {
        NDArray weight = kernels.array(c, KernelCase.numbers(3, columns, 1), columns);
        inputs.add(weight);
        inputs.addAll(kernels.made("rms_norm_sums", new NDList(second)));
      }
      case SOFTMAX_BACKWARD -> inputs.set(1, kernels.made("softmax", new NDList(second)).head());
      case GATED_SILU_BACKWARD ->
          inputs.add(kernels.array(c, KernelCase.many(3, c.count()), shape));
      case ADAMW -> {
        inputs.add(kernels.array(c, KernelCase.many(3, c.count()), shape));
        inputs.add(kernels.array(c, c.squares(), shape));
      }
      case ADAFACTOR -> {
        inputs.add(kernels.array(c, KernelCase.squares(5, c.sizes()[0]), c.sizes()[0]));
        inputs.add(kernels.array(c, KernelCase.squares(6, columns), columns));
      }
      default -> {}
    }
    return kernels.call(c.kernel(), inputs);
  }
}
