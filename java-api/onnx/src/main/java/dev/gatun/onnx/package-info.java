/** The ONNX format of {@link dev.gatun.weights.TensorFile}. */
package dev.gatun.onnx;
