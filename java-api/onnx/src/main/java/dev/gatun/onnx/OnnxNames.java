package dev.gatun.onnx;

import java.util.HashMap;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;

/**
 * Gives initializers the names that the model's state dict has. PyTorch's exporter stores a linear
 * layer's weight transposed, as {@code onnx::MatMul_787}; its name follows from the bias that is
 * added to the product, or from the scope in the name of the node.
 */
final class OnnxNames {
  /**
   * A tensor as it is shown.
   *
   * @param tensor the initializer
   * @param transposed whether its two axes are to be exchanged
   */
  record Named(OnnxTensor tensor, boolean transposed) {}

  private final Map<String, OnnxTensor> tensors;
  private final Map<String, OnnxNode> addsOf = new HashMap<>();
  private final Map<String, Named> resolved = new LinkedHashMap<>();
  private final Set<String> renamed = new HashSet<>();

  private OnnxNames(OnnxReader graph) {
    this.tensors = graph.tensors;
    for (OnnxNode node : graph.nodes) {
      if (node.op().equals("Add")) {
        node.inputs().forEach(input -> addsOf.put(input, node));
      }
    }
    graph.nodes.forEach(this::resolve);
  }

  /** The tensors of {@code graph} under their own names, in the order of the file. */
  static Map<String, Named> resolve(OnnxReader graph) {
    OnnxNames names = new OnnxNames(graph);
    Map<String, Named> all = new LinkedHashMap<>();
    names.tensors.forEach(
        (name, tensor) -> {
          if (!names.renamed.contains(name)) {
            all.put(name, new Named(tensor, false));
          }
        });
    names.resolved.forEach(all::putIfAbsent);
    return all;
  }

  private void resolve(OnnxNode node) {
    switch (node.op()) {
      case "MatMul" -> resolveProduct(node, true);
      case "Gemm" -> {
        if (node.alpha() == 1) {
          resolveProduct(node, !node.transB());
        }
      }
      case "Identity" -> resolveIdentity(node);
      default -> {}
    }
  }

  private void resolveProduct(OnnxNode node, boolean transposed) {
    if (node.inputs().size() < 2 || node.outputs().isEmpty()) {
      return;
    }
    OnnxTensor weight = tensors.get(node.inputs().get(1));
    if (weight == null || weight.shape().length != 2 || !isAnonymous(weight.name())) {
      return;
    }
    String name = nameOf(node);
    if (name != null && !tensors.containsKey(name)) {
      resolved.putIfAbsent(name, new Named(weight, transposed));
      renamed.add(weight.name());
    }
  }

  private String nameOf(OnnxNode node) {
    if (node.op().equals("Gemm") && node.inputs().size() > 2) {
      return weightOf(node.inputs().get(2));
    }
    OnnxNode add = addsOf.get(node.outputs().getFirst());
    if (add != null) {
      for (String input : add.inputs()) {
        if (weightOf(input) != null) {
          return weightOf(input);
        }
      }
    }
    return scopeOf(node.name());
  }

  private String weightOf(String bias) {
    boolean named = bias.endsWith(".bias") && tensors.containsKey(bias);
    return named ? bias.substring(0, bias.length() - "bias".length()) + "weight" : null;
  }

  /** {@code /encoder/layer.0/query/MatMul} lies in the module {@code encoder.layer.0.query}. */
  private static String scopeOf(String node) {
    int last = node.lastIndexOf('/');
    return node.startsWith("/") && last > 0
        ? node.substring(1, last).replace('/', '.') + ".weight"
        : null;
  }

  /**
   * Tensors that the exporter found to be equal are stored once and shown under each of their
   * names.
   */
  private void resolveIdentity(OnnxNode node) {
    if (node.inputs().size() == 1 && node.outputs().size() == 1) {
      OnnxTensor tensor = tensors.get(node.inputs().getFirst());
      String name = node.outputs().getFirst();
      if (tensor != null && !isAnonymous(name) && !tensors.containsKey(name)) {
        resolved.putIfAbsent(name, new Named(tensor, false));
      }
    }
  }

  private static boolean isAnonymous(String name) {
    List<String> signs = List.of("::", "/");
    return name.indexOf('.') < 0 || signs.stream().anyMatch(name::contains);
  }
}
