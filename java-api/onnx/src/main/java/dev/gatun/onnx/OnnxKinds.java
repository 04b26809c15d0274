package dev.gatun.onnx;

import dev.gatun.weights.WeightsException;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.regex.Pattern;
import java.util.stream.Collectors;

/** Refuses graphs whose weights are no longer the model's: quantised, fused or fixed ones. */
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

  /** What the exporter calls the rows of a table that it has looked up for good. */
  private static final Pattern LOOKED_UP = Pattern.compile("embedding(_\\d+)?");

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
    graph.tensors.values().stream()
        .filter(t -> t.shape().length == 3 && LOOKED_UP.matcher(t.name()).matches())
        .findFirst()
        .ifPresent(
            t -> {
              throw new WeightsException(
                  "%s: a model exported for texts of %d tokens only (%s is %s, rows of an embedding that is not in the file): export it again with dynamic_shapes, for lengths of any number"
                      .formatted(source, t.shape()[1], t.name(), Arrays.toString(t.shape())));
            });
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
