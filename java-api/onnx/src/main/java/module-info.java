/** Reads weights from ONNX models. */
module dev.gatun.onnx {
  requires transitive dev.gatun;
  requires com.google.protobuf;

  provides dev.gatun.weights.TensorFileProvider with
      dev.gatun.onnx.OnnxProvider;
}
