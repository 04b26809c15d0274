package dev.gatun.onnx;

import dev.gatun.kernels.api.memory.DType;
import java.lang.foreign.MemorySegment;

/**
 * An initializer of an ONNX graph.
 *
 * @param name its name in the graph
 * @param dtype its element type, or null if it is one that is not read
 * @param onnxType the number of its ONNX element type
 * @param shape its axes
 * @param data its bytes, row-major and little-endian; null if the element type is not read
 */
record OnnxTensor(String name, DType dtype, int onnxType, long[] shape, MemorySegment data) {}
