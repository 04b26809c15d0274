/** Transformer models on the JVM: what programs import. */
module dev.gatun {
  requires transitive dev.gatun.kernels.api;
  requires dev.gatun.kernels.formats;
  requires com.fasterxml.jackson.databind;

  exports dev.gatun.autograd;
  exports dev.gatun.chat;
  exports dev.gatun.compression;
  exports dev.gatun.generation;
  exports dev.gatun.models;
  exports dev.gatun.nn;
  exports dev.gatun.ops;
  exports dev.gatun.pipelines;
  exports dev.gatun.tensor;
  exports dev.gatun.text;
  exports dev.gatun.text.chat;
  exports dev.gatun.text.jinja;
  exports dev.gatun.training;
  exports dev.gatun.training.data;
  exports dev.gatun.training.optim;
  exports dev.gatun.weights;

  uses dev.gatun.kernels.api.device.ThreadStack;
  uses dev.gatun.text.TokenizerProvider;
  uses dev.gatun.weights.TensorFileProvider;
}
