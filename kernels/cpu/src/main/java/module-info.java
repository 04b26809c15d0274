/** The native CPU kernels behind the kernel interfaces. */
module dev.gatun.kernels.cpu {
  requires transitive dev.gatun.kernels.api;
  requires dev.gatun.bindings;

  exports dev.gatun.kernels.cpu;

  provides dev.gatun.kernels.api.BackendProvider with
      dev.gatun.kernels.cpu.CpuBackendProvider;
}
