package dev.gatun.djl;

import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDList;
import ai.djl.ndarray.types.DataType;
import ai.djl.ndarray.types.Shape;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;

/**
 * What a block is given: arrays by the names of Hugging Face's inputs; those without one are the
 * inputs of the block in their order, each behind the one before it.
 */
final class BlockInputs {
  /** Names of other models' inputs, which must not be taken for what stands at their place. */
  private static final Set<String> OTHERS =
      Set.of(
          "attention_mask",
          "token_type_ids",
          "position_ids",
          "inputs_embeds",
          "head_mask",
          "decoder_input_ids",
          "decoder_attention_mask",
          "labels");

  private final Map<String, NDArray> arrays = new HashMap<>();
  private final int most;

  /**
   * @param names of the block's inputs, in their order; the first one is needed
   * @param most tokens of a sequence
   */
  BlockInputs(List<String> names, NDList inputs, int most) {
    this.most = most;
    int next = 0;
    for (NDArray array : inputs) {
      String name = array.getName() == null ? "" : array.getName();
      int named = names.indexOf(name);
      if (named < 0 && OTHERS.contains(name)) {
        throw new IllegalArgumentException(
            "forward: %s is no input of this model, expected %s"
                .formatted(name, String.join(", ", names)));
      }
      int at = named >= 0 ? named : next;
      if (at >= names.size() || arrays.putIfAbsent(names.get(at), array) != null) {
        throw new IllegalArgumentException(
            "forward: %d arrays, expected %s at most"
                .formatted(inputs.size(), String.join(", ", names)));
      }
      next = at + 1;
    }
    require(names.getFirst());
  }

  /** Requires an input to be there. */
  NDArray require(String name) {
    NDArray array = arrays.get(name);
    if (array == null) {
      throw new IllegalArgumentException("forward: %s is missing".formatted(name));
    }
    return array;
  }

  /** An array, or null. */
  NDArray array(String name) {
    return arrays.get(name);
  }

  /** Whole numbers [batch, length] as rows; null where the input is not there. */
  long[][] rows(String name) {
    NDArray array = arrays.get(name);
    if (array == null) {
      return null;
    }
    Shape shape = array.getShape();
    boolean whole = array.getDataType().isInteger() || array.getDataType() == DataType.BOOLEAN;
    if (shape.dimension() != 2 || !whole) {
      throw new IllegalArgumentException(
          "forward: %s is %s %s, expected whole numbers [batch, length]"
              .formatted(name, array.getDataType(), shape));
    }
    if (shape.get(1) > most) {
      throw new IllegalArgumentException(
          "forward: %s has %d tokens, the option maxLength allows %d"
              .formatted(name, shape.get(1), most));
    }
    return split(array, Math.toIntExact(shape.get(0)), Math.toIntExact(shape.get(1)));
  }

  /** The elements of an array of whole numbers, of any shape, as rows. */
  static long[][] split(NDArray array, int count, int length) {
    long[][] rows = new long[count][length];
    NDArray wide = array.toType(DataType.INT64, false);
    try {
      long[] all = wide.toLongArray();
      for (int i = 0; i < count; i++) {
        System.arraycopy(all, i * length, rows[i], 0, length);
      }
    } finally {
      if (wide != array) {
        wide.close();
      }
    }
    return rows;
  }
}
