/**
 * Native libraries through the Foreign Function and Memory API: the only module that calls them.
 */
@SuppressWarnings("module") // The modules that may use a wrapper are built later.
module dev.gatun.bindings {
  exports dev.gatun.bindings.loader;
  exports dev.gatun.bindings.cpu to
      dev.gatun.kernels.cpu;
  exports dev.gatun.bindings.cuda to
      dev.gatun.kernels.cuda;
}
