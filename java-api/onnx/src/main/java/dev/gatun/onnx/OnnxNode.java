package dev.gatun.onnx;

import java.util.List;

/**
 * A node of an ONNX graph, with the two attributes that say how a Gemm lays out its weight.
 *
 * @param name its name
 * @param op its operator
 * @param domain whose operator that is; empty for ONNX's own
 * @param scopes the modules that it lies in, as PyTorch's exporter writes them down; or empty
 * @param inputs the values it reads
 * @param outputs the values it makes
 * @param transB Gemm's transB
 * @param alpha Gemm's alpha
 */
record OnnxNode(
    String name,
    String op,
    String domain,
    String scopes,
    List<String> inputs,
    List<String> outputs,
    boolean transB,
    float alpha) {

  /**
   * The module of PyTorch that it computes a part of: {@code encoder.layer.0.query} from scopes
   * {@code ['', 'encoder', ..., 'encoder.layer.0.query', 'linear']}, else from a name {@code
   * /encoder/layer.0/query/MatMul}; null where neither tells.
   */
  String module() {
    if (hasScopes()) {
      String[] names = scopes.split("'", -1);
      boolean inside = names.length >= 5 && !names[names.length - 4].isEmpty();
      return inside ? names[names.length - 4] : null;
    }
    int last = name.lastIndexOf('/');
    return name.startsWith("/") && last > 0 ? name.substring(1, last).replace('/', '.') : null;
  }

  boolean hasScopes() {
    return !scopes.isEmpty();
  }
}
