/** The CUDA devices and their kernels. */
module dev.gatun.kernels.cuda {
  requires transitive dev.gatun.kernels.api;
  requires dev.gatun.kernels.formats;
  requires dev.gatun.bindings;

  exports dev.gatun.kernels.cuda;

  provides dev.gatun.kernels.api.device.DeviceProvider with
      dev.gatun.kernels.cuda.CudaDeviceProvider;
}
