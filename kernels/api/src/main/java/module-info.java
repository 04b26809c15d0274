/** The kernel families: what each computes, on which shapes, and how a backend is found. */
module dev.gatun.kernels.api {
  exports dev.gatun.kernels.api;
  exports dev.gatun.kernels.api.quantized;

  uses dev.gatun.kernels.api.BackendProvider;
  uses dev.gatun.kernels.api.DeviceProvider;
}
