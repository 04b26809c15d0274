package dev.gatun.onnx;

import java.util.List;

/**
 * A node of an ONNX graph, with the two attributes that say how a Gemm lays out its weight.
 *
 * @param name its name
 * @param op its operator
 * @param inputs the values it reads
 * @param outputs the values it makes
 * @param transB Gemm's transB
 * @param alpha Gemm's alpha
 */
record OnnxNode(
    String name,
    String op,
    List<String> inputs,
    List<String> outputs,
    boolean transB,
    float alpha) {}
