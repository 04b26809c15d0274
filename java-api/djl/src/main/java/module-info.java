/** The engine {@code Gatun} of DJL: its programs run on Gatun's kernels and models. */
module dev.gatun.djl {
  requires transitive dev.gatun;
  requires transitive ai.djl.api;
  // Of what an automatic module needs, the module path knows nothing.
  requires com.google.gson;
  requires org.slf4j;

  exports dev.gatun.djl;

  provides ai.djl.engine.EngineProvider with
      dev.gatun.djl.GatunEngineProvider,
      dev.gatun.djl.PyTorchNameProvider;
}
