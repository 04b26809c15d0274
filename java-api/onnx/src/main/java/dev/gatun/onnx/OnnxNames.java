package dev.gatun.onnx;

import dev.gatun.kernels.api.memory.DType;
import java.util.EnumSet;
import java.util.HashMap;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * Gives initializers the names that the model's state dict has. PyTorch's exporters store a linear
 * layer's weight transposed, as {@code onnx::MatMul_787} or {@code val_60}, and tensors that are
 * equal once; half precision leaves biases without a name. The name follows from the module that a
 * node lies in, or from the bias that is added to a product.
 */
final class OnnxNames {
  /**
   * A tensor as it is shown.
   *
   * @param tensor the initializer
   * @param transposed whether its two axes are to be exchanged
   */
  record Named(OnnxTensor tensor, boolean transposed) {}

  /** What sentence-transformers puts before the names of its first module, or that alone has. */
  private static final Pattern FIRST_MODULE =
      Pattern.compile("^(?:\\d+\\.(?<numbered>(?:auto_)?model)|(?<alone>auto_model))\\.");

  private static final Set<DType> FLOATS = EnumSet.of(DType.F32, DType.F16, DType.BF16, DType.F64);

  private final Map<String, OnnxTensor> tensors;
  private final Map<String, OnnxNode> addsOf = new HashMap<>();
  private final Map<String, OnnxNode> makers = new HashMap<>();
  private final Map<String, Named> resolved = new LinkedHashMap<>();
  private final Set<String> renamed = new HashSet<>();

  private OnnxNames(OnnxReader graph) {
    this.tensors = graph.tensors;
    for (OnnxNode node : graph.nodes) {
      if (node.op().equals("Add")) {
        node.inputs().forEach(input -> addsOf.put(input, node));
      }
      node.outputs().forEach(output -> makers.put(output, node));
    }
    graph.nodes.forEach(this::resolve);
  }

  /** The tensors of {@code graph} under their own names, in the order of the file. */
  static Map<String, Named> resolve(OnnxReader graph) {
    OnnxNames names = new OnnxNames(graph);
    Map<String, Named> all = new LinkedHashMap<>();
    names.tensors.forEach(
        (name, tensor) -> {
          if (!names.renamed.contains(name) && !isConstant(tensor)) {
            all.put(name, new Named(tensor, false));
          }
        });
    names.resolved.forEach(all::putIfAbsent);
    return withoutFirstModule(all);
  }

  /** A number of the graph's own, such as a shape: none of the model's tensors. */
  private static boolean isConstant(OnnxTensor tensor) {
    boolean number = tensor.dtype() != null && !FLOATS.contains(tensor.dtype());
    return isAnonymous(tensor.name()) && (number || tensor.shape().length == 0);
  }

  /** Names as the model itself has them, where it was exported as the first of some modules. */
  private static Map<String, Named> withoutFirstModule(Map<String, Named> all) {
    Set<String> prefixes = new HashSet<>();
    for (String name : all.keySet()) {
      Matcher matcher = FIRST_MODULE.matcher(name);
      if (matcher.find()) {
        prefixes.add(matcher.group());
        String module = matcher.group("numbered");
        prefixes.add((module == null ? matcher.group("alone") : module) + ".");
      }
    }
    Map<String, Named> own = new LinkedHashMap<>();
    all.forEach(
        (name, tensor) -> {
          String prefix = prefixes.stream().filter(name::startsWith).findFirst().orElse("");
          own.putIfAbsent(name.substring(prefix.length()), tensor);
        });
    return own;
  }

  private void resolve(OnnxNode node) {
    switch (node.op()) {
      case "MatMul" -> resolveProduct(node, true);
      case "Gemm" -> {
        if (node.alpha() == 1) {
          resolveProduct(node, !node.transB());
          resolveInput(node, 2, ".bias", 1);
        }
      }
      case "Add" -> resolveBias(node);
      case "LayerNormalization" -> {
        resolveInput(node, 1, ".weight", 1);
        resolveInput(node, 2, ".bias", 1);
      }
      case "Gather" -> resolveInput(node, 0, ".weight", 2);
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

  /** Scopes first: equal biases are one tensor, and its name tells one layer of theirs. */
  private String nameOf(OnnxNode node) {
    String module = node.module();
    if (node.hasScopes() && module != null) {
      return module + ".weight";
    }
    if (node.op().equals("Gemm") && node.inputs().size() > 2) {
      String name = weightOf(node.inputs().get(2));
      if (name != null) {
        return name;
      }
    }
    OnnxNode add = addsOf.get(node.outputs().getFirst());
    if (add != null) {
      for (String input : add.inputs()) {
        if (weightOf(input) != null) {
          return weightOf(input);
        }
      }
    }
    return module == null ? null : module + ".weight";
  }

  private String weightOf(String bias) {
    boolean named = bias.endsWith(".bias") && tensors.containsKey(bias);
    return named ? bias.substring(0, bias.length() - "bias".length()) + "weight" : null;
  }

  /** The bias that is added to a product of the same module. */
  private void resolveBias(OnnxNode add) {
    for (int i = 0; i < add.inputs().size(); i++) {
      OnnxNode maker = makers.get(add.inputs().get(add.inputs().size() - 1 - i));
      boolean ofProduct =
          maker != null
              && maker.op().equals("MatMul")
              && maker.inputs().size() == 2
              && tensors.containsKey(maker.inputs().get(1))
              && add.module() != null
              && add.module().equals(maker.module());
      if (ofProduct) {
        resolveInput(add, i, ".bias", 1);
      }
    }
  }

  /** Shows what a node reads under the name that its module gives it. */
  private void resolveInput(OnnxNode node, int input, String ending, int axes) {
    OnnxTensor tensor = input < node.inputs().size() ? tensors.get(node.inputs().get(input)) : null;
    if (tensor == null
        || tensor.shape().length != axes
        || !FLOATS.contains(tensor.dtype())
        || node.module() == null) {
      return;
    }
    String name = node.module() + ending;
    if (!tensors.containsKey(name) && (node.hasScopes() || isAnonymous(tensor.name()))) {
      resolved.putIfAbsent(name, new Named(tensor, false));
      if (isAnonymous(tensor.name())) {
        renamed.add(tensor.name());
      }
    }
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
