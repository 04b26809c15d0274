/**
 * How tensors lie in files: safetensors (one file or sharded) and the initializers of ONNX models,
 * memory-mapped and checked. {@link dev.gatun.weights.TensorFile#open} is the way in.
 */
package dev.gatun.weights;
