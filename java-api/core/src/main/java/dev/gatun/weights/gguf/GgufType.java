package dev.gatun.weights.gguf;

import dev.gatun.kernels.api.memory.BlockFormat;
import dev.gatun.kernels.api.memory.DType;
import java.util.Arrays;
import java.util.Map;
import java.util.function.Function;
import java.util.stream.Collectors;

/**
 * The types of tensors, by ggml's numbers and names.
 *
 * @param id in the file
 * @param name of ggml
 * @param block elements of a block
 * @param bytes of a block
 */
record GgufType(int id, String name, int block, int bytes) {
  private static final Map<Integer, GgufType> TYPES =
      Arrays.stream(
              """
              0 F32 1 4
              1 F16 1 2
              2 Q4_0 32 18
              3 Q4_1 32 20
              6 Q5_0 32 22
              7 Q5_1 32 24
              8 Q8_0 32 34
              9 Q8_1 32 36
              10 Q2_K 256 84
              11 Q3_K 256 110
              12 Q4_K 256 144
              13 Q5_K 256 176
              14 Q6_K 256 210
              15 Q8_K 256 292
              16 IQ2_XXS 256 66
              17 IQ2_XS 256 74
              18 IQ3_XXS 256 98
              19 IQ1_S 256 50
              20 IQ4_NL 32 18
              21 IQ3_S 256 110
              22 IQ2_S 256 82
              23 IQ4_XS 256 136
              24 I8 1 1
              25 I16 1 2
              26 I32 1 4
              27 I64 1 8
              28 F64 1 8
              29 IQ1_M 256 56
              30 BF16 1 2
              34 TQ1_0 256 54
              35 TQ2_0 256 66
              39 MXFP4 32 17
              40 NVFP4 64 36
              41 Q1_0 128 18
              """
                  .lines()
                  .map(GgufType::parse)
                  .toArray(GgufType[]::new))
          .collect(Collectors.toMap(GgufType::id, Function.identity()));

  private static GgufType parse(String line) {
    String[] parts = line.split(" ");
    return new GgufType(
        Integer.parseInt(parts[0]),
        parts[1],
        Integer.parseInt(parts[2]),
        Integer.parseInt(parts[3]));
  }

  /** The type of a number; null where there is none that is known. */
  static GgufType of(int id) {
    return TYPES.get(id);
  }

  /** The type of a name, which must be one of them. */
  static GgufType of(String name) {
    return TYPES.values().stream().filter(t -> t.name.equals(name)).findAny().orElseThrow();
  }

  /** Why a number is no type that is known, and what to do. */
  static String unknown(int id) {
    if (id >= 31 && id <= 33 || id >= 36 && id <= 38) {
      return "type %d was removed from ggml (rows repacked for one processor): quantise the model again, as Q4_0"
          .formatted(id);
    }
    if (id == 4 || id == 5) {
      return "type %d was removed from ggml in 2023 (Q4_2, Q4_3): quantise the model again"
          .formatted(id);
    }
    if (id >= 97 && id <= 99 || id >= 133 && id <= 158 || id >= 202 && id <= 399) {
      return "type %d is one of ik_llama.cpp's own: take a file in one of ggml's types"
          .formatted(id);
    }
    return "type %s is not known: a newer format, or a damaged file"
        .formatted(Integer.toUnsignedString(id));
  }

  /** The dtype of elements that are numbers; null for blocks. */
  DType dtype() {
    return block != 1
        ? null
        : Arrays.stream(DType.values()).filter(d -> d.name().equals(name)).findAny().orElse(null);
  }

  /** The format of blocks that products read; null for other types. */
  BlockFormat format() {
    return BlockFormat.GGML.stream().filter(f -> f.toString().equals(name)).findAny().orElse(null);
  }
}
