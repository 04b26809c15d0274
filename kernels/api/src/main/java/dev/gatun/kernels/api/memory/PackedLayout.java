package dev.gatun.kernels.api.memory;

/**
 * How a quantised weight [out_features, in_features] lies in memory for products. Panels of {@value
 * #PANEL} output features follow each other, filled with codes and scales of 0 past the last one. A
 * panel is a record for each group of input features: the scales of its features, then their zero
 * points or minima if there are any, then their codes.
 *
 * <p>The same bytes serve processors, where one load is a vector of features, and tensor cores: the
 * words of four neighbouring features are 16 bytes, and whole fragments of a lane.
 *
 * <p>A code is stored as an unsigned number c + 2^(bits-1). Of 8 bits a word of four bytes holds
 * four neighbours on in_features of one output feature, of 4 bits eight: byte i has the element i
 * in its low half and the element i + 4 in its high half. Words of the panel's features are
 * neighbours. An element is
 *
 * <ul>
 *   <li>{@link Scales#F32}, {@link Scales#F16}: {@code scale * c}
 *   <li>{@link Scales#F32_SUM}: {@code scale * c}; beside it lies the sum of the group's elements,
 *       F32, for activations with an offset
 *   <li>{@link Scales#F16_ZERO}, of 4 bits: {@code scale * (c - zero)}, the zero a signed byte
 *   <li>{@link Scales#F32_MIN}: {@code scale * c + min}, the minimum F32
 * </ul>
 *
 * @param bits of a code: 4 or 8
 * @param group input features that share a scale: a multiple of 16 that divides in_features; 0 for
 *     all of a row, whose codes of 8 bits are then filled up with 0 to a multiple of four
 * @param scales what a group has beside its codes
 */
public record PackedLayout(int bits, int group, Scales scales) {
  /** Output features in a panel. */
  public static final int PANEL = 32;

  /** Changes with any change of the layout; packed bytes that are kept anywhere keep it as well. */
  public static final int VERSION = 1;

  /** What each group of an output feature has beside its codes. */
  public enum Scales {
    /** A scale of F32. */
    F32(4),
    /** A scale of F16. */
    F16(2),
    /** A scale of F16 and a zero point of a byte. */
    F16_ZERO(3),
    /** A scale and a least value of F32. */
    F32_MIN(8),
    /** A scale of F32 and the sum of the group's elements. */
    F32_SUM(8);

    private final int bytes;

    Scales(int bytes) {
      this.bytes = bytes;
    }

    /** {@return the bytes for one output feature} */
    public int bytes() {
      return bytes;
    }
  }

  /**
   * Checks the arguments.
   *
   * @throws IllegalArgumentException naming the argument that does not fit, and what would
   */
  public PackedLayout {
    if (scales == null) {
      throw new IllegalArgumentException("packed codes: scales is missing");
    }
    boolean whole = group == 0 && bits == 8;
    if (bits != 4 && bits != 8 || !whole && (group <= 0 || group % 16 != 0)) {
      throw new IllegalArgumentException(
          "packed codes of %d bits in groups of %d, expected 4 or 8 bits in groups of a multiple of 16"
              .formatted(bits, group));
    }
    if (scales == Scales.F16_ZERO && bits != 4) {
      throw new IllegalArgumentException(
          "packed codes of %d bits with zero points, expected 4 bits".formatted(bits));
    }
  }

  /**
   * Checks the version that lies beside packed bytes.
   *
   * @param version the number that lies there
   * @throws IllegalArgumentException when it is another release's
   */
  public static void requireVersion(int version) {
    if (version != VERSION) {
      throw new IllegalArgumentException(
          "packed codes of layout version %d, expected version %d: pack the weight's blocks again"
              .formatted(version, VERSION));
    }
  }

  /**
   * {@return the number of input features that share a scale, in rows this long}
   *
   * @param inFeatures a row's elements
   */
  public long groupSize(long inFeatures) {
    return group == 0 ? inFeatures : group;
  }

  /**
   * {@return the number of groups in a row}
   *
   * @param inFeatures a row's elements
   */
  public long groups(long inFeatures) {
    return inFeatures == 0 ? 0 : inFeatures / groupSize(inFeatures);
  }

  /**
   * {@return the bytes of a panel's codes and scales of one group}
   *
   * @param inFeatures a row's elements
   */
  public long recordBytes(long inFeatures) {
    return PANEL * (scales.bytes + Math.ceilDiv(groupSize(inFeatures), 32 / bits) * 4);
  }

  /**
   * {@return the bytes of a packed weight}
   *
   * @param outFeatures the weight's rows
   * @param inFeatures a row's elements
   */
  public long packedBytes(long outFeatures, long inFeatures) {
    long records = Math.multiplyExact(Math.ceilDiv(outFeatures, PANEL), groups(inFeatures));
    return Math.multiplyExact(records, recordBytes(inFeatures));
  }

  /**
   * {@return where the record of a panel's group begins}
   *
   * @param panel the panel's number
   * @param g the group's number in a row
   * @param inFeatures a row's elements
   */
  public long record(long panel, long g, long inFeatures) {
    return (panel * groups(inFeatures) + g) * recordBytes(inFeatures);
  }

  /**
   * {@return where the byte with an element's code lies inside its record}
   *
   * @param feature an output feature of the panel
   * @param element an input feature of the group
   */
  public long codeByte(int feature, long element) {
    long word = element / (32 / bits);
    return PANEL * scales.bytes + (word * PANEL + feature) * 4 + element % 4;
  }

  /**
   * {@return how far left an element's code lies inside its byte}
   *
   * @param element an input feature of the group
   */
  public int codeShift(long element) {
    return bits == 4 && element % 8 >= 4 ? 4 : 0;
  }
}
