package dev.gatun.onnx;

import dev.gatun.weights.WeightsException;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.stream.Collectors;

/** Refuses graphs whose weights are no longer the model's: quantised or fused ones. */
final class OnnxKinds {
  private static final List<String> QUANTIZED =
      List.of(
          "DequantizeLinear",
          "DynamicQuantizeLinear",
          "DynamicQuantizeMatMul",
          "DynamicQuantizeLSTM",
          "MatMulBnb4",
          "MatMulInteger",
          "MatMulIntegerToFloat",
          "MatMulNBits",
          "ConvInteger",
          "GatherBlockQuantized",
          "QAttention",
          "QEmbedLayerNormalization",
          "QGemm",
          "QLinearMatMul",
          "QuantizeLinear");

  private static final String MICROSOFT = "com.microsoft";

  private OnnxKinds() {}

  /**
   * Requires a graph as an exporter writes it.
   *
   * @throws WeightsException that names what was done to another one, and what to do
   */
  static void require(OnnxReader graph, String source) {
    Map<String, Long> quantized =
        count(graph.nodes.stream().filter(n -> QUANTIZED.contains(n.op())).toList());
    if (!quantized.isEmpty()) {
      throw new WeightsException(
          "%s: a quantised model (%s): its weights are codes for ONNX Runtime; give the file of floats that it was made of, such as model.onnx, and have weights quantised when it is loaded"
              .formatted(source, names(quantized)));
    }
    Map<String, Long> fused =
        count(graph.nodes.stream().filter(n -> n.domain().equals(MICROSOFT)).toList());
    if (!fused.isEmpty()) {
      throw new WeightsException(
          "%s: a model that ONNX Runtime's optimizer fused (%s of %s): its weights no longer are the layers'; give the file before optimisation, such as model.onnx, or export it again without"
              .formatted(source, names(fused), MICROSOFT));
    }
  }

  private static Map<String, Long> count(List<OnnxNode> nodes) {
    return nodes.stream()
        .collect(Collectors.groupingBy(OnnxNode::op, TreeMap::new, Collectors.counting()));
  }

  private static String names(Map<String, Long> ops) {
    return ops.entrySet().stream()
        .map(e -> e.getValue() + " " + e.getKey())
        .collect(Collectors.joining(", "));
  }
}
