package dev.gatun.kernels.api.call.attention;

import dev.gatun.kernels.api.checks.Checks;
import dev.gatun.kernels.api.memory.DType;
import dev.gatun.kernels.api.memory.Offsets;
import dev.gatun.kernels.api.memory.Operand;
import java.util.Arrays;

/**
 * How the keys and values of a batch lie in memory; at most one of offsets and blockTable is there.
 *
 * @param offsets the sequences of a ragged batch, or null
 * @param lengths the keys in use of each sequence, for caches with room to grow; or null for all
 * @param blockTable I32 [batch, pages_per_sequence], rows without gaps: the pages of each sequence
 *     in a paged cache (Kwon et al., arXiv 2309.06180); or null
 */
public record AttentionKeys(Offsets offsets, int[] lengths, Operand blockTable) {
  private static final String NAME = "attention keys";

  /** One row of keys a sequence, all of them in use. */
  public static final AttentionKeys PADDED = new AttentionKeys(null, null, null);

  public AttentionKeys {
    if (offsets != null && (lengths != null || blockTable != null)) {
      throw Checks.bad(NAME, "ragged keys have neither lengths nor a block table");
    }
    if (blockTable != null) {
      if (lengths == null) {
        throw Checks.bad(NAME, "a block table needs the lengths");
      }
      Checks.operand(NAME, "block table", blockTable, DType.I32, 2);
      Checks.rows(NAME, "block table", blockTable);
    }
    if (lengths != null) {
      lengths = lengths.clone();
      for (int i = 0; i < lengths.length; i++) {
        if (lengths[i] < 0) {
          throw Checks.bad(NAME, "length %d at %d is negative", lengths[i], i);
        }
      }
    }
  }

  /** One row of keys a sequence, of which the first ones are in use. */
  public static AttentionKeys padded(int... lengths) {
    return new AttentionKeys(null, lengths, null);
  }

  /** Sequences one after another. */
  public static AttentionKeys ragged(Offsets offsets) {
    return new AttentionKeys(offsets, null, null);
  }

  /** Sequences in pages of a cache. */
  public static AttentionKeys paged(Operand blockTable, int... lengths) {
    return new AttentionKeys(null, lengths, blockTable);
  }

  /** Whether the keys lie in pages. */
  public boolean isPaged() {
    return blockTable != null;
  }

  /** The keys in use of the longest sequence. */
  int longest() {
    return offsets != null ? offsets.longest() : Arrays.stream(lengths).max().orElse(0);
  }
}
