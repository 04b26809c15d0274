/** The kernels in plain Java: the oracle of the tests, and the fallback without native code. */
module dev.gatun.kernels.reference {
  requires transitive dev.gatun.kernels.api;
  requires dev.gatun.kernels.formats;

  exports dev.gatun.kernels.reference;

  provides dev.gatun.kernels.api.device.BackendProvider with
      dev.gatun.kernels.reference.ReferenceBackendProvider;
}
