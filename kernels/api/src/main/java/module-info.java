/** The kernel families: what each computes, on which shapes, and how a backend is found. */
module dev.gatun.kernels.api {
  exports dev.gatun.kernels.api.call;
  exports dev.gatun.kernels.api.call.attention;
  exports dev.gatun.kernels.api.call.elementwise;
  exports dev.gatun.kernels.api.call.experts;
  exports dev.gatun.kernels.api.call.indexing;
  exports dev.gatun.kernels.api.call.loss;
  exports dev.gatun.kernels.api.call.matmul;
  exports dev.gatun.kernels.api.call.norm;
  exports dev.gatun.kernels.api.call.optim;
  exports dev.gatun.kernels.api.call.reduction;
  exports dev.gatun.kernels.api.device;
  exports dev.gatun.kernels.api.memory;

  uses dev.gatun.kernels.api.device.DeviceProvider;
}
