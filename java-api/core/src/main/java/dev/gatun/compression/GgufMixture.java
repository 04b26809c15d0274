package dev.gatun.compression;

import dev.gatun.weights.gguf.GgufMetadata;
import dev.gatun.weights.gguf.GgufTensor;
import java.util.Arrays;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * Which type each tensor of a GGUF file gets, as llama.cpp's quantiser chooses them: norms, biases,
 * routers and positions stay floats, the output layer is Q6_K, and of IQ4_NL, IQ4_XS and the
 * mixtures whose names end in M the values' projections and the second layers of feed-forward
 * networks are wider where that pays.
 *
 * @param name of the mixture
 * @param type of most tensors
 * @param fileType the number of the mixture in general.file_type
 */
record GgufMixture(String name, String type, int fileType) {
  private static final Map<String, GgufMixture> ALL =
      Arrays.stream(
              """
              F32 F32 0
              F16 F16 1
              BF16 BF16 32
              Q4_0 Q4_0 2
              Q4_1 Q4_1 3
              Q5_0 Q5_0 8
              Q5_1 Q5_1 9
              Q8_0 Q8_0 7
              Q2_K Q2_K 21
              Q3_K Q3_K 11
              Q4_K Q4_K 14
              Q4_K_M Q4_K 15
              Q5_K Q5_K 16
              Q5_K_M Q5_K 17
              Q6_K Q6_K 18
              IQ4_NL IQ4_NL 25
              IQ4_XS IQ4_XS 30
              """
                  .split("\n"))
          .map(line -> line.split(" "))
          .map(p -> new GgufMixture(p[0], p[1], Integer.parseInt(p[2])))
          .collect(
              java.util.stream.Collectors.toMap(
                  GgufMixture::name, m -> m, (a, _) -> a, java.util.LinkedHashMap::new));

  private static final Pattern FLOATS =
      Pattern.compile(
          ".*_norm\\.weight|.*ffn_gate_inp.*|position_embd\\.weight|token_types\\.weight"
              + "|.*attn_rel_b.*|rope_.*");

  private static final Pattern LAYER = Pattern.compile("blk\\.(\\d+)\\..*");

  /** What a row becomes that the blocks of a type do not divide. */
  private static final Map<String, String> SHORTER =
      Map.of(
          "Q2_K", "IQ4_NL",
          "Q3_K", "IQ4_NL",
          "IQ4_XS", "IQ4_NL",
          "Q4_K", "Q5_0",
          "Q5_K", "Q5_1",
          "Q6_K", "Q8_0");

  /**
   * A mixture by its name, in any case.
   *
   * @throws IllegalArgumentException for another one
   */
  static GgufMixture of(String name) {
    GgufMixture found = ALL.get(name.toUpperCase(Locale.ROOT));
    if (found == null) {
      throw new IllegalArgumentException(
          "no type %s of GGUF files; expected one of %s"
              .formatted(name, String.join(", ", ALL.keySet())));
    }
    return found;
  }

  static List<String> names() {
    return List.copyOf(ALL.keySet());
  }

  private boolean isFloats() {
    return type.equals("F32") || type.equals("F16") || type.equals("BF16");
  }

  /**
   * A tensor's type.
   *
   * @param keys of the file
   * @param hasOutput whether the output layer is a tensor of its own
   * @param weighted whether some columns matter more
   */
  String of(GgufTensor tensor, GgufMetadata keys, boolean hasOutput, boolean weighted) {
    boolean matrix = tensor.shape().length >= 2 && tensor.name().endsWith(".weight");
    if (!matrix || FLOATS.matcher(tensor.name()).matches()) {
      return tensor.type().matches("BF16|F16|F64") ? "F32" : tensor.type();
    }
    String wanted = isFloats() ? type : wanted(tensor, keys, hasOutput, weighted);
    if (!tensor.fits(wanted)) {
      wanted = SHORTER.getOrDefault(wanted, "F16");
    }
    return tensor.fits(wanted) ? wanted : "F16";
  }

  private String wanted(GgufTensor tensor, GgufMetadata keys, boolean hasOutput, boolean weighted) {
    String name = tensor.name();
    String arch = keys.text("general.architecture").orElse("");
    if (name.equals("output.weight") || !hasOutput && name.equals("token_embd.weight")) {
      return type.equals("Q8_0") || arch.equals("falcon") || !tensor.fits("Q6_K") ? "Q8_0" : "Q6_K";
    }
    boolean values = name.contains("attn_v.weight") || name.contains("attn_qkv.weight");
    boolean experts = keys.integer(arch + ".expert_count", 0) == 8;
    if (experts && (values || name.contains("attn_k.weight"))) {
      // Beside eight experts a wide one costs little.
      return "Q8_0";
    }
    if (type.startsWith("IQ4")) {
      return ofFour(name, keys, arch, weighted);
    }
    if (!name.startsWith("blk.") || !this.name.endsWith("_M")) {
      return type;
    }
    int layers = keys.integer(arch + ".block_count", 1);
    int layer = layer(name);
    boolean more = isWider(layer, layers);
    if (values) {
      // With eight heads of queries for each of values a wide one costs little.
      boolean large = layers == 80 && arch.equals("llama");
      return more ? "Q6_K" : large ? "Q5_K" : type;
    }
    if (name.contains("attn_output.weight")) {
      return experts && !arch.equals("falcon") ? "Q5_K" : type;
    }
    if (name.contains("ffn_down")) {
      if (arch.equals("falcon") && type.equals("Q4_K")) {
        return layer < layers / 16 ? "Q6_K" : more ? "Q5_K" : type;
      }
      return more ? "Q6_K" : type;
    }
    return type;
  }

  /** Of a tensor beside which most have four bits by a table of steps that are not alike. */
  private String ofFour(String name, GgufMetadata keys, String arch, boolean weighted) {
    int heads = keys.integer(arch + ".attention.head_count", 1);
    int kvHeads = Math.max(1, keys.integer(arch + ".attention.head_count_kv", heads));
    boolean wider = false;
    if (name.contains("attn_v.weight") || name.contains("attn_qkv.weight")) {
      wider = heads / kvHeads >= 4;
    } else if (name.contains("ffn_down")) {
      wider = !weighted && layer(name) < keys.integer(arch + ".block_count", 1) / 8;
    } else if (name.contains("attn_output.weight")) {
      wider = keys.integer(arch + ".expert_count", 0) == 8 && !arch.equals("falcon");
    }
    return wider ? "Q5_K" : type;
  }

  private static int layer(String name) {
    Matcher matcher = LAYER.matcher(name);
    return matcher.matches() ? Integer.parseInt(matcher.group(1)) : 0;
  }

  /** The first and last eighth of the layers, and every third between them. */
  private static boolean isWider(int layer, int layers) {
    int eighth = layers / 8;
    return layer < eighth || layer >= 7 * layers / 8 || (layer - eighth) % 3 == 2;
  }
}
