package dev.gatun.kernels.api.call.attention;

import dev.gatun.kernels.api.checks.Checks;
import dev.gatun.kernels.api.memory.DType;
import dev.gatun.kernels.api.memory.Indices;
import dev.gatun.kernels.api.memory.Lengths;
import dev.gatun.kernels.api.memory.Offsets;
import dev.gatun.kernels.api.memory.Operand;
import java.util.List;

/**
 * How the keys and values of a batch lie in memory; at most one of offsets and pages is there.
 *
 * @param offsets the sequences of a ragged batch, or null
 * @param lengths the keys in use of each sequence, for caches with room to grow; or null for all
 * @param pages I32 [batch, pages_per_sequence], rows without gaps: the pages of each sequence in a
 *     paged cache (Kwon et al., arXiv 2309.06180), below the number of pages as far as a sequence's
 *     length needs them; or null
 * @param scales of keys and values that are signed bytes; or null, where they are of the queries'
 *     dtype
 */
public record AttentionKeys(Offsets offsets, Lengths lengths, Indices pages, CacheScales scales) {
  private static final String NAME = "attention keys";

  /** One row of keys a sequence, all of them in use. */
  public static final AttentionKeys PADDED = new AttentionKeys(null, null, null, null);

  /**
   * Checks the arguments.
   *
   * @throws IllegalArgumentException naming the argument that does not fit, and what would
   */
  public AttentionKeys {
    if (offsets != null && (lengths != null || pages != null)) {
      throw Checks.bad(NAME, "ragged keys have neither lengths nor a block table");
    }
    if (pages != null) {
      if (lengths == null) {
        throw Checks.bad(NAME, "a block table needs the lengths");
      }
      Checks.operand(NAME, "block table", pages.values(), DType.I32, 2);
      Checks.rows(NAME, "block table", pages.values());
    }
  }

  /**
   * Keys and values of the queries' dtype.
   *
   * @param offsets the sequences of a ragged batch, or null
   * @param lengths the keys in use of each sequence, or null for all
   * @param pages the pages of each sequence, or null
   */
  public AttentionKeys(Offsets offsets, Lengths lengths, Indices pages) {
    this(offsets, lengths, pages, null);
  }

  /**
   * {@return the same of keys and values that are signed bytes}
   *
   * @param other what they mean, or null
   */
  public AttentionKeys withScales(CacheScales other) {
    return new AttentionKeys(offsets, lengths, pages, other);
  }

  /**
   * {@return one row of keys a sequence, of which the first ones are in use}
   *
   * @param lengths of each sequence, how many keys are in use
   */
  public static AttentionKeys padded(Lengths lengths) {
    return new AttentionKeys(null, lengths, null);
  }

  /**
   * {@return the keys of sequences one after another}
   *
   * @param offsets where the keys of each sequence begin
   */
  public static AttentionKeys ragged(Offsets offsets) {
    return new AttentionKeys(offsets, null, null);
  }

  /**
   * {@return the keys of sequences in pages of a cache}
   *
   * @param pages I32 [batch, pages_per_sequence], the pages of each sequence in its order
   * @param lengths of each sequence, how many keys are in use
   */
  public static AttentionKeys paged(Indices pages, Lengths lengths) {
    return new AttentionKeys(null, lengths, pages);
  }

  /** {@return whether the keys lie in pages} */
  public boolean isPaged() {
    return pages != null;
  }

  /** {@return the pages of each sequence, or null} */
  public Operand blockTable() {
    return pages == null ? null : pages.values();
  }

  /** The keys in use of the longest sequence. */
  int longest() {
    return offsets != null ? offsets.longest() : lengths.longest();
  }

  /** What is read besides keys and values. */
  List<Operand> operands() {
    return Checks.both(
        Checks.present(
            offsets == null ? null : offsets.values(),
            lengths == null ? null : lengths.values(),
            blockTable()),
        CacheScales.operands(scales));
  }
}
