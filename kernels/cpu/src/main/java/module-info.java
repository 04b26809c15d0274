/** The native CPU kernels behind the kernel interfaces. */
module dev.gatun.kernels.cpu {
  requires transitive dev.gatun.kernels.api;
  requires dev.gatun.kernels.formats;
  requires dev.gatun.bindings;

  exports dev.gatun.kernels.cpu;

  provides dev.gatun.kernels.api.device.DeviceProvider with
      dev.gatun.kernels.cpu.CpuDeviceProvider;
  provides dev.gatun.kernels.api.device.ThreadStack with
      dev.gatun.kernels.cpu.CpuThreadStack;
}
