/** The native CPU kernels behind the kernel interfaces. */
module dev.gatun.kernels.cpu {
  requires transitive dev.gatun.kernels.api;
  requires dev.gatun.kernels.formats;
  requires dev.gatun.bindings;

  exports dev.gatun.kernels.cpu;

  provides dev.gatun.kernels.api.device.BackendProvider with
      dev.gatun.kernels.cpu.CpuBackendProvider;
}
